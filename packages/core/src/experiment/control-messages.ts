/** What a page and the worker that trains for it send each other: plain data, for `postMessage`. */
import type { RgbaPicture } from "../envs/canvas.js";
import type { Observations } from "../envs/environment.js";
import type { TrainProgress } from "./host.js";
import type { LearningCurve } from "./learning-curve.js";
import type { ChosenSettings } from "./run-config.js";
import type { RunEvent } from "./run-event.js";
import type { SentError } from "./worker-messages.js";

/** A run by names; all other settings have the defaults of the algorithm and the environment. */
export interface ControlledChoice {
  readonly algorithm: string;
  readonly environment: string;
  readonly network?: string;
  readonly optimiser?: string;
  readonly settings?: ChosenSettings;
}

/** What a page can ask of a controlled run. Requests are answered in order, except that `run` is answered at its end. */
export type ControlCommand =
  /** Starts a run from its seed, in place of the present one. It rests until `run`. */
  | { readonly kind: "start"; readonly choice: ControlledChoice }
  /** Continues the run of a checkpoint, in place of the present one. It rests until `run`. */
  | { readonly kind: "load"; readonly checkpoint: Uint8Array }
  /**
   * Trains for at least so many environment steps, rounded up to whole iterations, or to the end of the run; 1 takes one
   * iteration. With null it trains until `pause`, and doubles the length of the run whenever it reaches the end.
   */
  | { readonly kind: "run"; readonly steps: number | null }
  /** Ends a `run` after its present iteration. */
  | { readonly kind: "pause" }
  /** Sets live settings from the present step on, such as τ. */
  | { readonly kind: "set"; readonly settings: Readonly<Record<string, number>> }
  /** Asks for a checkpoint of the present step. */
  | { readonly kind: "save" }
  /**
   * Plays in an environment of its own with the policy as it is now, without any effect on the training.
   * @param steps the number of steps to take before the frame; 0 only looks
   * @param action the action to take instead of the policy's; null for the policy's
   */
  | { readonly kind: "play"; readonly steps: number; readonly action: number | null }
  /** Evaluates the policy at observations [B, ...]. */
  | { readonly kind: "evaluate"; readonly observations: Observations }
  /** Measures the theorem at the state that `play` shows. */
  | { readonly kind: "measure" }
  /** Closes the environments. */
  | { readonly kind: "close" };

export type ControlKind = ControlCommand["kind"];
export type ControlCommandOf<Kind extends ControlKind> = Extract<ControlCommand, { readonly kind: Kind }>;

/** The answer to each command. */
export interface ControlAnswers {
  readonly start: ControlledState;
  readonly load: ControlledState;
  readonly run: ControlledState;
  readonly pause: ControlledState;
  readonly set: ControlledState;
  readonly save: ControlledSnapshot;
  readonly play: PlayedFrame;
  readonly evaluate: EvaluatedPolicy;
  readonly measure: TheoremAtPlay | null;
  readonly close: null;
}

export type ControlAnswer = ControlAnswers[ControlKind];

/** The state of a run. */
export interface ControlledState {
  readonly progress: TrainProgress;
  /** Whether all steps of the run are taken. */
  readonly done: boolean;
  /** τ of the present step; null where the algorithm has no model of log π and V. */
  readonly tau: number | null;
  /** The points of the learning curve from number {@link curveFrom} on: those that no state had before. */
  readonly curve: LearningCurve;
  readonly curveFrom: number;
  /** The events since the state before, without those of episodes. */
  readonly events: readonly RunEvent[];
}

/** A checkpoint: `loadPolicy` and the command read it too. */
export interface ControlledSnapshot {
  readonly step: number;
  readonly checkpoint: Uint8Array;
}

/** One moment of an episode that the policy plays. */
export interface PlayedFrame {
  readonly observation: Observations;
  readonly picture: RgbaPicture;
  /** [A] π(·|s) of this moment. */
  readonly probabilities: Float64Array;
  /** V(s) and [A] Q(s, ·); null where the policy has none. */
  readonly v: number | null;
  readonly q: Float64Array | null;
  /** The action that led here; null at the start of an episode. */
  readonly action: number | null;
  /** The undiscounted return of the episode so far, and its steps. */
  readonly return: number;
  readonly length: number;
  /** The return of the newest episode that has ended; null before the first one. */
  readonly lastReturn: number | null;
}

/** A policy at B observations. */
export interface EvaluatedPolicy {
  /** [B, A] */
  readonly logPi: Float64Array;
  /** [B]; null where the policy has none. */
  readonly v: Float64Array | null;
  /** [B, A]; null where the policy has none. */
  readonly q: Float64Array | null;
  /** [B] the most likely action. */
  readonly actions: Int32Array;
}

/** The theorem (§4, in the form of §6.3) at one state. */
export interface TheoremAtPlay {
  readonly step: number;
  /** √E|g_Q − g_PG|² / √E|g_PG|² over the actions of π: how far the two steps of a single sample are apart. */
  readonly perSample: number;
  /** |E[g_Q − g_PG]| / √E|g_PG|²: what is left on average. The theorem says 0; rounding leaves about 1e-16. */
  readonly expected: number;
}

export type ControlRequest = { readonly id: number; readonly command: ControlCommand };
export type ControlReply =
  | { readonly id: number; readonly answer: ControlAnswer }
  | { readonly id: number; readonly error: SentError };
