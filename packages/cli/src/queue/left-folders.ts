import { existsSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Redis } from "ioredis";
import { SoftrlError } from "softrl";
import { codeOf } from "../files/regular-file.js";
import { RunLock } from "../runs/run-lock.js";
import { anewIn, earlierOf, withoutEarlier } from "../sweeps/replaced-run.js";
import { jobIdOf, keyOfJob, queueNameOf } from "./queued-run.js";
import { PREFIX } from "./redis.js";

/** How long the folder of a run that has failed stays: a sweep that queues the run again continues from it. */
const SECONDS_TO_KEEP_FAILED = 7 * 24 * 3600;
/** The end of the name of a folder that is being removed: no part of it is taken for a run after a kill. */
const REMOVED = ".removed";
const SECONDS_TO_ANSWER = 10;
const KEYS_AT_ONCE = 1000;

/** The folder in which a worker makes runs. */
export interface RunsPlace {
  readonly runs: string;
  readonly redis: Redis;
  /** Whether this worker makes the run now. */
  isRunning(key: string): boolean;
  readonly report: (line: string) => void;
}

/**
 * Removes the folders of runs that a queue of any version holds as completed, or as failed for a week. All others stay: a
 * run that is in a queue continues from its folder, and so may one that is in none, since a sweep may queue it again.
 */
export async function removeLeftFolders({ runs, redis, isRunning, report }: RunsPlace): Promise<void> {
  const keys = new Set((existsSync(runs) ? readdirSync(runs) : []).flatMap(keysIn));
  if (keys.size === 0) return;
  const ended = await endedSets(redis);
  for (const key of keys) {
    if (isRunning(key)) continue;
    const isOver = () => isOverIn(redis, jobIdOf(key), ended);
    try {
      rmSync(join(runs, `${key}${REMOVED}`), { recursive: true, force: true });
      if (await isOver()) await removeUnlocked(join(runs, key), isOver);
    } catch (error) {
      // Another process writes it, or has removed it.
      if (error instanceof SoftrlError || codeOf(error) === "ENOENT") continue;
      if (codeOf(error) === undefined) throw error;
      report(`${key}: the run folder could not be removed: ${String(codeOf(error))}`);
    }
  }
}

/** The key of the run that a folder belongs to, or none. */
function keysIn(name: string): readonly string[] {
  const own = name.endsWith(REMOVED) ? name.slice(0, -REMOVED.length) : withoutEarlier(name);
  const key = keyOfJob(jobIdOf(own));
  return key === null ? [] : [key];
}

/** The keys in Redis of the completed and the failed jobs of each queue of softrl. */
async function endedSets(redis: Redis): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  for await (const keys of redis.scanStream({
    match: `${PREFIX}:${queueNameOf("*")}:*ed`,
    count: KEYS_AT_ONCE,
  })) {
    for (const key of keys) if (/:(completed|failed)$/.test(String(key))) found.add(String(key));
  }
  return found;
}

async function isOverIn(redis: Redis, id: string, ended: ReadonlySet<string>): Promise<boolean> {
  const latestFailed = Date.now() - SECONDS_TO_KEEP_FAILED * 1000;
  for (const key of ended) {
    const time = await redis.zscore(key, id);
    if (time !== null && (key.endsWith(":completed") || Number(time) < latestFailed)) return true;
  }
  return false;
}

/**
 * Removes a run that no process writes, if it is still over once it is locked: a sweep may have queued it again. Whoever
 * takes it from then on waits for the lock.
 * @throws SoftrlError when another process writes it.
 */
async function removeUnlocked(folder: string, isOver: () => Promise<boolean>): Promise<void> {
  const locks: RunLock[] = [];
  try {
    for (const path of [folder, anewIn(folder)]) if (existsSync(path)) locks.push(RunLock.acquire(path));
    const unknown = sleep(SECONDS_TO_ANSWER * 1000, false, { ref: false });
    if (!(await Promise.race([isOver(), unknown]))) return;
    const removed = `${folder}${REMOVED}`;
    if (existsSync(folder)) renameSync(folder, removed);
    rmSync(earlierOf(folder), { recursive: true, force: true });
    rmSync(removed, { recursive: true, force: true });
  } finally {
    for (const lock of locks) lock.release();
  }
}
