import type { LearningWarning } from "./learning-check.js";
import type { OracleMeasurement } from "./oracle.js";
import type { EvaluationSummary } from "./periodic-evaluation.js";

/** The outcome of a run. */
export interface TrainResult {
  /** Over the last 100 training episodes; null when none ended. */
  readonly meanReturn: number | null;
  readonly episodes: number;
  readonly steps: number;
  readonly stepsPerSecond: number;
  /** Whether it was stopped before its last step. */
  readonly interrupted: boolean;
  /** Absent unless the mean return had not left its start after a quarter of the steps. */
  readonly warning?: LearningWarning;
  /** The oracle's newest measurement; absent without an oracle. */
  readonly oracle?: OracleMeasurement;
  /** The newest evaluation during the run and the best; absent without `evaluateEvery`. */
  readonly evaluation?: EvaluationSummary;
}
