import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { inTemporaryFolder, run, runProgram } from "./command.js";

interface Result {
  readonly meanReturn: number;
  readonly episodes: number;
  readonly steps: number;
  readonly stepsPerSecond: number;
  readonly executor: string;
}

async function train(algorithm: string, seed: number, runFolder: string, executor: string): Promise<Result> {
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
  const { code, stderr, json } = await run(["train", ...args, "--run-folder", runFolder, "--json"], {
    env: { SOFTRL_EXECUTOR: executor },
  });
  expect(code, stderr).toBe(0);
  return json() as Result;
}

// The default executor (native if available), and WebAssembly, which works everywhere, for the two algorithms
// of the theorem.
const pairs = [
  ...["a2c", "soft-q", "npg"].map((algorithm) => ({ algorithm, executor: "" })),
  ...["a2c", "soft-q"].map((algorithm) => ({ algorithm, executor: "wasm" })),
];

describe.each(pairs)(
  "$algorithm on CartPole-v1, 500,000 steps, executor '$executor'",
  ({ algorithm, executor }) => {
    it.each([1, 2, 3, 4, 5])(
      "seed %i: a mean return of at least 475 over the last 100 episodes",
      async (seed) => {
        await inTemporaryFolder(async (folder) => {
          const result = await train(algorithm, seed, join(folder, "run"), executor);
          if (executor !== "") expect(result.executor).toBe(executor);
          console.log(`${algorithm} seed ${seed}: ${JSON.stringify(result)}`);
          expect(result.steps).toBe(500_000);
          expect(result.meanReturn).toBeGreaterThanOrEqual(475);
        });
      },
    );

    it("gives the same checkpoint bytes for the same seed, and others for another seed", async () => {
      await inTemporaryFolder(async (folder) => {
        const checkpoint = async (name: string, seed: number) => {
          await train(algorithm, seed, join(folder, name), executor);
          return readFileSync(join(folder, name, "checkpoint.safetensors"));
        };
        const first = await checkpoint("first", 6);
        expect((await checkpoint("second", 6)).equals(first)).toBe(true);
        expect((await checkpoint("other", 7)).equals(first)).toBe(false);
      });
    });
  },
);

// The settings were chosen on seeds 1 to 5 and 201 to 226; these seeds are new.
it.each([401, 402, 403, 404, 405])("npg, new seed %i: also at least 475", async (seed) => {
  await inTemporaryFolder(async (folder) => {
    const result = await train("npg", seed, join(folder, "run"), "");
    console.log(`npg seed ${seed}: ${JSON.stringify(result)}`);
    expect(result.meanReturn).toBeGreaterThanOrEqual(475);
  });
});

it("npm start shows both curves, the theorem and the chart in less than two minutes", async () => {
  await inTemporaryFolder(async (folder) => {
    const began = performance.now();
    const root = fileURLToPath(new URL("../..", import.meta.url));
    const args = ["start", "--silent", "--prefix", root, "--", "--run-folder", join(folder, "run")];
    const { code, stdout, stderr } = await runProgram("npm", args, { cwd: root });
    const seconds = (performance.now() - began) / 1000;
    console.log(`npm start: ${seconds.toFixed(1)} s`);
    expect(code, stderr).toBe(0);
    expect(stdout).toContain("● A2C   ○ soft Q-learning   ◉ both");
    expect(stdout).toContain("bound 1e-12: holds");
    const chart = /^chart: (.*)$/m.exec(stdout)?.[1] ?? "";
    expect(readFileSync(chart, "utf8")).toMatch(/^<svg /);
    expect(seconds).toBeLessThan(120);
  });
});
