import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { temporaryFolderPerTest } from "../../../test/temporary-folder.js";
import { type Holder, RunLock, stateOf, thisProcess } from "../src/runs/run-lock.js";

const folder = temporaryFolderPerTest("lock");

const ended = (): number => spawnSync(process.execPath, ["-e", ""]).pid;
const write = (name: string, holder: Partial<Holder>) =>
  writeFileSync(join(folder, name), JSON.stringify({ ...thisProcess(), ...holder }));

describe("RunLock", () => {
  test("is held by one, and leaves nothing behind", () => {
    const lock = RunLock.acquire(folder);
    expect(readdirSync(folder)).toEqual([".lock-1"]);
    expect(JSON.parse(readFileSync(join(folder, ".lock-1"), "utf8"))).toEqual(thisProcess());
    expect(() => RunLock.acquire(folder)).toThrow(/another process is writing this run, got process \d+ on/);
    lock.release();
    lock.release();
    expect(readdirSync(folder)).toEqual([]);
    RunLock.acquire(folder).release();
  });

  test("takes over from a process that has ended, and from what kills left", () => {
    write(".lock-3", { pid: ended() });
    write(".lock-7", { pid: ended() });
    writeFileSync(join(folder, ".lock-0b8f.unfinished"), "{");
    const lock = RunLock.acquire(folder);
    expect(readdirSync(folder)).toEqual([".lock-8"]);
    lock.release();
  });

  test("takes over after a reboot, and from a process whose number was given anew", () => {
    for (const holder of [{ boot: "another" }, { began: "1" }]) {
      if (thisProcess().boot === null) continue;
      write(".lock-1", holder);
      RunLock.acquire(folder).release();
      expect(readdirSync(folder)).toEqual([]);
    }
  });

  test("names the file to remove where nobody can tell whether the process still runs", () => {
    for (const holder of [
      { host: "elsewhere", boot: "another" },
      { namespace: "pid:[1]", pid: ended() },
    ]) {
      write(".lock-1", holder);
      expect(() => RunLock.acquire(folder)).toThrow(/if it no longer runs, remove .*\.lock-1\./);
    }
    rmSync(join(folder, ".lock-1"));
    for (const make of [
      () => writeFileSync(join(folder, ".lock-1"), '{"pid":'),
      () => symlinkSync("/etc/hostname", join(folder, ".lock-1")),
      () => mkdirSync(join(folder, ".lock-1")),
    ]) {
      make();
      expect(() => RunLock.acquire(folder)).toThrow(
        /got a lock that cannot be read; if no other softrl command is running, remove .*\.lock-1\./,
      );
      rmSync(join(folder, ".lock-1"), { recursive: true });
    }
    expect(existsSync("/etc/hostname")).toBe(true);
    expect(readdirSync(folder)).toEqual([]);
  });
});

test("a lock is judged by host, boot, namespace, number and beginning of its process", () => {
  const here: Holder = { ...thisProcess(), host: "h", boot: "b", namespace: "n" };
  const state = (holder: Partial<Holder>, at: Partial<Holder> = {}) =>
    stateOf({ ...here, ...holder }, { ...here, ...at });
  expect(state({})).toBe("running");
  // Without /proc, the number alone cannot show that another process is the one that locked.
  expect(state({ began: null, boot: null }, { began: null, boot: null })).toBe("running");
  expect(state({ pid: process.ppid, began: null })).toBe("unknown");
  expect(state({ pid: 2 ** 22 + 1 })).toBe("ended");
  expect(state({ boot: "c" })).toBe("ended");
  expect(state({ boot: "c", host: "i" })).toBe("unknown");
  expect(state({ boot: null })).toBe("unknown");
  expect(state({ boot: null, host: "i" }, { boot: null })).toBe("unknown");
  expect(state({ namespace: "m" })).toBe("unknown");
  if (here.began !== null) expect(state({ began: "1" })).toBe("ended");
});
