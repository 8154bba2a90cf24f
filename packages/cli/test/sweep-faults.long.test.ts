import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, type TestContext, test } from "vitest";
import { temporaryFolderPerTest } from "../../../test/temporary-folder.js";
import { thisProcess } from "../src/runs/run-lock.js";
import { expectRefusal, softrl, softrlAlone } from "./command.js";
import { writeDefinition } from "./write-definition.js";

const packages = fileURLToPath(new URL("../../../node_modules", import.meta.url));
const corridor = fileURLToPath(new URL("fixtures/corridor.js", import.meta.url));
const place = temporaryFolderPerTest("faults");
const at = (...names: string[]) => join(place, ...names);
const command = (...args: string[]) => softrlAlone(args, place);

/** Puts a disk of few kilobytes in the place of a folder; skips the test where that is not possible. */
function mountSmallDisk({ skip }: TestContext, kilobytes: number): string {
  const disk = at("disk");
  mkdirSync(disk);
  const { status } = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${kilobytes}k`, "none", disk]);
  if (status !== 0) skip();
  return disk;
}

afterEach(() => {
  if (existsSync(at("disk"))) spawnSync("umount", [at("disk")]);
});

beforeEach(() => symlinkSync(packages, at("node_modules"), "junction"));

/** Writes an environment whose step does something first. */
function environment(step: string): string {
  writeFileSync(
    at("mine.mjs"),
    `import corridor from ${JSON.stringify(corridor)};
export default { ...corridor, id: "Mine-v0", make(...parts) {
  const made = corridor.make(...parts);
  const step = made.step;
  let steps = 0;
  made.step = function (...actions) {
    steps++;
    ${step}
    return step.apply(this, actions);
  };
  return made;
} };`,
  );
  return "./mine.mjs";
}

test("an error that an environment throws in a timer is reported in one line", async () => {
  const mine = environment('if (steps === 5) setTimeout(() => { throw new Error("later"); });');
  // Timers come when a run pauses, every 0.1 s.
  const options = { steps: 50_000_000 };
  writeDefinition(place, { options, environments: [mine], seeds: [1] });
  const sweep = await command("sweep", ".", "--json");
  const error = expect.stringMatching(/^\S*mine\.mjs:\d+: \w+ failed, got Error: later; fix the file/);
  expect(JSON.parse(sweep.stdout)).toMatchObject({ done: 0, failed: [{ error }] });
  const alone = await command("train", "--algorithm=a2c", `--env=${mine}`, "--steps=50000000");
  expect(alone.stderr).toMatch(/^softrl: \S*mine\.mjs:\d+: \w+ failed, got Error: later/m);
  expect(alone.stderr).not.toMatch(/^ {4}at /m);
  expect(alone.code).toBe(1);
});

test("a full disk that a run meets ends the sweep, and stops the other runs", async (context) => {
  const disk = mountSmallDisk(context, 96);
  writeDefinition(place, { options: { steps: 20_000 }, seeds: "1..4" });
  const sweep = await command("sweep", ".", "--out", disk, "--jobs", "2");
  expect(sweep.stderr.split("\n").filter((line) => line.startsWith("softrl: "))).toEqual([
    expect.stringMatching(
      /^softrl: \S+: (the run cannot go on, since its disk is full|.*ENOSPC).*free some space, then run the command again to go on; or choose .*another disk\.$/,
    ),
  ]);
  expect(sweep.code).toBe(1);
  expect(readdirSync(disk)).toContain("runs");
  expect(readdirSync(join(disk, "runs")).length).toBeLessThanOrEqual(2);
  const removed = spawnSync("mount", ["-o", "remount,size=8m", disk]);
  expect(removed.status).toBe(0);
  expect((await command("sweep", ".", "--out", disk)).code).toBe(0);
});

test("a path that no file can have is refused in one line", async () => {
  symlinkSync("loop", at("loop"));
  for (const name of ["sweep", "plot", "report", "csv", "tensorboard"]) {
    for (const path of ["loop", "a".repeat(320)]) {
      expectRefusal(
        await softrl([name, path], place),
        1,
        new RegExp(`^softrl: ${path.slice(0, 99)}.*: (there is no|the checkpoint could not be read)`),
      );
    }
  }
});

test("a file in the place of a sweep's folder is refused in one line", async () => {
  writeDefinition(place, { seeds: [1] });
  const isFile = /(EEXIST|ENOTDIR): .*; move the file that is in the place of a folder/;
  expectRefusal(await softrl(["sweep", ".", "--out", "runs.json"], place), 1, isFile);
  writeFileSync(at("runs"), "");
  expectRefusal(await softrl(["sweep", "."], place), 1, isFile);
  rmSync(at("runs"));
  writeFileSync(at(".sweep"), "");
  expectRefusal(await softrl(["sweep", "."], place), 1, isFile);
});

test("a file in the place of a run's folder fails that run alone", async () => {
  writeDefinition(place, { seeds: "1..2" });
  const first = await softrl(["sweep", ".", "--keep-runs"], place);
  expect(first.code).toBe(0);
  const [key] = readdirSync(at("runs"));
  rmSync(at("runs"), { recursive: true });
  for (const name of ["results", "curves", "times"]) rmSync(at(`${name}.csv`));
  mkdirSync(at("runs"));
  writeFileSync(at("runs", key), "");
  const sweep = await softrl(["sweep", ".", "--json"], place);
  const error = expect.stringMatching(
    /runs\/\w+: the run folder cannot be used, got ENOTDIR: .*; move the file/,
  );
  expect(JSON.parse(sweep.stdout)).toMatchObject({ done: 1, made: 1, failed: [{ error }] });
  expect(sweep.code).toBe(1);
});

test("a complete sweep on a disk that takes no lock does not tidy, and succeeds", async (context) => {
  const disk = mountSmallDisk(context, 4096);
  writeDefinition(place, { seeds: "1" });
  const args = ["sweep", ".", "--out", disk, "--keep-runs", "--json"];
  expect((await softrl(args, place)).code).toBe(0);
  const [key] = readdirSync(join(disk, "runs"));
  mkdirSync(join(disk, ".sweep", key), { recursive: true });
  mkdirSync(join(disk, "runs", "0123456789abcdef"));
  writeFileSync(join(disk, "runs", "0123456789abcdef", "config.json"), "{}");
  expect(spawnSync("mount", ["-o", "remount,ro", disk]).status).toBe(0);
  const sweep = await softrl(["sweep", ".", "--out", disk, "--json"], place);
  expect(sweep.stderr).toBe("");
  expect(sweep.code).toBe(0);
});

test("a lock that a killed sweep left beside complete tables is removed", async () => {
  writeDefinition(place, { seeds: [1] });
  expect((await softrl(["sweep", "."], place)).code).toBe(0);
  writeFileSync(at(".lock-1"), JSON.stringify({ ...thisProcess(), began: "1" }));
  expect((await softrl(["sweep", "."], place)).code).toBe(0);
  expect(existsSync(at(".lock-1"))).toBe(false);
});

test.skipIf(!existsSync("/dev/full"))("a sweep whose output is lost names its table", async () => {
  writeDefinition(place, { seeds: [1] });
  const sweep = await softrlAlone(["sweep", "."], place, { shell: 'exec "$@" > /dev/full' });
  expect(sweep.stderr).toMatch(/stdout: could not write the result, .*, or read \S*results\.csv\.$/m);
  expect(sweep.code).toBe(1);
});
