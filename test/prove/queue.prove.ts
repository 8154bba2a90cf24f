import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { RandomStreams } from "softrl";
import { describe, expect, it } from "vitest";
import { RedisServer, whyNoRedis } from "../redis-server.js";
import { inTemporaryFolder, processesWith, run } from "./command.js";

const softrl = fileURLToPath(new URL("../../packages/cli/bin/softrl.js", import.meta.url));
const WORKERS = 4;
const RUNS = 200;
const kinds = { worker: 18, redis: 6, submitter: 6 };

// Most of a run is the start of its process.
const definition = {
  options: { steps: 400, "checkpoint-every": 200 },
  variants: [
    { name: "A2C", algorithm: "a2c" },
    { name: "soft Q-learning", algorithm: "soft-q" },
  ],
  environments: ["CartPole-v1", "FrozenLake-v1"],
  seeds: "1..50",
};

interface Started {
  readonly child: ChildProcess;
  /** The exit code; null where it was killed. */
  readonly ended: Promise<number | null>;
}

function start(args: readonly string[], cwd: string): Started {
  const env = { ...process.env, SOFTRL_QUEUE_PATIENCE: "2" };
  const child = spawn(process.execPath, [softrl, ...args], { stdio: "ignore", cwd, env });
  return { child, ended: new Promise((resolve) => child.once("exit", resolve)) };
}

function define(folder: string): void {
  mkdirSync(folder);
  writeFileSync(join(folder, "runs.json"), JSON.stringify(definition));
}

const rowsOf = (folder: string): readonly string[] => {
  const path = join(folder, "results.csv");
  return existsSync(path) ? readFileSync(path, "utf8").trimEnd().split("\n").slice(1) : [];
};

/** The processes of the command with a path below a folder among their arguments. */
const processesOf = (folder: string) => processesWith(folder);

if (whyNoRedis !== null) console.warn(`the proof of queues is skipped: ${whyNoRedis}`);

describe.runIf(process.platform === "linux" && whyNoRedis === null)("softrl sweep --queue, killed", () => {
  it(`${RUNS} runs of ${WORKERS} workers end as if undisturbed after 30 kills`, async () => {
    await inTemporaryFolder(async (place) => {
      const at = (...names: string[]) => join(place, ...names);
      for (const name of ["whole", "queued"]) define(at(name));
      mkdirSync(at("redis"));
      const began = performance.now();
      expect((await run(["sweep", at("whole"), "--jobs", "2"])).code).toBe(0);
      const secondsWhole = (performance.now() - began) / 1000;

      const redis = await RedisServer.start(at("redis"));
      const startWorker = () => start(["work", redis.url, "--jobs", "1", "--runs", at("runs")], place);
      const submit = () => start(["sweep", at("queued"), "--queue", redis.url], place);
      const workers = Array.from({ length: WORKERS }, startWorker);
      let submitter = submit();
      const random = new RandomStreams(16).stream("kills");
      const kills = Object.entries(kinds).flatMap(([kind, count]) => Array<string>(count).fill(kind));
      for (let i = kills.length - 1; i > 0; i--) {
        const j = random.integer(i + 1);
        [kills[i], kills[j]] = [kills[j], kills[i]];
      }
      let wasEarly = true;
      try {
        for (const [i, kind] of kills.entries()) {
          // Kills come all the time that runs are made, each some moments after a result.
          const results = Math.floor((i * (RUNS - 20)) / kills.length);
          while (rowsOf(at("queued")).length < results && submitter.child.exitCode === null) await sleep(20);
          await sleep(random.uniform(0, 300));
          wasEarly &&= rowsOf(at("queued")).length < RUNS;
          if (kind === "redis") {
            await redis.kill();
            await sleep(random.uniform(0, 500));
            await redis.start();
          } else if (kind === "submitter") {
            submitter.child.kill("SIGKILL");
            await submitter.ended;
            submitter = submit();
          } else {
            const which = random.integer(WORKERS);
            workers[which].child.kill("SIGKILL");
            await workers[which].ended;
            workers[which] = startWorker();
          }
        }
        expect(await submitter.ended).toBe(0);
        expect(wasEarly).toBe(true);
        const seconds = (performance.now() - began) / 1000 - secondsWhole;
        console.log(`${secondsWhole.toFixed(0)} s undisturbed here, ${seconds.toFixed(0)} s with kills`);
        for (const name of ["results.csv", "curves.csv"]) {
          const [own, whole] = ["queued", "whole"].map((folder) => readFileSync(at(folder, name), "utf8"));
          expect(own, name).toBe(whole);
        }
        const rows = rowsOf(at("queued")).map((row) =>
          row.replace(/((?:"[^"]*"|[^,]*),[^,]*,[^,]*).*/, "$1"),
        );
        expect(new Set(rows).size).toBe(RUNS);
        expect(rows).toHaveLength(RUNS);
        for (const { child } of workers) child.kill("SIGINT");
        expect(await Promise.all(workers.map(({ ended }) => ended))).toEqual(Array(WORKERS).fill(130));
        // Folders of runs that a killed worker had returned, but not removed.
        const left = existsSync(at("runs")) ? readdirSync(at("runs")) : [];
        expect(left.length).toBeLessThanOrEqual(kinds.worker);
        expect(processesOf(at("runs"))).toEqual([]);
      } finally {
        for (const { child } of [...workers, submitter]) child.kill("SIGKILL");
        await redis.kill();
      }
    });
  });
});
