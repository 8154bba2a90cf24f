import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "../redis-server.js";
import { type Outcome, runProgram } from "./command.js";

// The commands come with them, but cannot tell their version without a cluster.
const programs = ["munged", "slurmctld", "slurmd"];

/** Why no cluster can be started here; null where one can. */
export const whyNoSlurm: string | null =
  process.platform !== "linux" || process.getuid?.() !== 0
    ? "Slurm's daemons need root on Linux"
    : programs.every((program) => spawnSync(program, ["-V"]).status === 0)
      ? null
      : "Slurm is not installed: apt-get install slurm-wlm munge";

/** The real Slurm with one node, this machine, of two cores; all of its files are in a folder. */
export class SlurmCluster {
  readonly #env: Readonly<Record<string, string>>;
  readonly #daemons: ChildProcess[] = [];

  private constructor(configuration: string) {
    this.#env = { SLURM_CONF: configuration };
  }

  static async start(folder: string): Promise<SlurmCluster> {
    const at = (...names: string[]) => join(folder, ...names);
    for (const name of ["state", "spool", "munge"]) mkdirSync(at(name));
    writeFileSync(at("munge", "key"), randomBytes(128), { mode: 0o400 });
    chmodSync(at("munge"), 0o755);
    const host = hostname().split(".")[0];
    const lines = [
      "ClusterName=one",
      `SlurmctldHost=${host}(127.0.0.1)`,
      `SlurmctldPort=${await freePort()}`,
      `SlurmdPort=${await freePort()}`,
      "SlurmUser=root",
      "AuthType=auth/munge",
      `AuthInfo=socket=${at("munge", "socket")}`,
      "CredType=cred/munge",
      "ProctrackType=proctrack/linuxproc",
      "TaskPlugin=task/none",
      "MpiDefault=none",
      "SelectType=select/cons_tres",
      "SelectTypeParameters=CR_Core",
      `StateSaveLocation=${at("state")}`,
      `SlurmdSpoolDir=${at("spool")}`,
      `SlurmctldPidFile=${at("slurmctld.pid")}`,
      `SlurmdPidFile=${at("slurmd.pid")}`,
      // More than the machine may have: then the node would not start.
      "SlurmdParameters=config_overrides",
      `NodeName=${host} NodeAddr=127.0.0.1 CPUs=2 State=UNKNOWN`,
      `PartitionName=all Nodes=${host} Default=YES MaxTime=60 State=UP`,
    ];
    writeFileSync(at("slurm.conf"), `${lines.join("\n")}\n`);
    const cluster = new SlurmCluster(at("slurm.conf"));
    try {
      const munge = ["key-file", "pid-file", "seed-file", "log-file", "socket"];
      const files = munge.map((name) => `--${name}=${at("munge", name.replace("-file", ""))}`);
      cluster.#start("munged", ["--foreground", "--force", ...files]);
      cluster.#start("slurmctld", ["-D", "-f", at("slurm.conf")]);
      cluster.#start("slurmd", ["-D", "-f", at("slurm.conf")]);
      for (let tries = 0; !(await cluster.command("sinfo", "--noheader")).stdout.includes("idle"); tries++) {
        if (tries === 600) throw new Error((await cluster.command("sinfo")).stderr);
        await sleep(500);
      }
    } catch (error) {
      await cluster.end();
      throw error;
    }
    return cluster;
  }

  /** Runs one of Slurm's commands. */
  command(program: string, ...args: readonly string[]): Promise<Outcome> {
    return runProgram(program, args, { env: this.#env });
  }

  /** Submits a script; the number of the job. */
  async submit(...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.command("sbatch", "--parsable", ...args);
    if (code !== 0) throw new Error(stderr);
    return stdout.trim();
  }

  /** Waits until no job is waiting or running. */
  async drained(): Promise<void> {
    while ((await this.command("squeue", "--noheader")).stdout !== "") await sleep(200);
  }

  /** Ends the daemons, those that need others first. */
  async end(): Promise<void> {
    for (const daemon of this.#daemons.reverse()) {
      if (daemon.pid === undefined || daemon.exitCode !== null || daemon.signalCode !== null) continue;
      const ended = new Promise((resolve) => daemon.once("exit", resolve));
      daemon.kill("SIGTERM");
      await ended;
    }
  }

  #start(program: string, args: readonly string[]): void {
    const daemon = spawn(program, args, { stdio: "ignore", env: { ...process.env, ...this.#env } });
    daemon.once("error", () => {});
    this.#daemons.push(daemon);
  }
}
