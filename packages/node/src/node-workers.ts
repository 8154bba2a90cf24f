import { Worker } from "node:worker_threads";
import type { WorkerCode, WorkerHost } from "softrl";

/** Threads from Node's `worker_threads`: for WebAssembly, and for the workers of asynchronous algorithms. */
export const nodeWorkers: WorkerHost = {
  start(code, data, { message, ended }) {
    const isModule = "module" in code;
    // The options of this process, such as --cpu-prof, are not for its threads.
    const worker = new Worker(scriptOf(code), {
      eval: true,
      workerData: isModule ? { ...code, data } : data,
      execArgv: [],
      name: "softrl",
    });
    worker.unref();
    let stopping = false;
    let hasEnded = false;
    let isLoaded = (): void => {};
    const loaded = new Promise<void>((resolve) => {
      isLoaded = resolve;
    });
    if (!isModule) isLoaded();
    const end = (cause: unknown) => {
      isLoaded();
      if (hasEnded || stopping) return;
      hasEnded = true;
      ended(cause);
    };
    // A listener lets the worker keep the process alive again, so threads that report nothing have none.
    if (isModule || message !== undefined) {
      worker.on("message", (sent: WorkerMessage) => {
        if ("loaded" in sent) isLoaded();
        else if (!stopping && !hasEnded) message?.(sent.message);
      });
    }
    worker.on("messageerror", end);
    worker.on("error", end);
    worker.once("exit", (exitCode) => end(new Error(`it ended with code ${exitCode}`)));
    return {
      post: (sent) => worker.postMessage(sent),
      async stop() {
        stopping = true;
        // Node 20 aborts the process when a worker is ended while it still loads modules.
        await Promise.race([loaded, delay(LONGEST_LOADING)]);
        await worker.terminate();
      },
    };
  },
  wait: (words, index, value, milliseconds) =>
    Atomics.wait(words, index, value, milliseconds) !== "timed-out",
  every(milliseconds, call) {
    const timer = setInterval(call, milliseconds);
    return () => clearInterval(timer);
  },
};

/** Milliseconds after which a module that still loads is ended all the same. */
const LONGEST_LOADING = 10_000;

/** What a worker with a module sends: that it has loaded, or a message of its own. */
type WorkerMessage = { readonly loaded: true } | { readonly message: unknown };

/** A text, which starts at once. It cannot refer to anything of this file. */
function scriptOf(code: WorkerCode): string {
  const data = 'require("node:worker_threads").workerData';
  if ("script" in code) return `(${code.script})(${data})`;
  return `const { parentPort, workerData } = require("node:worker_threads");
import(workerData.module).then((exports) => {
  parentPort.postMessage({ loaded: true });
  const parent = {
    post: (message) => parentPort.postMessage({ message }),
    listen: (call) => parentPort.on("message", call),
  };
  return exports[workerData.entry](parent, workerData.data);
});`;
}

const delay = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, milliseconds).unref();
  });

/** Why this process may not have workers, null where it may. */
export async function whyNoWorkers(): Promise<string | null> {
  try {
    await new Worker("", { eval: true, execArgv: [] }).terminate();
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
