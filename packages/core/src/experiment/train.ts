import type { TrainConfig } from "./config.js";
import { Trainer, type TrainerParts, type TrainProgress, type TrainResult } from "./trainer.js";

/** What the surroundings of a run give it: a clock, a way to stop it, and room for other work. */
export interface Host {
  /** Seconds from any origin. */
  readonly clock: () => number;
  /** Stops a run between two iterations once `aborted` is true; an AbortSignal is one. */
  readonly signal?: { readonly aborted: boolean };
  /** Lets the surroundings work for a moment (signals, drawing, timers); called about ten times a second. */
  readonly pause?: () => Promise<void>;
  /** Called about ten times a second, and at the end. */
  readonly onProgress?: (progress: readonly TrainProgress[]) => void;
}

const SECONDS_BETWEEN_PAUSES = 0.1;

/**
 * Trains from the configuration's seed to its last step, or until the signal.
 * @throws SoftrlError when an observation, a reward, a loss or a parameter is not finite.
 */
export async function train(config: TrainConfig, parts: TrainerParts & Host): Promise<TrainResult> {
  const trainer = new Trainer(config, parts);
  await trainer.start();
  await iterateTogether([trainer], parts);
  return trainer.finish();
}

/**
 * Iterates started trainers in turn, until each is done or the signal stops them all.
 * @param onRound called when each has made an iteration
 */
export async function iterateTogether(
  trainers: readonly Trainer[],
  host: Host,
  onRound?: () => void,
): Promise<void> {
  const report = () => host.onProgress?.(trainers.map((trainer) => trainer.progress));
  let paused = host.clock();
  while (!host.signal?.aborted && trainers.some((trainer) => !trainer.done)) {
    for (const trainer of trainers) if (!trainer.done) await trainer.iterate();
    onRound?.();
    if (host.clock() - paused >= SECONDS_BETWEEN_PAUSES) {
      report();
      await host.pause?.();
      paused = host.clock();
    }
  }
  report();
}
