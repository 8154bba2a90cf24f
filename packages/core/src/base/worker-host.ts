/**
 * The port to the threads of a platform. Node implements it with `worker_threads` (`@softrl/node`), a browser with module
 * workers. A platform has to offer messages, shared memory, and a notice when a worker ends.
 */
export interface WorkerHost {
  /**
   * Starts a worker. Returns at once, and the worker does not keep the process alive.
   * @param data what the worker receives: anything that can be sent with `postMessage`
   */
  start(code: WorkerCode, data: unknown, events: WorkerEvents): WorkerHandle;
  /**
   * Blocks until words[index] differs from `value` or another thread notifies; returns false after the given time. Uses
   * `Atomics.wait` where blocking is allowed; the main thread of a browser must poll instead.
   */
  wait(words: Int32Array<SharedArrayBuffer>, index: number, value: number, milliseconds: number): boolean;
  /** Calls again and again, and keeps the process alive, until the returned function is called. */
  every(milliseconds: number, call: () => void): () => void;
}

/**
 * What a worker runs: a function that a module exports, found by the module's URL; or a function that refers to nothing
 * outside itself, so that its text can be a script.
 */
export type WorkerCode =
  | { readonly module: string; readonly entry: string }
  | { readonly script: (data: never) => void };

/** A function that a worker's module exports. The worker ends when its process does, or when it is stopped. */
export type WorkerEntry = (parent: ParentPort, data: unknown) => void | Promise<void>;

/** What a host reports of a worker. */
export interface WorkerEvents {
  /** A message that the worker sent. */
  message?(message: unknown): void;
  /** The worker has ended without being stopped: by an error that it did not catch, or by leaving. Called once. */
  ended(cause: unknown): void;
}

/** A worker, as the thread that started it has it. */
export interface WorkerHandle {
  /** Sends a message, which a module's worker receives once it listens. */
  post(message: unknown): void;
  /** Ends the worker, whatever it does; resolves once it has ended, and never rejects. */
  stop(): Promise<void>;
}

/** The thread that started a worker, as the worker has it. */
export interface ParentPort {
  /** @param transfer memory of the message to hand over instead of copying it; a port may copy it all the same */
  post(message: unknown, transfer?: ArrayBuffer[]): void;
  /** Calls for each message, those that came before included. */
  listen(call: (message: unknown) => void): void;
}
