import { whenSupervisorLeaves } from "./supervisor.js";

/** The exit code after Ctrl-C: 128 + SIGINT. */
export const INTERRUPTED = 130;

/** Ctrl-C, a supervisor's request, and a closed terminal. */
const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** What the first signal prints, by what is going on. */
export const atInterrupt = {
  starting: "stopping before the first step; nothing is written",
  training: "stopping after this update and writing the run folder",
  playing: "stopping; the summary covers the episodes that were played to their end",
  recording: "stopping and writing the film so far",
  installing: "stopping and removing the partial installation",
  queueing: "stopping; the queued runs go on, and the same command collects their results",
  working: "stopping the runs after their next update and giving them back to the queue",
  watching: "stopping; the runs go on",
  sweeping: "stopping all runs after their next update; they can be continued",
} as const;

/** Listening for Ctrl-C, until disposed. */
export interface Interrupt {
  readonly signal: AbortSignal;
  /** Sets what is going on from now on. */
  now(doing: keyof typeof atInterrupt): void;
  dispose(): void;
}

/**
 * Turns the first SIGINT, SIGTERM or SIGHUP into an abort, so that the work ends where nothing is lost; the second one
 * quits at once. A run of a sweep also stops when the sweep does.
 */
export function listenForInterrupt(
  err: NodeJS.WriteStream,
  doing: keyof typeof atInterrupt = "starting",
): Interrupt {
  const controller = new AbortController();
  let answer: string = atInterrupt[doing];
  const onSignal = () => {
    if (controller.signal.aborted) process.exit(INTERRUPTED);
    controller.abort();
    err.write(`\nsoftrl: ${answer}; press Ctrl-C again to quit at once\n`);
  };
  for (const signal of signals) process.on(signal, onSignal);
  const stopListening = whenSupervisorLeaves(() => controller.abort());
  return {
    signal: controller.signal,
    now: (next) => {
      answer = atInterrupt[next];
    },
    dispose: () => {
      stopListening();
      for (const signal of signals) process.off(signal, onSignal);
    },
  };
}
