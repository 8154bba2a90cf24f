import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { temporaryFolder, temporaryFolderPerTest } from "../../../test/temporary-folder.js";
import { codeVersion } from "../src/sweeps/code-version.js";
import { checkDefinition } from "../src/sweeps/definition.js";
import { leftRunLines } from "../src/sweeps/left-runs.js";
import { makeRun } from "../src/sweeps/make-run.js";
import { SweepFolder } from "../src/sweeps/sweep-folder.js";
import { type PlannedRun, planSweep, type SweepPlan } from "../src/sweeps/sweep-plan.js";
import { softrl } from "./command.js";

const source = temporaryFolder("finished");
const place = temporaryFolderPerTest("replaced");
const at = (...names: string[]) => join(place, ...names);
const never = new AbortController().signal;
/** A run folder with its result, and one without. */
const whole = join(source, "whole");
const begun = join(source, "begun");
const copy = (from: string, ...to: string[]) => cpSync(from, at(...to), { recursive: true });
/** The result holds the speed of the run: a run that was made again has another one. */
const result = (folder: string) => readFileSync(join(folder, "result.json"), "utf8");

let plan: SweepPlan;
let run: PlannedRun;
beforeAll(async () => {
  const definition = checkDefinition(join(source, "runs.json"), {
    options: { steps: 400 },
    variants: [{ name: "A2C", algorithm: "a2c" }],
    environments: ["CartPole-v1"],
    seeds: [1],
  });
  plan = await planSweep(definition, codeVersion());
  [run] = plan.runs;
  const trained = await softrl(["train", ...run.args, `--run-folder=${whole}`, "--no-chart"], source);
  expect(trained.code).toBe(0);
  cpSync(whole, begun, { recursive: true });
  rmSync(join(begun, "result.json"));
});

const make = () =>
  makeRun(run, {
    folder: at("run"),
    isSuspected: false,
    shared: ["--no-chart"],
    onProgress: () => {},
    stop: never,
  });

describe("a run that was made anew is taken where a kill stopped its folder from replacing the earlier one", () => {
  test.each([
    ["before the first rename", () => [copy(begun, "run"), copy(whole, "run", "anew")]],
    ["between the renames", () => [copy(begun, "run.earlier"), copy(whole, "run.earlier", "anew")]],
    ["after the second rename", () => [copy(whole, "run"), copy(begun, "run.earlier")]],
    [
      "while the earlier one was removed",
      () => [copy(whole, "run"), mkdirSync(at("run.earlier", "replay"), { recursive: true })],
    ],
  ])("%s", async (_, leave) => {
    leave();
    expect((await make()).end).toBe("finished");
    expect(result(at("run"))).toBe(result(whole));
    expect(readdirSync(place)).toEqual(["run"]);
    expect(existsSync(at("run", "anew"))).toBe(false);
  });

  test("between the renames, by a version that then began the run again", async () => {
    copy(begun, "run");
    copy(begun, "run.earlier");
    copy(whole, "run.earlier", "anew");
    expect((await make()).end).toBe("finished");
    expect(readdirSync(place)).toEqual(["run"]);
  });
});

test("what was left of an earlier run folder is removed once the sweep has the result", async () => {
  for (const keepRuns of [false, true]) {
    const options = { plan, fresh: false, keepRuns, charts: false, runFolder: () => at("run") };
    const folder = new SweepFolder(at(`out-${keepRuns}`), options);
    copy(whole, "run");
    expect((await folder.attempt(run, 1, () => {}, never)).end).toBe("finished");
    copy(begun, "run.earlier");
    if (keepRuns) renameSync(at("run"), at("run.earlier", "anew"));
    folder.tidy();
    expect(existsSync(at("run", "result.json"))).toBe(keepRuns);
    expect(existsSync(at("run.earlier"))).toBe(false);
  }
});

test("an earlier run folder that no definition continues is named with what removes it", () => {
  copy(begun, "runs", "0123456789abcdef.earlier");
  copy(begun, "runs", `${run.key}.earlier`);
  const lines = leftRunLines(place, at("runs"), plan);
  expect(lines).toHaveLength(2);
  expect(lines[1]).toBe(`  a2c, CartPole-v1, seed 1: rm -r ${at("runs", "0123456789abcdef.earlier")}`);
});

test("softrl train --seeds goes on where a kill left an earlier run folder", async () => {
  const command = ["train", ...["--steps", "400", "--seeds", "1", "--run-folder", "seeds", "--no-chart"]];
  expect((await softrl(command, place)).code).toBe(0);
  const before = result(at("seeds", "seed-1"));
  renameSync(at("seeds", "seed-1"), at("anew"));
  copy(begun, "seeds", "seed-1.earlier");
  renameSync(at("anew"), at("seeds", "seed-1.earlier", "anew"));
  rmSync(at("seeds", "results.csv"));
  expect(await softrl(command, place)).toMatchObject({
    code: 0,
    stderr: expect.not.stringContaining("failed"),
  });
  expect(result(at("seeds", "seed-1"))).toBe(before);
  expect(existsSync(at("seeds", "seed-1.earlier"))).toBe(false);
});
