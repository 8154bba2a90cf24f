import { existsSync, type PathLike, type RmOptions } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { temporaryFolderPerTest } from "../../../test/temporary-folder.js";
import { codeVersion } from "../src/sweeps/code-version.js";
import { checkDefinition } from "../src/sweeps/definition.js";
import { SweepFolder } from "../src/sweeps/sweep-folder.js";
import { planSweep } from "../src/sweeps/sweep-plan.js";
import { softrl } from "./command.js";

/** A folder that another program holds, as on Windows or on a network's disk. */
const busy = vi.hoisted(() => ({ path: "" }));

vi.mock("node:fs", async (importOriginal) => {
  const fs = await importOriginal<typeof import("node:fs")>();
  const rmSync = (path: PathLike, options?: RmOptions) => {
    if (path === busy.path) throw Object.assign(new Error(`EBUSY: ${path}`), { code: "EBUSY" });
    fs.rmSync(path, options);
  };
  return { ...fs, rmSync };
});

const place = temporaryFolderPerTest("sweep-folder");

test("a run folder that cannot be removed ends no sweep, and is removed later", async () => {
  const definition = checkDefinition(join(place, "runs.json"), {
    options: { steps: 400 },
    variants: [{ name: "A2C", algorithm: "a2c" }],
    environments: ["CartPole-v1"],
    seeds: [1],
  });
  const plan = await planSweep(definition, codeVersion());
  const [run] = plan.runs;
  const runFolder = () => join(place, "run");
  await softrl(["train", ...run.args, `--run-folder=${runFolder()}`, "--no-chart"], place);
  const options = { plan, fresh: false, keepRuns: false, charts: false, runFolder };
  const folder = new SweepFolder(join(place, "out"), options);
  busy.path = runFolder();
  const attempt = await folder.attempt(run, 1, () => {}, new AbortController().signal);
  expect(attempt.end).toBe("finished");
  expect(folder.isDone(run)).toBe(true);
  folder.tidy();
  expect(existsSync(runFolder())).toBe(true);
  busy.path = "";
  folder.tidy();
  expect(existsSync(runFolder())).toBe(false);
});
