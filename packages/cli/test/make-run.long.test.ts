import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { temporaryFolderPerTest } from "../../../test/temporary-folder.js";
import { codeVersion } from "../src/sweeps/code-version.js";
import { checkDefinition } from "../src/sweeps/definition.js";
import { type MadeRun, RunMaker } from "../src/sweeps/make-run.js";
import { type PlannedRun, planSweep } from "../src/sweeps/sweep-plan.js";
import { eventsOf } from "./command.js";

const place = temporaryFolderPerTest("make-run");
const at = (...names: string[]) => join(place, ...names);
const never = new AbortController().signal;

/** A run whose environment does what the file `trouble` says once it has made some steps. */
async function plannedRun(version = codeVersion()): Promise<PlannedRun> {
  const corridor = fileURLToPath(new URL("fixtures/corridor.js", import.meta.url));
  const trouble = JSON.stringify(at("trouble"));
  writeFileSync(
    at("mine.mjs"),
    `import { existsSync, readFileSync } from "node:fs";
import corridor from ${JSON.stringify(corridor)};
const trouble = existsSync(${trouble}) ? readFileSync(${trouble}, "utf8") : "";
export default { ...corridor, id: "Mine-v0", make(...parts) {
  const made = corridor.make(...parts);
  const { step, restore } = made;
  let isRestored = false;
  made.restore = function (...snapshot) {
    isRestored = true;
    return restore.apply(this, snapshot);
  };
  let steps = 0;
  made.step = function (...actions) {
    if (++steps > 25_000 && trouble === "slow") Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    // Longer than the 0.1 s after which a run first tells its progress.
    if (steps === 1000 && trouble !== "slow") Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
    if (steps > 12_000 && trouble === "kill") process.kill(process.pid, "SIGKILL");
    if (steps > 12_000 && (trouble === "throw" || (trouble === "restored" && isRestored))) throw new Error("the corridor is closed");
    return step.apply(this, actions);
  };
  return made;
} };`,
  );
  const definition = checkDefinition(at("runs.json"), {
    options: { steps: 60_000, "checkpoint-every": 25_000, envs: 1 },
    variants: [{ name: "A2C", algorithm: "a2c" }],
    environments: ["./mine.mjs"],
    seeds: [1],
  });
  return (await planSweep(definition, version)).runs[0];
}

interface Try {
  readonly made: MadeRun;
  readonly lowestStep: number;
}

/**
 * Trains a run up to its first checkpoint, and at most some hundred steps on; returns what tries it again, a second time
 * where `number` is 2.
 */
async function begunRun() {
  const run = await plannedRun();
  const folder = at("run");
  const maker = new RunMaker();
  const checkpoint = join(folder, "checkpoint.safetensors");
  const attempt = async (number: number, trouble: string, stop = never): Promise<Try> => {
    writeFileSync(at("trouble"), trouble);
    let lowestStep = Number.POSITIVE_INFINITY;
    const onProgress = ({ step }: { readonly step: number }) => {
      lowestStep = Math.min(lowestStep, step);
    };
    const made = await maker.make(run, number, { folder, shared: ["--no-chart"], onProgress, stop });
    return { made, lowestStep };
  };
  const controller = new AbortController();
  const begun = setInterval(() => existsSync(checkpoint) && controller.abort(), 1);
  expect((await attempt(1, "slow", controller.signal)).made).toEqual({ end: "interrupted" });
  clearInterval(begun);
  return { folder, attempt, checkpoint: () => readFileSync(checkpoint) };
}

test("a run whose process was killed goes on from its checkpoint", async () => {
  const { attempt, checkpoint } = await begunRun();
  const before = checkpoint();
  const killed = await attempt(1, "kill");
  expect(killed.made).toMatchObject({
    end: "failed",
    error: "the process was ended by SIGKILL",
    retry: true,
  });
  expect(checkpoint().equals(before)).toBe(true);
  const second = await attempt(2, "");
  expect(second.lowestStep).toBeGreaterThan(25_000);
  expect(second.made.end).toBe("finished");
});

const closed = { end: "failed", error: expect.stringMatching(/the corridor is closed/) };

test("a run that fails once by its own error goes on from its checkpoint", async () => {
  const { attempt } = await begunRun();
  expect((await attempt(1, "throw")).made).toMatchObject(closed);
  const second = await attempt(2, "");
  expect(second.lowestStep).toBeGreaterThan(25_000);
  expect(second.made.end).toBe("finished");
});

test("a run that fails twice from its checkpoint is made anew, and keeps the checkpoint until it has its result", async () => {
  const { folder, attempt, checkpoint } = await begunRun();
  const before = checkpoint();
  expect((await attempt(1, "throw")).made).toMatchObject(closed);
  const second = await attempt(2, "throw");
  expect(second.made).toMatchObject(closed);
  expect(second.lowestStep).toBeLessThan(20_000);
  expect(checkpoint().equals(before)).toBe(true);

  const third = await attempt(2, "restored");
  expect(third.lowestStep).toBeLessThan(20_000);
  expect(third.made.end).toBe("finished");
  expect(eventsOf(folder).map(({ event }) => event)).not.toContain("resumed");
  expect(existsSync(join(folder, "anew"))).toBe(false);
  expect(existsSync(`${folder}.earlier`)).toBe(false);
});

test("a run that other code trained than that of the sweep has no result", async () => {
  const run = await plannedRun("0.0.9");
  const options = { folder: at("run"), shared: ["--no-chart"], onProgress: () => {}, stop: never };
  const failed = {
    end: "failed",
    error: expect.stringMatching(
      /run: the run was begun by another version of the code, expected 0\.0\.9, got /,
    ),
    retry: false,
  };
  expect(await new RunMaker().make(run, 1, options)).toMatchObject(failed);
  // Nor when its folder has it already.
  expect(await new RunMaker().make(run, 1, options)).toMatchObject(failed);
});
