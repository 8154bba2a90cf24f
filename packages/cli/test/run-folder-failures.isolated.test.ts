import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { temporaryFolderPerTest } from "../../../test/temporary-folder.js";
import { RunFolder } from "../src/runs/run-folder.js";

/** What the disk does instead of its work, by the name of Node's function. */
const faults = vi.hoisted(() => ({
  closeSync: undefined as ((file: number, close: (file: number) => void) => void) | undefined,
  writeSync: undefined as ((file: number, bytes: Uint8Array) => number) | undefined,
  ftruncateSync: undefined as (() => void) | undefined,
}));

vi.mock("node:fs", async (importOriginal) => {
  const fs = await importOriginal<typeof import("node:fs")>();
  return {
    ...fs,
    closeSync: (file: number) =>
      faults.closeSync === undefined ? fs.closeSync(file) : faults.closeSync(file, fs.closeSync),
    writeSync: (file: number, bytes: Uint8Array, offset: number, length: number) =>
      faults.writeSync === undefined
        ? fs.writeSync(file, bytes, offset, length)
        : faults.writeSync(file, bytes),
    ftruncateSync: (file: number, length: number) =>
      faults.ftruncateSync === undefined ? fs.ftruncateSync(file, length) : faults.ftruncateSync(),
  };
});

let folder: RunFolder;
const place = temporaryFolderPerTest("faults");
beforeEach(() => {
  folder = RunFolder.create(join(place, "run"));
});
afterEach(() => {
  faults.closeSync = faults.writeSync = faults.ftruncateSync = undefined;
});

const events = () => readFileSync(join(folder.path, "events.jsonl"), "utf8");
const fault = (code: string) => Object.assign(new Error(`${code}: the disk`), { code });

test("a close that fails is told, and the file is not closed again", () => {
  const closed: number[] = [];
  faults.closeSync = (file, close) => {
    closed.push(file);
    close(file);
    throw fault("EIO");
  };
  expect(() => folder.write("config.json", "{}")).toThrow(
    /config\.json: the file could not be written, got EIO/,
  );
  // That of the lock, which is looked at first, and that of the file.
  expect(closed).toHaveLength(2);
});

test("a run folder that was moved or removed during the run is gone, not read-only", () => {
  folder.append({ event: "checkpoint", step: 1 });
  rmSync(folder.path, { recursive: true });
  expect(() => folder.writeCheckpoint(new Uint8Array(8))).toThrow(
    /run: the run folder is gone, got ENOENT.*; if it was moved, continue the run where it is now: softrl resume/,
  );
});

test("a folder that was removed and made anew by another process is left as it is", () => {
  folder.append({ event: "checkpoint", step: 1 });
  rmSync(folder.path, { recursive: true });
  mkdirSync(folder.path);
  writeFileSync(join(folder.path, ".lock-1"), '{"pid":1}');
  for (const write of [
    () => folder.write("result.json", "{}"),
    () => folder.writePolicy("best", new Uint8Array(8)),
  ]) {
    expect(write).toThrow(/run: this process no longer holds the run folder.*softrl resume/);
  }
  folder.close();
  expect(readdirSync(folder.path)).toEqual([".lock-1"]);
});

test("events that were removed during the run end it at the next checkpoint", () => {
  folder.append({ event: "checkpoint", step: 1 });
  rmSync(join(folder.path, "events.jsonl"));
  expect(() => folder.writeCheckpoint(new Uint8Array(8))).toThrow(
    /events\.jsonl: the events of the run are no longer in their file/,
  );
});

test("half an event is taken back, and the next one stands on a line of its own", async () => {
  const fs = await vi.importActual<typeof import("node:fs")>("node:fs");
  folder.append({ event: "checkpoint", step: 1 });
  let writes = 0;
  faults.writeSync = (file, bytes) => {
    if (writes++ > 0) throw fault("ENOSPC");
    return fs.writeSync(file, bytes, 0, 9);
  };
  expect(() => folder.append({ event: "checkpoint", step: 2 })).toThrow(
    /events\.jsonl: an event could not be written, got ENOSPC.*free some space/,
  );
  expect(events()).toBe('{"event":"checkpoint","step":1}\n');
  faults.writeSync = undefined;
  folder.fail(new Error("the disk was full"));
  expect(events()).toBe('{"event":"checkpoint","step":1}\n{"event":"failed","error":"the disk was full"}\n');
});

test("a disk that does not even take back is told as what it did first", () => {
  folder.append({ event: "checkpoint", step: 1 });
  faults.writeSync = () => {
    throw fault("ENOSPC");
  };
  faults.ftruncateSync = () => {
    throw fault("EIO");
  };
  expect(() => folder.append({ event: "checkpoint", step: 2 })).toThrow(/could not be written, got ENOSPC/);
  expect(() => folder.fail(new Error("full"))).not.toThrow();
});

test("a folder with nothing but a configuration goes again; with an event it stays", () => {
  folder.write("config.json", "{}");
  folder.fail(new Error("before the first event"));
  folder.close();
  expect(existsSync(folder.path)).toBe(false);
  expect(folder.kept).toBe(false);
  const begun = RunFolder.create(join(place, "begun"));
  begun.write("config.json", "{}");
  begun.append({ event: "checkpoint", step: 1 });
  begun.close();
  expect(begun.kept).toBe(true);
});
