import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { run, runProgram } from "./command.js";

const child = fileURLToPath(new URL("garbage.js", import.meta.url));

interface Garbage {
  /** Bytes allocated in the measured steps; no collection may come in between. */
  readonly bytes: number;
  /** The lines of the trace for the measured steps. */
  readonly collections: readonly string[];
}

/** Trains on CartPole (or only steps the environment), and reads the trace of the garbage collector. */
async function garbage(
  executor: string,
  what: string,
  environments: number,
  horizon: number,
  steps: number,
): Promise<Garbage> {
  const flags = ["--expose-gc", "--trace-gc", "--min-semi-space-size=16"];
  const args = [executor, what, environments, horizon, steps].map(String);
  const { code, stdout, stderr } = await runProgram(process.execPath, [...flags, child, ...args]);
  expect(code, stderr).toBe(0);
  const { bytes }: { bytes: number } = JSON.parse(/^\{"bytes":.*\}$/m.exec(stdout)?.[0] ?? "");
  const trace = stdout.split("\n").filter((line) => / ms: (Scavenge|Mark-Compact)/.test(line));
  // The process requests one collection itself, right before the measured steps.
  const requested = trace.findLastIndex((line) => line.includes("Mark-Compact") && line.includes("testing"));
  expect(requested, stdout).toBeGreaterThanOrEqual(0);
  return { bytes, collections: trace.slice(requested + 1) };
}

/**
 * Bytes per step, over steps without a collection: the least of at most three processes, infinite if all had one. On a
 * busy machine the optimising compiler can come late, and interpreted code boxes numbers; what the code itself allocates
 * is in each.
 */
async function bytesPerStep(
  executor: string,
  what: string,
  environments: number,
  horizon: number,
  steps: number,
  bound: number,
): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let attempt = 0; attempt < 3 && least >= bound; attempt++) {
    const { bytes, collections } = await garbage(executor, what, environments, horizon, steps);
    const perStep = bytes / steps;
    console.log(
      `${executor} ${what}, ${environments} × ${horizon}: ${perStep.toFixed(2)} bytes per step, ` +
        `${collections.length} collections in ${steps} steps`,
    );
    if (collections.length === 0) least = Math.min(least, perStep);
  }
  return least;
}

const works = async (executor: string) => {
  const { json } = await run(["doctor", "--json"]);
  const { executors } = json() as { executors: { name: string; works: boolean }[] };
  return executors.some(({ name, works }) => name === executor && works);
};

// The remaining garbage: per iteration, the promises of its asynchronous interface and some boxed numbers;
// per episode, its event and the numbers that start the next one. None of it grows with the number of steps
// in an iteration, so with long iterations a step leaves almost nothing.
describe.each(["wasm", "native"])("the garbage of training on CartPole: %s", (executor) => {
  it.for(["a2c", "soft-q"])(
    "%s: less than 8 bytes per step in long iterations, less than 4,000 for an iteration of 40 steps",
    async (what, { skip }) => {
      if (!(await works(executor))) skip(`${executor} is not available`);
      expect(await bytesPerStep(executor, what, 8, 5, 100_000, 4000 / 40)).toBeLessThan(4000 / 40);
      expect(await bytesPerStep(executor, what, 64, 64, 1_000_000, 8)).toBeLessThan(8);
    },
  );
});

it("stepping CartPole alone leaves less than three bytes per step, all from new episodes", async () => {
  expect(await bytesPerStep("wasm", "stepping", 8, 1, 500_000, 3)).toBeLessThan(3);
});
