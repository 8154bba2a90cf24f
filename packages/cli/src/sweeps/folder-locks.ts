import { existsSync, readdirSync, rmdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { SoftrlError } from "softrl";
import { makeFolders } from "../files/make-folders.js";
import { codeOf, quietly } from "../files/regular-file.js";
import { RunLock } from "../runs/run-lock.js";
import { SECONDS_TO_END } from "../terminal/supervisor.js";

/** Where the processes that sweep into one folder note which runs they are making; removed when they end. */
const CLAIMS = ".sweep";
const MOST_TRIES = 50;
/** How long another process may take to write the results. */
const MILLISECONDS_TO_WRITE = 60_000;
const MILLISECONDS_BEFORE_TELLING = 3000;

type LockRefusal = Pick<SoftrlError, "details">;

/** A run that this process alone makes, until it releases it or ends, even by a kill. */
export interface Claim {
  release(): void;
}

/** Claims the run of a key for this process; null while another one has it. */
export function claimRun(folder: string, key: string): Claim | null {
  const path = join(folder, CLAIMS, key);
  for (let tries = 1; ; tries++) {
    try {
      makeFolders(path);
      const lock = RunLock.acquire(path);
      const release = () => {
        lock.release();
        // A folder that another process has locked meanwhile is not empty, and stays.
        quietly(rmdirSync, path);
        quietly(rmdirSync, join(folder, CLAIMS));
      };
      return { release };
    } catch (error) {
      if (error instanceof SoftrlError) return null;
      // Another process has just released the run, and removed the folder.
      if (codeOf(error) === "ENOENT" && tries < MOST_TRIES) continue;
      throw error;
    }
  }
}

/** The refusals of a run's claims whose processes cannot be seen from here: they may have ended without releasing it. */
export const unseenClaims = (folder: string, key: string): readonly string[] =>
  RunLock.unseen(join(folder, CLAIMS, key)).map(({ refusal }) => refusal);

/** The keys of runs that are claimed, also by processes that have ended. */
export function claimedKeys(folder: string): readonly string[] {
  const path = join(folder, CLAIMS);
  return existsSync(path) ? readdirSync(path).filter((name) => /^[0-9a-f]{16}$/.test(name)) : [];
}

/** Removes the lock of the tables that a process that has ended has left, as far as the disk lets it. */
export function removeLeftLock(folder: string): void {
  if (RunLock.isIn(folder)) quietly(() => RunLock.acquire(folder).release());
}

/**
 * Waits while a process that cannot be seen from here holds the lock of the tables: it may have ended without removing it.
 * @param onWait gets the reason once, if it lasts longer than tables take to be written
 * @param stop ends the wait
 * @throws SoftrlError when it does not end in time.
 */
export async function whenTablesUnlocked(
  folder: string,
  onWait: (reason: string) => void,
  stop: AbortSignal,
): Promise<void> {
  const began = performance.now();
  let isTold = false;
  while (!stop.aborted) {
    const [lock] = RunLock.unseen(folder);
    if (lock === undefined) return;
    const waited = performance.now() - began;
    if (waited > MILLISECONDS_TO_WRITE) throw tablesLocked(folder, lock);
    if (waited > MILLISECONDS_BEFORE_TELLING && !isTold) {
      isTold = true;
      onWait(tablesLocked(folder, lock).message);
    }
    await sleep(100, undefined, { signal: stop }).catch(() => {});
  }
}

const tablesLocked = (folder: string, { details }: LockRefusal): SoftrlError =>
  new SoftrlError(folder, "another process is writing the tables of this sweep", details);

/**
 * Does `work` on the tables, until its promise settles, while no other process does: they wait.
 * @throws SoftrlError when another process does not end its work in time.
 */
export async function whileLocked<Result>(
  folder: string,
  work: () => Result | Promise<Result>,
): Promise<Result> {
  const deadline = performance.now() + MILLISECONDS_TO_WRITE;
  for (let wait = 2; ; wait = Math.min(100, wait * 1.5)) {
    let lock: RunLock;
    try {
      lock = RunLock.acquire(folder);
    } catch (error) {
      if (!(error instanceof SoftrlError)) throw error;
      if (performance.now() > deadline) throw tablesLocked(folder, error);
      await sleep(wait);
      continue;
    }
    try {
      return await work();
    } finally {
      lock.release();
    }
  }
}

/**
 * Waits until no process writes the run in a folder: the process of a sweep that was killed is about to end.
 * @param stop ends the wait
 */
export async function whenUnlocked(folder: string, stop: AbortSignal): Promise<void> {
  const deadline = performance.now() + SECONDS_TO_END * 1000;
  while (!stop.aborted) {
    try {
      RunLock.acquire(folder).release();
      return;
    } catch (error) {
      if (codeOf(error) === "ENOENT") return;
      if (!(error instanceof SoftrlError) || performance.now() > deadline) throw error;
      await sleep(50, undefined, { signal: stop }).catch(() => {});
    }
  }
}

/**
 * Removes the locks of processes on other machines from the folder of a run: only for a run that this process alone may
 * make, as a queue or a cluster has decided. A process that still writes its checkpoint has the time to end.
 * @param stop ends the wait, and the locks stay
 */
export async function removeUnseenLocks(folder: string, stop: AbortSignal): Promise<void> {
  const deadline = performance.now() + SECONDS_TO_END * 1000;
  while (RunLock.unseen(folder).length > 0 && performance.now() < deadline) {
    if (stop.aborted) return;
    await sleep(200, undefined, { signal: stop }).catch(() => {});
  }
  for (const { path } of RunLock.unseen(folder)) rmSync(path, { force: true });
}
