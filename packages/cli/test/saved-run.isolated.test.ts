import { join } from "node:path";
import { Writable } from "node:stream";
import { beforeEach, expect, test, vi } from "vitest";
import { temporaryFolder } from "../../../test/temporary-folder.js";
import { main } from "../src/main.js";
import { currentRun, openSavedRun } from "../src/runs/saved-run.js";

const decoded = vi.hoisted(() => ({ times: 0 }));
vi.mock("softrl", async (importOriginal) => {
  const softrl = await importOriginal<typeof import("softrl")>();
  const readRunSnapshot: typeof softrl.readRunSnapshot = (where, bytes) => {
    decoded.times++;
    return softrl.readRunSnapshot(where, bytes);
  };
  return { ...softrl, readRunSnapshot };
});

const run = join(temporaryFolder("saved-run"), "run");

/** Runs a command in this process; returns its exit code and what it wrote. */
async function command(...args: string[]) {
  let written = "";
  const stream = new Writable({
    write(chunk, _, done) {
      written += String(chunk);
      done();
    },
  }) as NodeJS.WriteStream;
  const code = await main(args, { out: stream, err: stream });
  return { code, written };
}

beforeEach(() => {
  decoded.times = 0;
});

test("resume and report decode the checkpoint once, and again only where another process has written it", async () => {
  const trained = await command("train", "--steps", "80", "--executor", "wasm", "-o", run);
  expect(trained.code, trained.written).toBe(0);
  expect(decoded.times).toBe(0);

  const reported = await command("report", run);
  expect(reported.code, reported.written).toBe(0);
  expect(decoded.times).toBe(1);

  const before = openSavedRun(run);
  expect(currentRun(before)).toBe(before);
  decoded.times = 0;
  const resumed = await command("resume", run, "--steps", "160");
  expect(resumed.code, resumed.written).toBe(0);
  expect(decoded.times).toBe(1);

  const after = currentRun(before);
  expect(decoded.times).toBe(2);
  expect([before.step, after.step]).toEqual([80, 160]);
});
