import { spawn } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { RandomStreams } from "softrl";
import { describe, expect, it } from "vitest";
import { inTemporaryFolder, processesWith } from "./command.js";

const softrl = fileURLToPath(new URL("../../packages/cli/bin/softrl.js", import.meta.url));
const KILLS = 20;

// 60 runs of about half a second each, most of it the start of a process.
const definition = {
  options: { steps: 12_000, "checkpoint-every": 2000 },
  variants: [
    { name: "A2C", algorithm: "a2c" },
    { name: "soft Q-learning", algorithm: "soft-q" },
    { name: "A2C, naive bonus", algorithm: "a2c", options: { "entropy-bonus": "naive" } },
  ],
  environments: ["CartPole-v1", "FrozenLake-v1"],
  seeds: "1..10",
};

interface Sweep {
  readonly pid: number;
  /** The exit code; null where it was killed. */
  readonly ended: Promise<number | null>;
}

function startSweep(folder: string): Sweep {
  const args = [softrl, "sweep", folder, "--jobs", "2", "--json"];
  const child = spawn(process.execPath, args, { stdio: "ignore" });
  const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
  return { pid: child.pid ?? 0, ended };
}

function define(folder: string): void {
  mkdirSync(folder);
  writeFileSync(join(folder, "runs.json"), JSON.stringify(definition));
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has just ended.
  }
}

/** The processes with a run in a folder. */
const processesOf = (folder: string) => processesWith(`${folder}/runs/`);

describe.runIf(process.platform === "linux")("softrl sweep, killed", () => {
  it(`60 runs whose workers and sweeps are killed ${KILLS} times end as if undisturbed`, async () => {
    await inTemporaryFolder(async (place) => {
      const [whole, killed] = [join(place, "whole"), join(place, "killed")];
      define(whole);
      define(killed);
      const began = performance.now();
      expect(await startSweep(whole).ended).toBe(0);
      // Two at a time: kills come within the milliseconds that a run takes on this machine now.
      const perRun = (performance.now() - began) / 30;

      const random = new RandomStreams(16).stream("kills");
      const kills = { sweep: 0, worker: 0 };
      let sweep: Sweep | null = null;
      while (kills.sweep + kills.worker < KILLS) {
        sweep ??= startSweep(killed);
        const running: Sweep = sweep;
        let isOver = false;
        const ended = running.ended.then(() => {
          isOver = true;
          return true;
        });
        const begun = async () => {
          while (!isOver && processesOf(killed).length === 0) await sleep(20);
          await sleep(random.uniform(0, perRun));
          return false;
        };
        if (await Promise.race([ended, begun()])) {
          // A run whose worker was killed twice has failed; else the kills came too late.
          sweep = null;
          expect(await running.ended).toBe(1);
          continue;
        }
        const workers = processesOf(killed).map(Number);
        if (workers.length === 0 || random.integer(2) === 0) {
          kills.sweep++;
          kill(running.pid);
          sweep = null;
        } else {
          kills.worker++;
          kill(workers[random.integer(workers.length)]);
        }
      }
      console.log(`killed ${kills.sweep} sweeps and ${kills.worker} workers`);
      expect(Math.min(kills.sweep, kills.worker)).toBeGreaterThan(3);
      if (sweep !== null) await (sweep as Sweep).ended;
      const last = [startSweep(killed), startSweep(killed)];
      expect(await Promise.all(last.map(({ ended }) => ended))).toEqual([0, 0]);

      for (const name of ["results.csv", "curves.csv"]) {
        expect(readFileSync(join(killed, name), "utf8"), name).toBe(readFileSync(join(whole, name), "utf8"));
      }
      const rows = readFileSync(join(killed, "results.csv"), "utf8").trimEnd().split("\n").slice(1);
      const runs = rows.map((row) => row.replace(/((?:"[^"]*"|[^,]*),[^,]*,[^,]*).*/, "$1"));
      expect(new Set(runs).size).toBe(60);
      expect(rows).toHaveLength(60);
      expect(readdirSync(killed).sort()).toEqual(readdirSync(whole).sort());
      expect(processesOf(killed)).toEqual([]);
    });
  });
});
