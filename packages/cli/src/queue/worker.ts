import { rmdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Job, JobJson, Worker } from "bullmq";
import { isRecord, oneLine, SoftrlError } from "softrl";
import { codeOf, quietly } from "../files/regular-file.js";
import { errorText } from "../parts/file-fault.js";
import type { RunOutcome } from "../sweeps/finished-run.js";
import { type MadeRun, makeRun } from "../sweeps/make-run.js";
import { removeRun } from "../sweeps/replaced-run.js";
import type { Capacity } from "../sweeps/scheduler.js";
import type { RunProgress } from "../terminal/supervisor.js";
import { inShort } from "../terminal/terminal.js";
import { removeLeftFolders } from "./left-folders.js";
import { type CheckedRun, checkQueuedRun, jobIdOf, keyOfJob, queueNameOf } from "./queued-run.js";
import { isOfAbsence, PREFIX, type QueueLibraries, type QueueUse, queuePatience } from "./redis.js";
import { Room } from "./room.js";

/** What a worker does with the runs that it takes. */
export interface WorkerOptions extends QueueUse {
  /** How many runs train at once. */
  readonly capacity: Capacity;
  /** Where their run folders are made; workers that share it continue each other's runs. */
  readonly runs: string;
  /** Whether runs may load files, and environments that are not built in. */
  readonly trust: boolean;
  /** Ends the work: runs write their checkpoints and return to the queue. */
  readonly stop: AbortSignal;
}

const SECONDS_BETWEEN_MESSAGES = 2;
/** Left run folders are looked for after as many times the patience: every 5 minutes. */
const PATIENCES_BETWEEN_TIDIES = 10;
/** How long the queue may take to get the runs back. */
const SECONDS_TO_RETURN = 10;
/** A run that loses its worker more often is at fault itself. */
const MOST_LOST_WORKERS = 20;

/** BullMQ's codes for a job that is gone, has no lock, has another state, or another worker's lock. */
const lostCodes: ReadonlySet<number> = new Set([-1, -2, -3, -6]);

/** A run that this worker makes now. */
interface RunningJob {
  /** Ends the run, since another worker may have it. */
  readonly lost: AbortController;
  /** When the queue last heard of it. */
  heard: number;
}

/** Takes runs from a queue and makes them, each in a process of its own, until it is stopped. */
export class QueueWorker {
  readonly #options: WorkerOptions;
  readonly #running = new Map<string, RunningJob>();
  readonly #processes = new Set<Promise<unknown>>();

  readonly #room: Room;
  /** Runs that train now. */
  #inside = 0;
  #isTidying = false;

  constructor(options: WorkerOptions) {
    this.#options = options;
    this.#room = new Room(options.capacity.total);
  }

