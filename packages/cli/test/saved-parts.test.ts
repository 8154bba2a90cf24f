import { copyFileSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { temporaryFolder } from "../../../test/temporary-folder.js";
import { expectRefusal, softrl } from "./command.js";

const fixtures = fileURLToPath(new URL("fixtures", import.meta.url));
const packages = fileURLToPath(new URL("../../../node_modules", import.meta.url));

const place = temporaryFolder("saved");
beforeAll(async () => {
  symlinkSync(packages, join(place, "node_modules"), "junction");
  writeFileSync(join(place, "package.json"), '{"type": "module"}');
  mkdirSync(join(place, "moved"));
  for (const name of ["reinforce.js", "moved/reinforce.js"]) {
    copyFileSync(join(fixtures, "reinforce.js"), join(place, name));
  }
  expect((await command("train", "--steps", "400", "-o", "plain")).code).toBe(0);
  expect((await command("train", "-a", "./reinforce.js", "--steps", "400", "-o", "own")).code).toBe(0);
});

const env = { SOFTRL_EXECUTOR: "wasm" };
const command = (...args: string[]) => softrl(args, place, { env });

describe("a part that an option names for a saved run", () => {
  test.each([
    ["evaluate", "--env", "MinAtar/Breakout-v1", "CartPole-v1"],
    ["evaluate", "--algorithm", "soft-q", "a2c"],
    ["record", "--network", "nature-cnn", "mlp"],
    ["resume", "--optimiser", "rmsprop", "adam"],
    ["resume", "--env", "MinAtar/Breakout-v1", "CartPole-v1"],
    ["resume", "--algorithm", "./reinforce.js", "a2c"],
  ])("%s refuses %s %s", async (name, option, part, own) => {
    const message = new RegExp(
      `^softrl: ${option}: ${option} only names the moved file of the run's own .*, expected ${own}, got "${part}"`,
    );
    expectRefusal(await command(name, "plain", option, part), 1, message);
  });

  test("may be the one that the run has", async () => {
    const run = await command("evaluate", "plain", "--env", "CartPole-v1", "--episodes", "1", "--json");
    expect([run.code, run.stderr]).toEqual([0, ""]);
  });
});

describe("config.json of a run to resume", () => {
  const path = () => join(place, "own", "config.json");

  test("may name other files than the checkpoint, and then names those of the run", async () => {
    const before = readFileSync(path(), "utf8");
    const moved = await command("resume", "own", "-a", "./moved/reinforce.js", "--steps", "800");
    expect([moved.code, moved.stderr]).toEqual([0, ""]);
    const after = readFileSync(path(), "utf8");
    expect(JSON.parse(after).algorithm.module).toBe(join(place, "moved", "reinforce.js"));
    // As a kill leaves it that comes after the checkpoint was written.
    writeFileSync(path(), before);
    const resumed = await command("resume", "own", "--steps", "1200");
    expect([resumed.code, resumed.stderr]).toEqual([0, ""]);
    expect(readFileSync(path(), "utf8")).toBe(after);
  });

  test("is refused in one line where it is a folder", async () => {
    rmSync(path());
    mkdirSync(path());
    expectRefusal(
      await command("resume", "own", "--steps", "1600"),
      1,
      /own\/config\.json: not a regular file, got a folder/,
    );
  });
});
