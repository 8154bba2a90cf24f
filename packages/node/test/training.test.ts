import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { beforeAll, describe, expect, test } from "vitest";

interface Outcome {
  readonly result?: { readonly steps: number; readonly episodes: number; readonly reproducible?: boolean };
  readonly policy?: boolean;
  /** Whether θ has changed. */
  readonly moved?: boolean;
  readonly error?: { readonly name: string; readonly code: string; readonly message: string };
  readonly step?: number;
}

let outcomes: Readonly<Record<string, Outcome>>;
let alive: number;
beforeAll(async () => {
  const script = fileURLToPath(new URL("train-with-threads.js", import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [script]);
  ({ outcomes, alive } = JSON.parse(stdout));
});

describe("two worker threads", () => {
  test("train to the last step", () => {
    const { result, policy } = outcomes.whole;
    expect(result).toMatchObject({ steps: 3000, reproducible: false });
    expect(result?.episodes).toBeGreaterThan(20);
    expect(policy).toBe(true);
  });

  test("are refused an environment that they cannot make", () => {
    expect(outcomes.unknown.error?.message).toMatch(
      /^a3c: worker [12] of 2: environment: a worker cannot make the environment Fragile-v0, .*pass its module/,
    );
  });

  test("are refused an environment with a built-in id that makeEnvironment has not made", () => {
    expect(outcomes.sameId.error?.message).toMatch(
      /worker [12] of 2: environment: a worker cannot make the environment CartPole-v1, .*makeEnvironment/,
    );
  });

  test("are refused an optimiser of the user's with the name of a built-in one", () => {
    expect(outcomes.sameName.error?.message).toMatch(
      /worker [12] of 2: optimiser: a worker cannot make the optimiser sgd, .*got no module; pass its module/,
    );
  });

  test("take an optimiser from its module, also with the name of a built-in one", () => {
    expect(outcomes.sameNameOfModule).toMatchObject({ result: { steps: 3000 }, moved: false });
  });

  test("take the built-in optimiser where the run has it, whatever a module exports", () => {
    expect(outcomes.unusedModule).toMatchObject({ result: { steps: 3000 }, moved: true });
  });

  test.each([
    ["throw", /worker [12] of 2: failed: the joystick is broken;/],
    ["reject", /worker [12] of 2: the worker has ended: a stray promise;/],
    ["exit", /worker [12] of 2: the worker has ended: it ended with code 7;/],
    ["hang", /worker [12] of 2: the worker has made no step for 1 seconds;/],
  ])("one that is lost ends the run with one error: %s", (how, message) => {
    const { error, step } = outcomes[how];
    expect(error).toMatchObject({ name: "SoftrlError", code: "worker-lost" });
    expect(error?.message).toMatch(message);
    expect(error?.message).toMatch(/^a3c: .*; continue from the last checkpoint with softrl resume\.$/);
    expect(step).toBeLessThan(3000);
  });

  test("leave no thread behind", () => {
    expect(alive).toBe(0);
  });
});

test("threads that are left open do not keep a process alive", async () => {
  const script = fileURLToPath(new URL("end-with-threads.js", import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [script], { timeout: 120_000 });
  expect(JSON.parse(stdout)).toEqual({ started: 1 });
}, 150_000);
