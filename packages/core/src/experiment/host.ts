import { describeNumber, fail } from "../base/errors.js";
import { inPart } from "../base/part-fault.js";
import type { LearningWarning } from "./learning-check.js";

/** The state of a run. */
export interface TrainProgress {
  readonly algorithm: string;
  /** Environment steps taken, all environments together. */
  readonly step: number;
  /** Environment steps to take. */
  readonly steps: number;
  readonly episodes: number;
  /** Over the last 100 training episodes; null before the first one ends. */
  readonly meanReturn: number | null;
  /** Over the time spent in iterations. */
  readonly stepsPerSecond: number;
  /** Absent unless the mean return has not left its start after a quarter of the steps. */
  readonly warning?: LearningWarning;
}

/** What surrounds a run: a clock, a way to stop it, and room for other work. */
export interface Host {
  /** Seconds from any origin, for the measured speed. */
  readonly clock?: () => number;
  /** Stops a run between two iterations once `aborted` is true; an AbortSignal is one. */
  readonly signal?: { readonly aborted: boolean };
  /** Lets signals, drawing and timers run; called about ten times a second where there is a clock. */
  readonly pause?: () => Promise<void>;
  /** Called about ten times a second, and at the end. */
  readonly onProgress?: (progress: readonly TrainProgress[]) => void;
}

/** A host's clock, which throws a SoftrlError where the clock throws or does not give seconds; null without one. */
export function checkedClock(clock: (() => number) | undefined): (() => number) | null {
  if (clock === undefined) return null;
  return () => {
    const seconds = inPart("clock", "the call", clock);
    if (Number.isFinite(seconds)) return seconds;
    return fail("clock", "the clock did not give seconds", {
      expected: "a finite number",
      got: describeNumber(seconds),
    });
  };
}
