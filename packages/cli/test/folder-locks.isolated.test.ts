import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { temporaryFolderPerTest } from "../../../test/temporary-folder.js";
import { thisProcess } from "../src/runs/run-lock.js";
import {
  removeUnseenLocks,
  whenTablesUnlocked,
  whenUnlocked,
  whileLocked,
} from "../src/sweeps/folder-locks.js";
import { SECONDS_TO_STOP } from "../src/terminal/supervisor.js";

/** A clock that only sleep moves. */
const clock = vi.hoisted(() => ({ now: 0, onTick: () => {} }));
vi.mock("node:timers/promises", () => ({
  setTimeout: async (milliseconds: number) => {
    clock.now += milliseconds;
    clock.onTick();
  },
}));
vi.spyOn(performance, "now").mockImplementation(() => clock.now);

const folder = temporaryFolderPerTest("folder-locks");
const lock = join(folder, ".lock-1");
const never = new AbortController().signal;

function lockElsewhere(): void {
  writeFileSync(lock, JSON.stringify({ ...thisProcess(), host: "elsewhere", boot: "another" }));
  clock.now = 0;
}

test("the lock of another machine stays until a run that stops there has written its checkpoint", async () => {
  lockElsewhere();
  const lastSecond = (SECONDS_TO_STOP - 1) * 1000;
  let wasThere = false;
  clock.onTick = () => {
    if (clock.now < lastSecond) return;
    wasThere ||= existsSync(lock);
    rmSync(lock, { force: true });
  };
  await removeUnseenLocks(folder, never);
  expect(wasThere).toBe(true);
  expect(clock.now).toBeLessThan(SECONDS_TO_STOP * 1000);
});

test("the lock of a machine that has failed is removed ten seconds later", async () => {
  lockElsewhere();
  clock.onTick = () => {};
  await removeUnseenLocks(folder, never);
  expect(existsSync(lock)).toBe(false);
  expect(clock.now).toBeLessThan((SECONDS_TO_STOP + 11) * 1000);
});

test("the lock of another machine stays if the wait for it is interrupted", async () => {
  lockElsewhere();
  const interrupt = new AbortController();
  clock.onTick = () => {
    if (clock.now > 5000) interrupt.abort();
  };
  await removeUnseenLocks(folder, interrupt.signal);
  expect(existsSync(lock)).toBe(true);
  expect(clock.now).toBeLessThan(6000);
});

test("the wait for a run that another process still writes ends with an interrupt", async () => {
  lockElsewhere();
  const interrupt = new AbortController();
  clock.onTick = () => {
    if (clock.now > 5000) interrupt.abort();
  };
  await whenUnlocked(folder, interrupt.signal);
  expect(existsSync(lock)).toBe(true);
  expect(clock.now).toBeLessThan(6000);
});

test("a lock that another machine has left beside the tables is reported before runs train", async () => {
  lockElsewhere();
  clock.onTick = () => {};
  const reasons: string[] = [];
  const waiting = whenTablesUnlocked(folder, (reason) => reasons.push(reason), never);
  const refusal =
    /another process is writing the tables of this sweep, got process \d+ on elsewhere; if it no longer runs, remove .*\.lock-1/;
  await expect(waiting).rejects.toThrow(refusal);
  expect(reasons).toEqual([expect.stringMatching(refusal)]);
  await expect(whileLocked(folder, () => {})).rejects.toThrow(refusal);
});

test("the wait for another machine that writes the tables is silent if it is short", async () => {
  lockElsewhere();
  clock.onTick = () => {
    if (clock.now > 2000) rmSync(lock, { force: true });
  };
  await whenTablesUnlocked(folder, () => expect.unreachable(), never);
  expect(clock.now).toBeLessThan(3000);
});
