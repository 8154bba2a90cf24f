import { setTimeout as sleep } from "node:timers/promises";
import type { Queue } from "bullmq";
import { oneLine } from "softrl";
import type { FailedSweepRun, SweepOutcome, SweepWatcher } from "../sweeps/scheduler.js";
import type { EndedRun, SweepFolder } from "../sweeps/sweep-folder.js";
import type { PlannedRun } from "../sweeps/sweep-plan.js";
import { isRunProgress } from "../terminal/supervisor.js";
import { checkOutcome } from "./queued-outcome.js";
import { jobIdOf, type QueuedRun, queueNameOf } from "./queued-run.js";
import { isOfAbsence, ofServer, PREFIX, type QueueUse } from "./redis.js";

/** How a sweep queues its runs. */
export interface QueueOptions extends QueueUse {
  readonly folder: SweepFolder;
}

const ATTEMPTS = 2;
/** How long the queue keeps results and errors, for sweeps that were killed before they collected them. */
const SECONDS_TO_KEEP = 30 * 24 * 3600;
const MILLISECONDS_BETWEEN_LOOKS = 300;
const SECONDS_UNTIL_NO_WORKER = 10;
/** How often the jobs of the runs are looked for: a server loses its memory, or another sweep removes a job that it shares. */
const SECONDS_BETWEEN_SEARCHES = 30;
const AT_ONCE = 200;
/** The ids of a sorted set that are among those given: ZMSCORE, which Redis has only since 6.2. */
const AMONG = `local found = {}
for _, id in ipairs(ARGV) do
  if redis.call("ZSCORE", KEYS[1], id) then table.insert(found, id) end
end
return found`;
/** The numbers of those keys, from 1, that do not exist. */
const MISSING = `local missing = {}
for i, key in ipairs(KEYS) do
  if redis.call("EXISTS", key) == 0 then table.insert(missing, i) end
end
return missing`;
const IDS_AT_ONCE = 1000;
/** The tables are written once for as many. */
const RESULTS_AT_ONCE = 2000;

/** Queues runs, each under its key, and writes the results that workers return, until all have ended. */
export class QueuedRuns {
  readonly #options: QueueOptions;
  readonly #queue: Queue;
  /** The runs whose results are not here yet, by the ids of their jobs. */
  readonly #pending = new Map<string, PlannedRun>();
  readonly #running = new Set<string>();

