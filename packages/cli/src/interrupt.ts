/** What a run that Ctrl-C stopped exits with: 128 + SIGINT. */
export const INTERRUPTED = 130;

/** Listening for Ctrl-C, until disposed. */
export interface Interrupt {
  readonly signal: AbortSignal;
  dispose(): void;
}

/**
 * Turns the first SIGINT or SIGTERM into an abort, so that the run ends between two updates with a whole folder;
 * the second one quits at once.
 */
export function listenForInterrupt(err: NodeJS.WriteStream): Interrupt {
  const controller = new AbortController();
  const onSignal = () => {
    if (controller.signal.aborted) process.exit(INTERRUPTED);
    controller.abort();
    err.write(
      "\nsoftrl: stopping after this update and writing the run folder; press Ctrl-C again to quit at once\n",
    );
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  return {
    signal: controller.signal,
    dispose: () => {
      process.off("SIGINT", onSignal);
      process.off("SIGTERM", onSignal);
    },
  };
}
