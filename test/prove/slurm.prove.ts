import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { inTemporaryFolder, processesWith, run } from "./command.js";
import { SlurmCluster, whyNoSlurm } from "./slurm-cluster.js";

// Long enough for a run to have a checkpoint long before its end.
const definition = {
  options: { steps: 12_000_000, "checkpoint-every": 60_000 },
  variants: [{ name: "A2C", algorithm: "a2c" }],
  environments: ["CartPole-v1"],
  seeds: [1, 2, 3],
};

function define(folder: string): void {
  mkdirSync(folder);
  writeFileSync(join(folder, "runs.json"), JSON.stringify(definition));
}

const runsOf = (folder: string): readonly string[] => {
  const runs = join(folder, "runs");
  return existsSync(runs) ? readdirSync(runs).map((key) => join(runs, key)) : [];
};

const hasCheckpoint = (folder: string) => existsSync(join(folder, "checkpoint.safetensors"));

const isWhole = (folder: string): boolean => {
  const path = join(folder, "result.json");
  return existsSync(path) && !JSON.parse(readFileSync(path, "utf8")).interrupted;
};

/** Kills the process that trains in a run folder, and returns whether there was one. */
function killTraining(folder: string): boolean {
  for (const pid of processesWith(folder)) {
    try {
      process.kill(Number(pid), "SIGKILL");
      return true;
    } catch {
      // It has just ended.
    }
  }
  return false;
}

if (whyNoSlurm !== null) console.warn(`the proof of Slurm is skipped: ${whyNoSlurm}`);

describe.runIf(whyNoSlurm === null)("softrl sweep --slurm", () => {
  it("trains an array that is asked to stop, killed and submitted again as one undisturbed sweep", async () => {
    await inTemporaryFolder(async (place) => {
      const at = (...names: string[]) => join(place, ...names);
      for (const name of ["whole", "array"]) define(at(name));
      mkdirSync(at("slurm"));
      expect((await run(["sweep", at("whole"), "--jobs", "2"])).code).toBe(0);

      const cluster = await SlurmCluster.start(at("slurm"));
      try {
        expect((await run(["sweep", at("array"), "--slurm", at("array.sh")])).code).toBe(0);
        const job = await cluster.submit(at("array.sh"));
        while (runsOf(at("array")).filter(hasCheckpoint).length < 2) await sleep(20);
        // As Slurm does before a time limit: the signal of `#SBATCH --signal=B:TERM`.
        await cluster.command("scancel", "--batch", "--signal=TERM", `${job}_0`);
        while (!runsOf(at("array")).some((folder) => !isWhole(folder) && killTraining(folder)))
          await sleep(20);
        await cluster.drained();
        const stopped = runsOf(at("array")).filter((folder) => !isWhole(folder));
        expect(stopped.length).toBeGreaterThan(0);

        await cluster.submit(at("array.sh"));
        await cluster.drained();
        expect(runsOf(at("array")).map(isWhole)).toEqual([true, true, true]);

        expect((await run(["sweep", at("array")])).code).toBe(0);
        for (const name of ["results.csv", "curves.csv"])
          expect(readFileSync(at("array", name), "utf8"), name).toBe(readFileSync(at("whole", name), "utf8"));
      } finally {
        await cluster.end();
      }
    });
  });
});
