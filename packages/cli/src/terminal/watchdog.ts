import { Worker } from "node:worker_threads";
import { isSupervised, SECONDS_TO_END, SUPERVISED } from "./supervisor.js";

/** What the thread gets. */
export interface WatchdogData {
  /** The number of the process whose end it watches for. */
  readonly parent: number;
  /** How long this process may outlive it. */
  readonly seconds: number;
}

/**
 * Starts a thread that kills this process if it outlives the sweep that started it by {@link SECONDS_TO_END}: a run whose
 * environment never returns cannot notice that its sweep is gone. Nothing happens in a process that no sweep started.
 */
export function startWatchdog(): void {
  if (!isSupervised()) return;
  const workerData: WatchdogData = { parent: Number(process.env[SUPERVISED]), seconds: SECONDS_TO_END };
  const thread = new Worker(new URL("./watchdog-thread.js", import.meta.url), {
    workerData,
    // Neither options of Node nor modules that are loaded before the command: this thread only looks at a number.
    execArgv: [],
    env: {},
    resourceLimits: { maxOldGenerationSizeMb: 8, maxYoungGenerationSizeMb: 1, stackSizeMb: 1 },
  });
  // A run goes on without it where the system has no thread left.
  thread.on("error", () => {});
  thread.unref();
}