  /** Works until it is stopped. */
  async work(): Promise<void> {
    const { libraries, connection, version, capacity, runs, stop, report } = this.#options;
    const patience = queuePatience();
    const worker: Worker = new (tolerant(libraries.bullmq.Worker))(
      queueNameOf(version),
      (job, token = "") => this.#process(job, token, worker),
      {
        connection: connection.redis,
        prefix: PREFIX,
        autorun: false,
        concurrency: capacity.total,
        lockDuration: patience,
        stalledInterval: patience,
        maxStalledCount: MOST_LOST_WORKERS,
        runRetryDelay: 1000,
      },
    );
    // BullMQ tries again several times a second, with the same errors while a server refuses to write.
    const said = new Set<string>();
    worker.on("active", () => said.clear());
    worker.on("error", (error) => {
      // A run that was lost to another worker is reported elsewhere.
      const isOfLost = lostCodes.has(Number((error as { readonly code?: unknown }).code));
      const line = `the queue: ${oneLine(error.message, 300)}`;
      if (said.has(line) || isOfLost || isOfAbsence(error, connection)) return;
      said.add(line);
      report(line);
    });
    worker.on("locksRenewed", ({ jobIds }) => {
      for (const id of jobIds) this.#heard(id);
    });
    worker.on("lockRenewalFailed", (ids) => {
      for (const id of ids) this.#running.get(id)?.lost.abort();
    });
    worker.on("completed", ({ id }) => this.#remove(keyOfJob(id)));
    worker.on("stalled", (id) => report(`${oneLine(id, 100)} has lost its worker and is queued again`));
    // Another worker gets a run that the queue has not heard of for so long: it must not be made twice at once.
    const watch = setInterval(() => {
      const now = performance.now();
      for (const { lost, heard } of this.#running.values()) if (now - heard > patience) lost.abort();
    }, patience / 10);
    const stopped = new Promise<void>((resolve) => {
      if (stop.aborted) resolve();
      else stop.addEventListener("abort", () => resolve(), { once: true });
    });
    await Promise.race([this.#tidy(), stopped]);
    const tidying = setInterval(() => void this.#tidy(), patience * PATIENCES_BETWEEN_TIDIES);
    const working = worker.run();
    working.catch((error: Error) => report(`the queue: ${oneLine(error.message, 300)}`));
    try {
      await stopped;
      const closed = worker.close().then(() => true);
      await Promise.all(this.#processes);
      const late = sleep(SECONDS_TO_RETURN * 1000, false, { ref: false });
      if (!(await Promise.race([closed, late]))) {
        report(`the queue does not answer; other workers take what was begun after ${patience / 1000} s`);
      }
    } finally {
      clearInterval(watch);
      clearInterval(tidying);
      connection.close();
      await Promise.race([worker.disconnect(), sleep(1000)]).catch(() => {});
      quietly(rmdirSync, runs);
    }
  }

  async #process(job: Job, token: string, worker: Worker): Promise<RunOutcome> {
    const { libraries, version, trust, stop, report } = this.#options;
    const { UnrecoverableError, WaitingError } = libraries.bullmq;
    let run: CheckedRun;
    try {
      run = await checkQueuedRun(job.data, job.id, version, trust);
    } catch (error) {
      if (!(error instanceof SoftrlError)) throw error;
      report(`refused: ${error.message}`);
      throw new UnrecoverableError(error.message);
    }
    const id = String(job.id);
    const lost = new AbortController();
    this.#running.set(id, { lost, heard: performance.now() });
    let made: MadeRun;
    try {
      made = await this.#makeInRoom(run, job, AbortSignal.any([stop, lost.signal]), worker);
    } catch (error) {
      report(`failed: ${run.title}: ${oneLine(errorText(error), 500)}`);
      throw error;
    } finally {
      this.#running.delete(id);
    }
    if (made.end === "finished") {
      report(`done: ${run.title}: ${inShort(made.outcome.meanReturn)}`);
      return made.outcome;
    }
    if (made.end === "failed") {
      report(`failed: ${run.title}: ${oneLine(made.error, 500)}`);
      const { retry, suspectsCheckpoint } = made;
      await job.updateProgress({ step: 0, meanReturn: null, suspectsCheckpoint });
      throw retry ? new Error(made.error) : new UnrecoverableError(made.error);
    }
    if (lost.signal.aborted) {
      report(`stopped, since another worker may have it by now: ${run.title}`);
      throw new Error("the lock of this run was lost");
    }
    report(`given back: ${run.title}`);
    await job.moveToWait(token);
    throw new WaitingError();
  }

  /** Makes a run once the others leave it its cores; until then it stays taken. */
  async #makeInRoom(run: CheckedRun, job: Job, stop: AbortSignal, worker: Worker): Promise<MadeRun> {
    const { capacity, report } = this.#options;
    const leave = await this.#room.enter(capacity.weightOf(run), stop);
    if (leave === null) return { end: "interrupted" };
    this.#inside++;
    this.#takeWhatFits(worker);
    try {
      report(`begun: ${run.title}`);
      return await this.#make(run, job, stop);
    } finally {
      this.#inside--;
      leave();
      this.#takeWhatFits(worker);
    }
  }

  /** Leaves runs that have no room here to other workers; one may wait, since a run's weight is known once it is taken. */
  #takeWhatFits(worker: Worker): void {
    worker.concurrency = Math.max(1, this.#inside + this.#room.left);
  }

  #make(run: CheckedRun, job: Job, stop: AbortSignal): Promise<MadeRun> {
    const { runs, trust } = this.#options;
    const folder = join(runs, run.key);
    const { attemptsMade, progress } = job;
    const isSuspected = attemptsMade > 0 && isRecord(progress) && progress.suspectsCheckpoint === true;
    const onProgress = progressOf(job);
    const shared = ["--no-chart"];
    const ofResume = trust ? ["--trust"] : [];
    const making = makeRun(run, { folder, isSuspected, isAlone: true, shared, ofResume, onProgress, stop });
    const ended = making.catch(() => {});
    this.#processes.add(ended);
    void ended.then(() => this.#processes.delete(ended));
    return making;
  }

  #heard(id: string): void {
    const running = this.#running.get(id);
    if (running !== undefined) running.heard = performance.now();
  }

  /** Removes what nobody continues: a worker was killed before it could, or another one made the run. */
  async #tidy(): Promise<void> {
    if (this.#isTidying) return;
    this.#isTidying = true;
    const { runs, connection, stop, report } = this.#options;
    const isRunning = (key: string) => this.#running.has(jobIdOf(key));
    try {
      await removeLeftFolders({ runs, redis: connection.redis, isRunning, report });
    } catch (error) {
      if (!stop.aborted && !connection.isAway()) report(`${runs}: ${oneLine(errorText(error), 300)}`);
    } finally {
      this.#isTidying = false;
    }
  }

  #remove(key: string | null): void {
    if (key === null) return;
    try {
      removeRun(join(this.#options.runs, key));
    } catch (error) {
      this.#options.report(`${key}: the run folder could not be removed: ${String(codeOf(error))}`);
    }
  }
}

/** A worker that takes jobs whose data is not JSON, with no data, so that they can be refused; BullMQ's would not end them. */
const tolerant = (Base: QueueLibraries["bullmq"]["Worker"]) =>
  class extends Base {
    protected override createJob(json: JobJson, id: string): Job {
      try {
        return super.createJob(json, id);
      } catch {
        return super.createJob({ ...json, data: "null" }, id);
      }
    }
  };

/** Sends how a run stands to the queue, now and then. */
function progressOf(job: Job): (progress: RunProgress) => void {
  let last = Number.NEGATIVE_INFINITY;
  let isSending = false;
  return ({ step, meanReturn }) => {
    const now = performance.now();
    if (isSending || now - last < SECONDS_BETWEEN_MESSAGES * 1000) return;
    last = now;
    isSending = true;
    const sent = job.updateProgress({ step, meanReturn }).catch(() => {});
    void sent.finally(() => {
      isSending = false;
    });
  };
}
