import { copyFileSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { temporaryFolder } from "../../../test/temporary-folder.js";
import { expectRefusal, softrl } from "./command.js";

// Devices of this name, which have no end, exist elsewhere than on Windows.
const posix = process.platform !== "win32";
const place = temporaryFolder("named-files");
const command = (...args: string[]) => softrl(args, place, { env: { SOFTRL_EXECUTOR: "wasm" } });

beforeAll(() => {
  for (const name of ["large.json", "large.js"]) {
    writeFileSync(join(place, name), "");
    truncateSync(join(place, name), 3 * 2 ** 30);
  }
});

describe("a file that the user names", () => {
  const short = ["train", "--steps", "20"];
  test.runIf(posix).each(["--algorithm", "--env", "--network", "--optimiser", "--config"])(
    "%s refuses a device, which it would read forever",
    async (option) => {
      const run = await command(...short, option, "/dev/zero");
      expectRefusal(run, 1, /\/dev\/zero: not a regular file, got a device; name a regular file/);
    },
  );

  test.each([
    ["--algorithm", "large.js", "64 MiB"],
    ["--config", "large.json", "16 MiB"],
  ])("%s refuses 3 GiB", async (option, name, most) => {
    const run = await command(...short, option, name);
    expectRefusal(
      run,
      1,
      new RegExp(`${name}: the file is too large, expected at most ${most}, got 3072 MiB`),
    );
  });
});

test("an event whose step is no number is no event of the run, and no fault of softrl's", async () => {
  expect(await command("train", "--steps", "400", "-o", "run")).toMatchObject({ code: 0 });
  const lines = readFileSync(join(place, "run", "events.jsonl"), "utf8").split("\n");
  const deep = `${"[".repeat(50_000)}${"]".repeat(50_000)}`;
  for (const [i, step] of ['"9"', "{}", deep].entries()) {
    const name = `changed-${i}`;
    mkdirSync(join(place, name));
    copyFileSync(join(place, "run", "checkpoint.safetensors"), join(place, name, "checkpoint.safetensors"));
    copyFileSync(join(place, "run", "config.json"), join(place, name, "config.json"));
    const changed = lines.map((line, l) => (l === 1 ? `{"event":"update","step":${step}}` : line));
    writeFileSync(join(place, name, "events.jsonl"), changed.join("\n"));
    for (const verb of ["report", "resume"]) {
      const run = await command(verb, name, ...(verb === "resume" ? ["--steps", "500"] : []));
      expectRefusal(run, 1, /events\.jsonl: line 2 is not an event of this run/);
    }
  }
});
