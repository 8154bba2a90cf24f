import { SoftrlError } from "../../base/errors.js";
import type { WasmMemory, WasmModule } from "./wasm-module.js";

declare const WebAssembly: {
  readonly Instance: new (module: WasmModule, imports: object) => { readonly exports: CrewExports };
};

/** What a worker is sent when it starts; passes through `postMessage` as it is. */
export interface CrewInvitation {
  readonly module: WasmModule;
  readonly memory: WasmMemory;
  /** Its number, from 1. */
  readonly thread: number;
  /** The end of its stack, which grows downwards. */
  readonly stack: number;
}

/**
 * The port through which WebAssembly gets threads: the platform's workers. Node has `worker_threads`, a browser Web
 * Workers; both start a script that calls {@link joinCrew}.
 */
export interface WorkerHost {
  /**
   * Starts a worker that calls `joinCrew(invitation)` and then ends. It returns at once, and the worker keeps no process
   * alive; until it is there the others work without it. `died` is told when the worker ends before it is let go.
   */
  start(invitation: CrewInvitation, died: (cause: unknown) => void): CrewWorker;
  /**
   * Waits until words[index] is no longer `value`, or somebody notifies; false once so many milliseconds have passed.
   * Where sleeping is allowed, `Atomics.wait`; on a browser's main thread, which may not sleep, looking again and again.
   */
  wait(words: Int32Array<SharedArrayBuffer>, index: number, value: number, milliseconds: number): boolean;
}

export interface CrewWorker {
  /** Ends the worker, if it has not ended by itself. */
  stop(): void;
}

/** What kernels/crew.cpp exports. */
export interface CrewExports {
  readonly __heap_base: { readonly value: number };
  readonly __stack_pointer: { value: number };
  readonly run: (code: number, length: number, arena: number, team: number) => void;
  readonly assemble: (threads: number, memory: number, floats: number, leastShared: number) => number;
  readonly work: (thread: number) => void;
  readonly end: () => void;
  readonly fail: (thread: number) => void;
  readonly failure: () => number;
}

/**
 * The whole life of a worker: computes parts of kernels until its crew is let go. A worker's script calls this with
 * the invitation that it was sent, and does nothing else. It refers to nothing outside, so that its text can be a script.
 */
export function joinCrew({ module, memory, thread, stack }: CrewInvitation): void {
  const never = () => {
    throw new Error("joinCrew: the calling thread alone starts workers and waits for them");
  };
  const { exports } = new WebAssembly.Instance(module, {
    env: { memory },
    host: { start: never, wait: never },
  });
  exports.__stack_pointer.value = stack;
  try {
    exports.work(thread);
  } catch (error) {
    // Whoever waits for the part that is lost must hear of it.
    exports.fail(thread);
    throw error;
  }
}

/** How a crew is made. */
export interface CrewTerms {
  readonly module: WasmModule;
  readonly host: WorkerHost;
  /** Threads, the calling one among them. */
  readonly threads: number;
  /** Floats that each thread has for itself inside kernels. */
  readonly floats: number;
  /** Operations below which a kernel is not shared. */
  readonly leastShared: number;
  /** Milliseconds after which a worker that finishes no part counts as lost. */
  readonly patience: number;
}

const workerStackBytes = 262144;
const waitMilliseconds = 100;

/** Bytes of memory that a crew needs for itself. */
export function crewBytes({ threads, floats }: CrewTerms): number {
  return threads * (workerStackBytes + floats * Float32Array.BYTES_PER_ELEMENT);
}

/** An instance of the kernels with its workers, who start when there is first something to share. */
export class Crew {
  readonly #terms: CrewTerms;
  readonly #memory: WasmMemory;
  readonly #at: number;
  readonly #exports: CrewExports;
  readonly #team: number;
  #workers: CrewWorker[] = [];
  #ended = false;
  #lost: SoftrlError | undefined;

  /** At address `at` of the memory there must be {@link crewBytes}. */
  constructor(terms: CrewTerms, memory: WasmMemory, at: number) {
    this.#terms = terms;
    this.#memory = memory;
    this.#at = at;
    const words = new Int32Array(memory.buffer as SharedArrayBuffer);
    const { exports } = new WebAssembly.Instance(terms.module, {
      env: { memory },
      host: {
        start: () => this.#start(),
        wait: (address: number, seen: number) =>
          this.#wait(words, address / Int32Array.BYTES_PER_ELEMENT, seen),
      },
    });
    this.#exports = exports;
    const { threads, floats, leastShared } = terms;
    this.#team = this.#exports.assemble(threads, at + threads * workerStackBytes, floats, leastShared);
  }

  /** Runs a program. @throws SoftrlError when a worker has died, this time and ever after. */
  run(code: number, length: number, arena: number): void {
    if (this.#lost !== undefined) throw this.#lost;
    try {
      this.#exports.run(code, length, arena, this.#ended ? 0 : this.#team);
    } catch (error) {
      // The kernels were left in the middle: what they keep in memory is no longer sound.
      throw this.#lose("a run was broken off", error);
    }
  }

  get started(): boolean {
    return this.#workers.length > 0;
  }

  /** Lets the workers go; programs still run, without them. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#exports.end();
    for (const worker of this.#workers) worker.stop();
    this.#workers = [];
  }

  #start(): void {
    const { module, host, threads } = this.#terms;
    for (let thread = 1; thread < threads; thread++) {
      const stack = this.#at + (thread + 1) * workerStackBytes;
      const died = (cause: unknown) => {
        if (!this.#ended) this.#lose(`worker ${thread} has died`, cause);
      };
      this.#workers.push(host.start({ module, memory: this.#memory, thread, stack }, died));
    }
  }

  #wait(words: Int32Array<SharedArrayBuffer>, index: number, seen: number): void {
    const { host, patience } = this.#terms;
    for (let waited = 0; ; waited += waitMilliseconds) {
      const failed = this.#exports.failure();
      if (failed !== 0) throw this.#lose(`worker ${failed} has died at work`);
      if (host.wait(words, index, seen, waitMilliseconds)) return;
      if (waited >= patience) throw this.#lose(`a worker has not answered for ${patience} ms`);
    }
  }

  #lose(what: string, cause?: unknown): SoftrlError {
    const because = cause instanceof Error ? ` (${cause.message})` : "";
    this.#lost ??=
      cause instanceof SoftrlError
        ? cause
        : new SoftrlError(
            "KernelInstance.run",
            `the threads of WebAssembly are lost: ${what}${because}`,
            { remedy: "run it again, with one thread if it happens again" },
            { cause },
          );
    this.end();
    return this.#lost;
  }
}
