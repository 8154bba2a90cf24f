import { SoftrlError } from "../base/errors.js";
import { thrownText } from "../base/part-fault.js";
import { sharedMemory } from "../base/shared-memory.js";
import type { WorkerCode, WorkerHandle, WorkerHost } from "../base/worker-host.js";
import {
  progressOf,
  type SentError,
  type WorkerAssignment,
  type WorkerReply,
  type WorkerRequest,
} from "./worker-messages.js";

/** How the workers of a run are started. */
export interface TrainingWorkersParts {
  readonly host: WorkerHost;
  /** A module whose entry calls `runTrainingWorker`. */
  readonly code: WorkerCode;
  /** What that module needs besides the configuration: anything that can be sent with `postMessage`. */
  readonly parts?: unknown;
  /**
   * Seconds without a step of its environments after which a worker counts as lost; 120 if left out. Its start may always
   * take 120 seconds.
   */
  readonly patience?: number;
}

/** The parts of {@link WorkerThreads}. */
export interface WorkerThreadsParts extends TrainingWorkersParts {
  /** The algorithm's name, for errors. */
  readonly algorithm: string;
  readonly workers: number;
  /** What a worker receives that starts now. */
  readonly assignment: (worker: number) => Pick<WorkerAssignment, "config" | "own" | "memory" | "state">;
}

/** A worker, and who waits for its reply. */
interface Thread {
  readonly handle: WorkerHandle;
  awaited: { resolve(reply: WorkerReply): void; reject(error: unknown): void } | null;
  /** Its progress when it was last looked at, and the milliseconds that it has not changed for. */
  progress: number;
  silent: number;
}

const PATIENCE = 120;
const MILLISECONDS_OF_GOODBYE = 5000;

/**
 * The worker threads of a run: asks all of them at a time. One that throws, ends or stops answering ends them all, with
 * one error, which every later request throws again.
 */
export class WorkerThreads {
  /** Shared with the workers: {@link WorkerAssignment.counters}. */
  readonly counters: Int32Array;
  readonly #parts: WorkerThreadsParts;
  readonly #patience: number;
  #threads: readonly Thread[] = [];
  /** Why no worker answers any more. */
  #lost: SoftrlError | null = null;

  constructor(parts: WorkerThreadsParts) {
    this.#parts = parts;
    this.#patience = 1000 * (parts.patience ?? PATIENCE);
    const words = progressOf(parts.workers);
    this.counters = new Int32Array(sharedMemory("WorkerThreads", words * Int32Array.BYTES_PER_ELEMENT));
  }

  get started(): boolean {
    return this.#threads.length > 0 || this.#lost !== null;
  }

  /** Starts all workers. @throws SoftrlError where one of them cannot start, or make its part of the run. */
  async start(): Promise<void> {
    const { host, code, workers, assignment, parts } = this.#parts;
    const threads: Thread[] = [];
    this.#threads = threads;
    await this.#replies(
      () => {
        for (let worker = 0; worker < workers; worker++) {
          const { buffer } = this.counters;
          const data = { ...assignment(worker), worker, counters: buffer, parts };
          const handle = host.start(code, data, {
            message: (message) => this.#received(worker, message as WorkerReply),
            ended: (cause) => this.#lose(worker, `the worker has ended: ${thrownText(cause)}`, cause),
          });
          threads.push({ handle, awaited: null, progress: 0, silent: 0 });
        }
      },
      Math.max(this.#patience, 1000 * PATIENCE),
    );
  }

