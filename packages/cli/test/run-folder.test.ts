import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryFolderPerTest } from "../../../test/temporary-folder.js";
import { RunFolder } from "../src/runs/run-folder.js";

const place = temporaryFolderPerTest("folder");

test("keeps events as whole lines and files as wholes", () => {
  const folder = RunFolder.create(join(place, "deep", "run"));
  folder.append({ event: "checkpoint", step: 1 });
  folder.append({ event: "finished", step: 2 });
  folder.writeCheckpoint(new Uint8Array([1, 2, 3]));
  folder.writeCheckpoint(new Uint8Array([4]));
  folder.write("result.json", "{}\n");
  folder.close();
  expect(readFileSync(join(folder.path, "events.jsonl"), "utf8")).toBe(
    '{"event":"checkpoint","step":1}\n{"event":"finished","step":2}\n',
  );
  expect([...readFileSync(join(folder.path, "checkpoint.safetensors"))]).toEqual([4]);
  expect(readdirSync(folder.path).sort()).toEqual(["checkpoint.safetensors", "events.jsonl", "result.json"]);
});

test("takes an empty folder, refuses one with something in it", () => {
  const path = join(place, "run");
  mkdirSync(path);
  const folder = RunFolder.create(path);
  folder.append({ event: "checkpoint", step: 1 });
  folder.write("config.json", "{}");
  folder.close();
  expect(() => RunFolder.create(path)).toThrow(
    /run: the run folder is not empty, expected a new folder.*got config.json, events.jsonl; choose another with --run-folder/,
  );
});

test("numbers folders whose name is taken", () => {
  const path = join(place, "runs", "CartPole-v1-seed1-a2c");
  expect([1, 2, 3].map(() => RunFolder.createNumbered(path).path)).toEqual([path, `${path}-2`, `${path}-3`]);
});

test("says that a folder cannot be made, and makes nothing", () => {
  writeFileSync(join(place, "file"), "");
  expect(() => RunFolder.create(join(place, "file", "run"))).toThrow(
    /the run folder could not be made, got (ENOTDIR|EEXIST).*--run-folder/,
  );
  expect(() => RunFolder.createNumbered(join(place, "file", "run"))).toThrow(
    /the run folder could not be made/,
  );
  expect(readdirSync(place)).toEqual(["file"]);
});

test("a file that cannot be put in place leaves no half", () => {
  const folder = RunFolder.create(join(place, "run"));
  mkdirSync(join(folder.path, "chart.svg"));
  expect(() => folder.write("chart.svg", "<svg/>")).toThrow(/chart.svg: the file could not be written, got/);
  expect(readdirSync(folder.path)).toEqual([".lock-1", "chart.svg"]);
});

test("goes again when nothing came into it", () => {
  const empty = RunFolder.create(join(place, "empty"));
  empty.close();
  expect(existsSync(empty.path)).toBe(false);
});

test("one process writes it: a second writer gets one clear error, until the first closes it", () => {
  const path = join(place, "run");
  const folder = RunFolder.create(path);
  const isWritten =
    /run: another process is writing this run, got process \d+ on .*; wait until it ends, or stop it/;
  expect(() => RunFolder.create(path)).toThrow(isWritten);
  expect(() => RunFolder.reopen(path)).toThrow(isWritten);
  folder.append({ event: "checkpoint", step: 1 });
  folder.close();
  const next = RunFolder.reopen(path);
  expect(readdirSync(path)).toEqual([".lock-1", "events.jsonl"]);
  next.close();
  expect(readdirSync(path)).toEqual(["events.jsonl"]);
});

test("tells where a new run could go when the disk fails, and not where a resumed one could", () => {
  const folder = RunFolder.create(join(place, "run"));
  mkdirSync(join(folder.path, "chart.svg"));
  expect(() => folder.write("chart.svg", "")).toThrow(
    /make the folder writable, or choose another with --run-folder/,
  );
  folder.close();
  const again = RunFolder.reopen(folder.path);
  expect(() => again.write("chart.svg", "")).toThrow(
    /make the folder writable, then run the command again\./,
  );
});
