import { Worker } from "node:worker_threads";
import { runWorker, type WorkerHost } from "softrl";

// A text, which starts at once: Node 20 aborts when a worker is ended while it still loads modules.
const script = `(${runWorker})(require("node:worker_threads").workerData)`;

/** Threads for WebAssembly from Node's `worker_threads`. */
export const nodeWorkers: WorkerHost = {
  start(init, died) {
    // The options of this process, such as --cpu-prof, are not for its threads.
    const worker = new Worker(script, {
      eval: true,
      workerData: init,
      execArgv: [],
      name: "softrl kernels",
    });
    worker.unref();
    worker.once("error", died);
    worker.once("exit", (code) => died(new Error(`it ended with code ${code}`)));
    return { stop: () => void worker.terminate() };
  },
  wait: (words, index, value, milliseconds) =>
    Atomics.wait(words, index, value, milliseconds) !== "timed-out",
};

/** Why this process may not have workers, null where it may. */
export async function whyNoWorkers(): Promise<string | null> {
  try {
    await new Worker("", { eval: true, execArgv: [] }).terminate();
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
