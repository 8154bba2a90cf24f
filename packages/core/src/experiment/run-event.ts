import type { LearningWarning } from "./learning-check.js";
import type { OracleMeasurement } from "./oracle-measurement.js";
import type { Provenance } from "./provenance.js";
import type { ExecutorIdentity, RunConfig } from "./run-config.js";

/** An event of a run, one JSON object on a line of `events.jsonl`. `step` counts all environments together. */
export type RunEvent =
  | StartedEvent
  | ResumedEvent
  | SetEvent
  | EpisodeEvent
  | UpdateEvent
  | OracleEvent
  | EvaluationEvent
  | WarningEvent
  | { readonly event: "checkpoint"; readonly step: number }
  /** Stopped before the end, with a checkpoint of this step. */
  | { readonly event: "interrupted"; readonly step: number }
  | { readonly event: "finished"; readonly step: number }
  /** An error ended the run; everything written before is valid. */
  | { readonly event: "failed"; readonly error: string };

/**
 * Whether an event is about the process that trains, not about the training: how often a run was stopped and continued
 * decides how many of these there are. All other events of a resumed run are those of an uninterrupted one.
 */
export function isOfProcess(event: RunEvent["event"]): boolean {
  return event === "resumed" || event === "interrupted" || event === "finished" || event === "failed";
}

/** The run begins. */
export interface StartedEvent extends ExecutorIdentity, Provenance {
  readonly event: "started";
  readonly version: string;
  readonly config: RunConfig;
}

/** The run continues from its checkpoint of this step; later events of an earlier process are dropped. */
export interface ResumedEvent extends ExecutorIdentity, Provenance {
  readonly event: "resumed";
  readonly step: number;
  readonly version: string;
  /** Whether the replay of the checkpoint was left out: then this is not the run that never stopped. */
  readonly withoutReplay?: true;
}

/** Settings were changed during the run, from this step on. */
export interface SetEvent {
  readonly event: "set";
  readonly step: number;
  readonly settings: Readonly<Record<string, number>>;
}

/** A whole training episode ended: its undiscounted return in raw reward, and its steps. */
export interface EpisodeEvent {
  readonly event: "episode";
  readonly step: number;
  readonly environment: number;
  readonly return: number;
  readonly length: number;
}

/** The mean of each figure over the updates since the last such event, and the run's score. */
export interface UpdateEvent {
  readonly event: "update";
  readonly step: number;
  /** Over the last 100 training episodes; null before the first one ends. */
  readonly meanReturn: number | null;
  /** Of this step, as its schedule gives it; null where the run has no such setting. */
  readonly learningRate: number | null;
  /**
   * Seconds spent in iterations since the run was started or last resumed; null without a clock. It is measured: all
   * other numbers of a resumed run equal those of an uninterrupted one.
   */
  readonly seconds: number | null;
  readonly figures: Readonly<Record<string, number>>;
}

/** The mean return has not left its start after a quarter of the steps. At most one in a run. */
export interface WarningEvent extends LearningWarning {
  readonly event: "warning";
}

/** The oracle's measurement of θ after these steps. */
export interface OracleEvent extends OracleMeasurement {
  readonly event: "oracle";
}

/** The outcome of one evaluation during a run. */
export interface EvaluationPoint {
  /** Environment steps of training before it, all environments together. */
  readonly step: number;
  readonly episodes: number;
  /** Undiscounted, in raw reward. */
  readonly meanReturn: number;
  /** Of the returns, with n − 1; null for a single episode. */
  readonly standardDeviation: number | null;
  /** How many episodes were cut at `evaluationMaxSteps`. */
  readonly cut: number;
}

/** The policy after these steps has played whole episodes in environments of its own. */
export interface EvaluationEvent extends EvaluationPoint {
  readonly event: "evaluation";
  /** Whether its mean return is above that of every earlier evaluation. */
  readonly best: boolean;
}
