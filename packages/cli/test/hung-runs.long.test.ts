import { readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeEach, expect, test } from "vitest";
import { temporaryFolderPerTest } from "../../../test/temporary-folder.js";
import { eventually, softrlAlone, startSoftrl, wholeLines } from "./command.js";
import { writeDefinition } from "./write-definition.js";

const packages = fileURLToPath(new URL("../../../node_modules", import.meta.url));
const corridor = fileURLToPath(new URL("fixtures/corridor.js", import.meta.url));
const place = temporaryFolderPerTest("hung");
const at = (...names: string[]) => join(place, ...names);
const env = { SOFTRL_SECONDS_TO_STOP: "1" };

/** A sweep whose one run writes its process's number and then never returns from a step. */
beforeEach(() => {
  symlinkSync(packages, at("node_modules"), "junction");
  writeFileSync(
    at("mine.mjs"),
    `import { writeFileSync } from "node:fs";
import corridor from ${JSON.stringify(corridor)};
export default { ...corridor, id: "Mine-v0", make(...parts) {
  const made = corridor.make(...parts);
  made.step = () => {
    writeFileSync(${JSON.stringify(at("pid"))}, process.pid + "\\n");
    for (;;) {}
  };
  return made;
} };`,
  );
  writeDefinition(place, { environments: ["./mine.mjs"], seeds: [1] });
});

async function hungSweep() {
  const sweep = startSoftrl(["sweep", "."], place, { env });
  await eventually(() => wholeLines(at("pid")).length === 1 || sweep.child.exitCode !== null);
  return { ...sweep, pid: Number(readFileSync(at("pid"), "utf8")) };
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

test("a run that hangs does not outlive a sweep that is killed", async () => {
  const { child, pid } = await hungSweep();
  expect(isRunning(pid)).toBe(true);
  child.kill("SIGKILL");
  await eventually(() => !isRunning(pid));
});

test.skipIf(process.platform === "win32")(
  "a run that hangs is killed some time after Ctrl-C, and the sweep ends",
  async () => {
    const { child, finished, pid } = await hungSweep();
    child.kill("SIGTERM");
    expect((await finished).code).toBe(130);
    expect(isRunning(pid)).toBe(false);
  },
);

test("the thread that watches for the end of a sweep changes no byte of its results", async () => {
  writeDefinition(place, { seeds: [1] });
  const sweep = await softrlAlone(["sweep", ".", "--keep-runs", "--json"], place, { env });
  expect(sweep.code).toBe(0);
  const [, row] = wholeLines(at("results.csv"));
  const key = row.split(",").at(-1) ?? "";
  const { options } = JSON.parse(readFileSync(at("runs.json"), "utf8"));
  const args = Object.entries(options).map(([name, value]) => `--${name}=${value}`);
  await softrlAlone(
    ["train", "--algorithm=a2c", "--env=CartPole-v1", "--seed=1", ...args, "--run-folder=alone"],
    place,
  );
  const checkpoint = (...names: string[]) => readFileSync(at(...names, "checkpoint.safetensors"));
  expect(checkpoint("runs", key).equals(checkpoint("alone"))).toBe(true);
});
