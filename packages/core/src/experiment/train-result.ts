import type { LearningWarning } from "./learning-check.js";
import type { LearningCurve } from "./learning-curve.js";
import type { OracleMeasurement } from "./oracle-measurement.js";
import type { EvaluationPoint } from "./run-event.js";

/** The outcome of a run. */
export interface TrainResult {
  /** Over the last 100 training episodes; null when none ended. */
  readonly meanReturn: number | null;
  readonly episodes: number;
  readonly steps: number;
  readonly stepsPerSecond: number;
  /** Whether it was stopped before its last step, or before its last evaluation. */
  readonly interrupted: boolean;
  /** False where the same seed gives another result every time; absent otherwise. */
  readonly reproducible?: false;
  /** Absent unless the mean return had not left its start after a quarter of the steps. */
  readonly warning?: LearningWarning;
  /** The oracle's newest measurement; absent without an oracle. */
  readonly oracle?: OracleMeasurement;
  /** The newest evaluation during the run and the best; absent without `evaluateEvery`. */
  readonly evaluation?: EvaluationSummary;
}

/** The newest evaluation of a run, and the earliest of those with the largest mean return. */
export interface EvaluationSummary {
  readonly last: EvaluationPoint;
  readonly best: EvaluationPoint;
}

/** A result, and what a run's pictures are drawn from. */
export interface RunOutcome {
  readonly result: TrainResult;
  readonly curve: LearningCurve;
  /** The oracle's measurements, the newest last; none without an oracle. */
  readonly measurements: readonly OracleMeasurement[];
  /** The evaluations during the run, the newest last; none without `evaluateEvery`. */
  readonly evaluations: readonly EvaluationPoint[];
}

/** The newest evaluation, and the earliest of those with the largest mean return; null where there is none. */
export function evaluationSummary(points: readonly EvaluationPoint[]): EvaluationSummary | null {
  const last = points.at(-1);
  if (last === undefined) return null;
  const best = points.reduce((best, point) => (point.meanReturn > best.meanReturn ? point : best));
  return { last, best };
}

/** The parts of a result; what is null or empty is absent from it. */
export interface ResultParts extends Omit<TrainResult, "reproducible" | "warning" | "oracle" | "evaluation"> {
  readonly reproducible: boolean;
  readonly warning: LearningWarning | null;
  readonly measurements: readonly OracleMeasurement[];
  readonly evaluations: readonly EvaluationPoint[];
}

/** The result of a run, with its keys in one order whether it was trained in one go or read from a checkpoint. */
export function trainResult({ warning, measurements, evaluations, ...parts }: ResultParts): TrainResult {
  const { meanReturn, episodes, steps, stepsPerSecond, interrupted, reproducible } = parts;
  const oracle = measurements.at(-1);
  const evaluation = evaluationSummary(evaluations);
  return {
    meanReturn,
    episodes,
    steps,
    stepsPerSecond,
    interrupted,
    ...(reproducible ? {} : { reproducible }),
    ...(warning === null ? {} : { warning }),
    ...(oracle === undefined ? {} : { oracle }),
    ...(evaluation === null ? {} : { evaluation }),
  };
}