  /** Sends a request to all workers. @returns their replies, once all have replied */
  ask(request: WorkerRequest): Promise<readonly WorkerReply[]> {
    return this.#replies(() => {
      for (const { handle } of this.#threads) handle.post(request);
    });
  }

  /**
   * Closes the environments of the workers and ends them. A request that is not answered yet throws; its workers are ended
   * as they are.
   */
  async close(): Promise<void> {
    const isIdle = this.#threads.every(({ awaited }) => awaited === null);
    if (this.#threads.length > 0 && this.#lost === null && isIdle) await this.#goodbye();
    this.#lost ??= new SoftrlError(this.#parts.algorithm, "the run's workers were closed");
    await this.#end();
  }

  /** One reply of each worker to what `send` sends. */
  async #replies(send: () => void, patience = this.#patience): Promise<readonly WorkerReply[]> {
    if (this.#lost !== null) {
      // A worker may have ended while no request was open.
      await this.#end();
      throw this.#lost;
    }
    const stopWatching = this.#watch(patience);
    try {
      send();
      return await Promise.all(
        this.#threads.map(
          (thread) =>
            new Promise<WorkerReply>((resolve, reject) => {
              thread.awaited = { resolve, reject };
              thread.silent = 0;
            }),
        ),
      );
    } catch (error) {
      this.#lost ??= this.#startFailure(error);
      await this.#end();
      throw this.#lost;
    } finally {
      stopWatching();
    }
  }

  #received(worker: number, reply: WorkerReply): void {
    if (reply.kind === "failed") {
      this.#lose(worker, reply.error.what, undefined, reply.error);
      return;
    }
    const thread = this.#threads[worker];
    const { awaited } = thread;
    thread.awaited = null;
    awaited?.resolve(reply);
  }

  /** Counts the time that a worker which owes a reply has made no progress. Keeps the process alive meanwhile. */
  #watch(patience: number): () => void {
    const interval = Math.min(1000, patience / 4);
    return this.#parts.host.every(interval, () => {
      this.#threads.forEach((thread, worker) => {
        if (thread.awaited === null) return;
        const progress = Atomics.load(this.counters, progressOf(worker));
        thread.silent = progress === thread.progress ? thread.silent + interval : 0;
        thread.progress = progress;
        if (thread.silent >= patience) {
          this.#lose(worker, `the worker has made no step for ${patience / 1000} seconds`);
        }
      });
    });
  }

  #lose(worker: number, what: string, cause?: unknown, sent?: SentError): void {
    const name = `${this.#parts.algorithm}: worker ${worker + 1} of ${this.#parts.workers}`;
    const remedy = "continue from the last checkpoint with softrl resume";
    const code = "worker-lost";
    if (sent === undefined) this.#lost ??= new SoftrlError(name, what, { remedy, code }, { cause });
    else if (sent.where === undefined)
      this.#lost ??= new SoftrlError(name, `failed: ${what}`, { remedy, code });
    else this.#lost ??= new SoftrlError(`${name}: ${sent.where}`, what, { remedy, ...sent.details });
    this.#rejectAwaited();
  }

  #rejectAwaited(): void {
    for (const thread of this.#threads) {
      thread.awaited?.reject(this.#lost);
      thread.awaited = null;
    }
  }

  /** The error of a host that could not start a worker or send to it. */
  #startFailure(error: unknown): SoftrlError {
    if (error instanceof SoftrlError) return error;
    const what = `could not start its workers: ${thrownText(error)}`;
    return new SoftrlError(this.#parts.algorithm, what, { code: "worker-lost" }, { cause: error });
  }

  /** Waits until all workers have closed their environments, or a few seconds. */
  async #goodbye(): Promise<void> {
    let stop = (): void => {};
    const late = new Promise<void>((resolve) => {
      stop = this.#parts.host.every(MILLISECONDS_OF_GOODBYE, resolve);
    });
    try {
      await Promise.race([this.ask({ kind: "close" }), late]);
    } catch {
      // A worker that is lost now has nothing left to lose.
    } finally {
      stop();
    }
  }

  /** Ends all threads, whatever they do, and every request: an open one would keep the process alive. */
  async #end(): Promise<void> {
    this.#rejectAwaited();
    const threads = this.#threads;
    this.#threads = [];
    await Promise.all(threads.map(({ handle }) => handle.stop()));
  }
}
