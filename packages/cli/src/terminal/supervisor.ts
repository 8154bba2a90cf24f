import type { TrainProgress } from "softrl";

/** The variable by which a sweep starts the process of a run: the number of its own process. */
export const SUPERVISED = "SOFTRL_SUPERVISED";

/** What the process of a run sends to the sweep that started it. */
export interface RunProgress {
  readonly step: number;
  readonly meanReturn: number | null;
}

/**
 * How long a run has to write its checkpoint once it is asked to stop: a large replay takes a minute on a slow disk. Tests
 * set fewer seconds.
 */
export const SECONDS_TO_STOP = Number(process.env.SOFTRL_SECONDS_TO_STOP) || 100;
/** A run that has not ended so long after it was asked to stop, or after the end of its sweep, is killed. */
export const SECONDS_TO_END = 1.1 * SECONDS_TO_STOP;
/** The exit code by which a run reports to its sweep that its disk is full (sysexits' EX_IOERR). */
export const DISK_FULL = 74;
const SECONDS_BETWEEN_MESSAGES = 0.5;

/** Whether a sweep started this process, with a channel between the two. */
export const isSupervised = (): boolean =>
  (process.env[SUPERVISED] ?? "") !== "" && process.send !== undefined;

/**
 * Calls `stop` when the sweep that started this process closes the channel, or has ended, even by a kill: then the run
 * writes its checkpoint, and no process is left. Nothing happens in a process that no sweep started.
 * @returns what ends the listening
 */
export function whenSupervisorLeaves(stop: () => void): () => void {
  if (!isSupervised()) return () => {};
  const onDisconnect = () => {
    // A run that waits for something that never comes must not outlive its sweep; one that blocks this thread is killed.
    setTimeout(() => process.exit(1), SECONDS_TO_STOP * 1000).unref();
    stop();
  };
  if (process.connected) process.once("disconnect", onDisconnect);
  else onDisconnect();
  // The channel alone keeps no process alive.
  process.channel?.unref();
  return () => void process.off("disconnect", onDisconnect);
}

/** Sends how a run stands to the sweep that started this process. */
export class SupervisedDisplay {
  readonly #clock: () => number;
  #lastMessage = Number.NEGATIVE_INFINITY;

  constructor(clock: () => number) {
    this.#clock = clock;
  }

  /** Takes the newest state of the run. */
  show([run]: readonly TrainProgress[]): void {
    if (this.#clock() - this.#lastMessage < SECONDS_BETWEEN_MESSAGES || !process.connected) return;
    this.#lastMessage = this.#clock();
    const progress: RunProgress = { step: Math.min(run.step, run.steps), meanReturn: run.meanReturn };
    // A sweep that has just ended is noticed elsewhere.
    process.send?.(progress, undefined, undefined, () => {});
  }

  end(): void {}
}

/** Whether a message is a {@link RunProgress}. */
export function isRunProgress(message: unknown): message is RunProgress {
  if (typeof message !== "object" || message === null) return false;
  const { step, meanReturn } = message as Record<string, unknown>;
  return typeof step === "number" && (meanReturn === null || typeof meanReturn === "number");
}
