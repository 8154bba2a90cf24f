import { SoftrlError } from "../../base/errors.js";
import type { WorkerHandle, WorkerHost } from "../../base/worker-host.js";
import type { WasmMemory, WasmModule } from "./wasm-module.js";

declare const WebAssembly: {
  readonly Instance: new (module: WasmModule, imports: object) => { readonly exports: TeamExports };
};

/** The data that a worker gets when it starts; it can be sent with `postMessage`. */
export interface WorkerInit {
  readonly module: WasmModule;
  readonly memory: WasmMemory;
  /** The number of the worker, starting from 1. */
  readonly thread: number;
  /** The end of its stack, which grows downwards. */
  readonly stack: number;
}

/** The exports of kernels/workers.cpp. */
export interface TeamExports {
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
 * Runs a worker: computes parts of kernels until the team ends. The script of a worker only calls this
 * function, with the data that it got. The function refers to nothing outside itself, so that its text can be
 * a script.
 */
export function runWorker({ module, memory, thread, stack }: WorkerInit): void {
  const never = () => {
    throw new Error("runWorker: only the calling thread can start workers and wait for them");
  };
  const { exports } = new WebAssembly.Instance(module, {
    env: { memory },
    host: { start: never, wait: never },
  });
  exports.__stack_pointer.value = stack;
  try {
    exports.work(thread);
  } catch (error) {
    // The thread that waits for the lost part must be notified.
    exports.fail(thread);
    throw error;
  }
}

/** The parameters of a team. */
export interface TeamOptions {
  readonly module: WasmModule;
  readonly host: WorkerHost;
  /** The number of threads, the calling thread included. */
  readonly threads: number;
  /** The number of floats that each thread needs inside kernels. */
  readonly floats: number;
  /** A kernel with fewer operations stays on one thread. */
  readonly leastShared: number;
  /** Milliseconds after which a worker that does not finish a part counts as lost. */
  readonly patience: number;
}

const workerStackBytes = 262144;
const waitMilliseconds = 100;

/** The bytes of memory that a team needs. */
export function teamBytes({ threads, floats }: TeamOptions): number {
  return threads * (workerStackBytes + floats * Float32Array.BYTES_PER_ELEMENT);
}

/** An instance of the kernels with its workers. They start when there is a kernel to share. */
export class WorkerTeam {
  readonly #options: TeamOptions;
  readonly #memory: WasmMemory;
  readonly #at: number;
  readonly #exports: TeamExports;
  readonly #team: number;
  #workers: WorkerHandle[] = [];
  #ended = false;
  #lost: SoftrlError | undefined;

  /** The memory must have {@link teamBytes} bytes at address `at`. */
  constructor(options: TeamOptions, memory: WasmMemory, at: number) {
    this.#options = options;
    this.#memory = memory;
    this.#at = at;
    const words = new Int32Array(memory.buffer as SharedArrayBuffer);
    const { exports } = new WebAssembly.Instance(options.module, {
      env: { memory },
      host: {
        start: () => this.#start(),
        wait: (address: number, seen: number) =>
          this.#wait(words, address / Int32Array.BYTES_PER_ELEMENT, seen),
      },
    });
    this.#exports = exports;
    const { threads, floats, leastShared } = options;
    this.#team = this.#exports.assemble(threads, at + threads * workerStackBytes, floats, leastShared);
  }

  /** Runs a program. @throws SoftrlError when a worker has died, in this run or an earlier one. */
  run(code: number, length: number, arena: number): void {
    if (this.#lost !== undefined) throw this.#lost;
    try {
      this.#exports.run(code, length, arena, this.#ended ? 0 : this.#team);
    } catch (error) {
      // The kernels were interrupted, so their state in memory is no longer valid.
      throw this.#lose("a run was interrupted", error);
    }
  }

  get started(): boolean {
    return this.#workers.length > 0;
  }

  /** Ends the workers; programs still run, without them. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#exports.end();
    for (const worker of this.#workers) void worker.stop();
    this.#workers = [];
  }

  #start(): void {
    const { module, host, threads } = this.#options;
    for (let thread = 1; thread < threads; thread++) {
      const stack = this.#at + (thread + 1) * workerStackBytes;
      const init: WorkerInit = { module, memory: this.#memory, thread, stack };
      const ended = (cause: unknown) => {
        if (!this.#ended) this.#lose(`worker ${thread} has died`, cause);
      };
      this.#workers.push(host.start({ script: runWorker }, init, { ended }));
    }
  }

  #wait(words: Int32Array<SharedArrayBuffer>, index: number, seen: number): void {
    const { host, patience } = this.#options;
    for (let waited = 0; ; waited += waitMilliseconds) {
      const failed = this.#exports.failure();
      if (failed !== 0) throw this.#lose(`worker ${failed} has died during a run`);
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