  constructor(options: QueueOptions) {
    this.#options = options;
    const { libraries, connection, version, report } = options;
    this.#queue = new libraries.bullmq.Queue(queueNameOf(version), {
      connection: connection.redis,
      prefix: PREFIX,
    });
    this.#queue.on("error", (error) => {
      if (!isOfAbsence(error, connection)) report(`the queue: ${oneLine(error.message, 300)}`);
    });
  }

  /**
   * Makes the runs; `interrupted` leaves them in the queue.
   * @throws SoftrlError when the server refuses a command, for instance out of memory.
   */
  async make(
    runs: readonly PlannedRun[],
    watcher: SweepWatcher,
    interrupted: AbortSignal,
  ): Promise<SweepOutcome> {
    const { folder, connection } = this.#options;
    const failed: FailedSweepRun[] = [];
    let made = 0;
    for (const run of runs) {
      // The same settings may have been trained under another name, by another definition in this folder.
      const copied = await folder.copied(run);
      if (copied === null) {
        this.#pending.set(jobIdOf(run.key), run);
        continue;
      }
      made++;
      watcher.progress(run, { step: run.steps, meanReturn: copied.meanReturn });
      watcher.changed(run, "done");
    }
    let nextSearch = Number.NEGATIVE_INFINITY;
    // A server that lost its memory has lost the runs.
    connection.onReturn(() => {
      nextSearch = Number.NEGATIVE_INFINITY;
    });
    const work = async () => {
      await this.#removeFailed();
      let looked = 0;
      for (const began = performance.now(); this.#pending.size > 0 && !interrupted.aborted; looked++) {
        const now = performance.now();
        if (now >= nextSearch) {
          nextSearch = now + SECONDS_BETWEEN_SEARCHES * 1000;
          await this.#enqueueMissing();
        }
        const found = await this.#look(watcher);
        if (interrupted.aborted) return;
        if (found.ended.length > 0) await folder.record(found.ended);
        made += found.ended.length;
        failed.push(...found.failed);
        for (const { run, outcome } of found.ended) {
          watcher.progress(run, { step: run.steps, meanReturn: outcome.meanReturn });
          this.#ended(run, "done", watcher);
        }
        for (const { run } of found.failed) this.#ended(run, "failed", watcher);
        for (const run of this.#pending.values()) if (folder.isDone(run)) this.#ended(run, "done", watcher);
        const seconds = (performance.now() - began) / 1000;
        if (looked > 0 && seconds > SECONDS_UNTIL_NO_WORKER) {
          looked = Number.NEGATIVE_INFINITY;
          await this.#reportNoWorker();
        }
        if (this.#pending.size > 0) {
          await sleep(MILLISECONDS_BETWEEN_LOOKS, undefined, { signal: interrupted }).catch(() => {});
        }
      }
    };
    const stopped = new Promise<void>((resolve) => {
      if (interrupted.aborted) resolve();
      interrupted.addEventListener("abort", () => resolve(), { once: true });
    });
    const working = work().catch((error: unknown) => {
      throw ofServer(error, connection.address);
    });
    // The server may be away, and then nothing that was asked of it ends.
    working.catch(() => {});
    await Promise.race([working, stopped]);
    return { made, failed, interrupted: interrupted.aborted };
  }

  #ended(run: PlannedRun, state: "done" | "failed", watcher: SweepWatcher): void {
    this.#pending.delete(jobIdOf(run.key));
    watcher.changed(run, state);
  }

  /** Removes the runs that have failed, for an earlier sweep: they are tried again, as new ones. */
  async #removeFailed(): Promise<void> {
    for (const id of await this.#pendingIds("failed")) {
      // Another sweep may do the same.
      await this.#queue.remove(id).catch(() => {});
    }
  }

  /** Queues the runs that have no job. */
  async #enqueueMissing(): Promise<void> {
    const { version } = this.#options;
    const missing = await this.#missing();
    for (let i = 0; i < missing.length; i += AT_ONCE) {
      const jobs = missing.slice(i, i + AT_ONCE).map(([jobId, { key, settings, args }]) => {
        const data: QueuedRun = { key, settings, args, version };
        const keep = { age: SECONDS_TO_KEEP };
        const opts = { jobId, attempts: ATTEMPTS, removeOnComplete: keep, removeOnFail: keep };
        return { name: "run", data, opts };
      });
      await this.#queue.addBulk(jobs);
    }
  }

  async #missing(): Promise<readonly (readonly [id: string, run: PlannedRun])[]> {
    const { redis } = this.#options.connection;
    const all = [...this.#pending];
    const found: (readonly [string, PlannedRun])[] = [];
    for (let i = 0; i < all.length; i += IDS_AT_ONCE) {
      const some = all.slice(i, i + IDS_AT_ONCE);
      const keys = some.map(([id]) => this.#queue.toKey(id));
      const numbers = await redis.eval(MISSING, keys.length, ...keys);
      if (Array.isArray(numbers)) found.push(...numbers.map((number) => some[number - 1]));
    }
    return found;
  }

  /** What has come of the runs since the last look. */
  async #look(
    watcher: SweepWatcher,
  ): Promise<{ readonly ended: readonly EndedRun[]; readonly failed: readonly FailedSweepRun[] }> {
    const ended: EndedRun[] = [];
    const failed: FailedSweepRun[] = [];
    for (const { id, run, field } of await this.#pendingIn("completed", "returnvalue")) {
      const outcome = checkOutcome(parsed(field));
      if (outcome !== null) {
        ended.push({ run, outcome });
        continue;
      }
      failed.push({ run, error: "the queue returned something else than the result of a run" });
      await this.#queue.remove(id).catch(() => {});
    }
    for (const { run, field } of await this.#pendingIn("failed", "failedReason")) {
      failed.push({ run, error: linesOf(field ?? "the queue gives no reason") });
    }
    await this.#lookAtRunning(watcher);
    return { ended, failed };
  }

  async #lookAtRunning(watcher: SweepWatcher): Promise<void> {
    const { connection } = this.#options;
    const active = new Set(await connection.redis.lrange(this.#queue.toKey("active"), 0, -1));
    for (const id of this.#running) {
      const run = this.#pending.get(id);
      if (run !== undefined && active.has(id)) continue;
      this.#running.delete(id);
      if (run !== undefined) watcher.changed(run, "left");
    }
    for (const id of active) {
      const run = this.#pending.get(id);
      if (run === undefined) continue;
      if (!this.#running.has(id)) watcher.changed(run, "running");
      this.#running.add(id);
      const progress = parsed(await this.#field(id, "progress"));
      if (isRunProgress(progress)) {
        const { step, meanReturn } = progress;
        watcher.progress(run, { step: Math.max(0, Math.min(run.steps, step)), meanReturn });
      }
    }
  }

  async #reportNoWorker(): Promise<void> {
    const { connection, version, report } = this.#options;
    const { shown } = connection.address;
    if ((await this.#queue.getWorkersCount()) > 0) return;
    report(`no worker of version ${version} has come yet; start one with softrl work ${shown}`);
  }

  /** The runs of this sweep in a state, at most some thousands, with a field of their jobs. */
  async #pendingIn(
    state: "completed" | "failed",
    name: string,
  ): Promise<readonly { readonly id: string; readonly run: PlannedRun; readonly field: string | null }[]> {
    const found = (await this.#pendingIds(state)).flatMap((id) => {
      const run = this.#pending.get(id);
      return run === undefined ? [] : [{ id, run }];
    });
    return Promise.all(
      found
        .slice(0, RESULTS_AT_ONCE)
        .map(async (each) => ({ ...each, field: await this.#field(each.id, name) })),
    );
  }

  /** The ids of this sweep's runs in a state, in which the queue may hold many more of other sweeps. */
  async #pendingIds(state: "completed" | "failed"): Promise<readonly string[]> {
    const { redis } = this.#options.connection;
    const key = this.#queue.toKey(state);
    const all = [...this.#pending.keys()];
    const found: string[] = [];
    for (let i = 0; i < all.length; i += IDS_AT_ONCE) {
      const ids = await redis.eval(AMONG, 1, key, ...all.slice(i, i + IDS_AT_ONCE));
      if (Array.isArray(ids)) found.push(...ids.map(String));
    }
    return found;
  }

  #field(id: string, name: string): Promise<string | null> {
    return this.#options.connection.redis.hget(this.#queue.toKey(id), name);
  }
}

/** A text of JSON as its value; null where it is none. */
function parsed(text: string | null): unknown {
  try {
    return JSON.parse(text ?? "null");
  } catch {
    return null;
  }
}

const MOST_LINES = 3;

/** An error as the sweep prints it: others may have written it. */
const linesOf = (text: string): string =>
  text
    .split("\n")
    .slice(0, MOST_LINES)
    .map((line) => oneLine(line, 500))
    .join("\n");
