import type { TrainConfig } from "./config.js";
import type { OracleMeasurement } from "./oracle.js";

/** What happens in a run, one JSON object a line in `events.jsonl`. `step` counts all environments together. */
export type RunEvent =
  | { readonly event: "started"; readonly version: string; readonly config: TrainConfig }
  /** The run goes on from its checkpoint of this step; what an earlier process wrote after that is gone. */
  | { readonly event: "resumed"; readonly step: number; readonly version: string }
  | EpisodeEvent
  | UpdateEvent
  | OracleEvent
  | { readonly event: "checkpoint"; readonly step: number }
  | { readonly event: "interrupted"; readonly step: number }
  | { readonly event: "finished"; readonly step: number }
  /** An error ended the run; what was written before stands. */
  | { readonly event: "failed"; readonly error: string };

/** A whole training episode ended: its undiscounted return in raw reward, and its steps. */
export interface EpisodeEvent {
  readonly event: "episode";
  readonly step: number;
  readonly environment: number;
  readonly return: number;
  readonly length: number;
}

/** The mean of each loss over the updates since the last such event, and how the run stands. */
export interface UpdateEvent {
  readonly event: "update";
  readonly step: number;
  /** Over the last 100 training episodes; null before the first one ends. */
  readonly meanReturn: number | null;
  readonly losses: Readonly<Record<string, number>>;
}

/** What the oracle measured at θ after these steps. */
export interface OracleEvent extends OracleMeasurement {
  readonly event: "oracle";
}
