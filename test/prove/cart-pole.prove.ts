import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { inTemporaryFolder, run } from "./command.js";

interface Result {
  readonly meanReturn: number;
  readonly episodes: number;
  readonly steps: number;
  readonly stepsPerSecond: number;
}

async function train(algorithm: string, seed: number, runFolder: string): Promise<Result> {
  const args = [
    "--algorithm",
    algorithm,
    "--env",
    "CartPole-v1",
    "--seed",
    String(seed),
    "--steps",
    "500000",
  ];
  const { code, stderr, json } = await run(["train", ...args, "--run-folder", runFolder, "--json"]);
  expect(code, stderr).toBe(0);
  return json() as Result;
}

describe.each(["a2c", "soft-q", "npg"])("%s on CartPole-v1, 500,000 steps", (algorithm) => {
  it.each([1, 2, 3, 4, 5])(
    "seed %i: a mean return of at least 475 over the last 100 episodes",
    async (seed) => {
      await inTemporaryFolder(async (folder) => {
        const result = await train(algorithm, seed, join(folder, "run"));
        console.log(`${algorithm} seed ${seed}: ${JSON.stringify(result)}`);
        expect(result.steps).toBe(500_000);
        expect(result.meanReturn).toBeGreaterThanOrEqual(475);
      });
    },
  );

  it("the same seed gives the same checkpoint bytes twice, another seed others", async () => {
    await inTemporaryFolder(async (folder) => {
      const checkpoint = async (name: string, seed: number) => {
        await train(algorithm, seed, join(folder, name));
        return readFileSync(join(folder, name, "checkpoint.safetensors"));
      };
      const first = await checkpoint("first", 6);
      expect((await checkpoint("second", 6)).equals(first)).toBe(true);
      expect((await checkpoint("other", 7)).equals(first)).toBe(false);
    });
  });
});
