import type { Snapshot } from "../base/snapshot.js";
import type { EnvironmentRows, Observations } from "../envs/environment.js";
import type { PolicyValueNetwork } from "../nn/heads.js";

/** What one rollout and one update did; overwritten by the next. */
export interface IterationReport {
  /** Environment steps taken in this iteration, all environments together. */
  readonly steps: number;
  /** Named figures of the update, for instance `policyLoss`, `valueLoss`, `entropy`, `gradientNorm`. */
  readonly losses: Readonly<Record<string, number>>;
}

/**
 * Called after each step of each part of the environments, before the part steps again, so that the caller can read
 * episode ends off it: `rows` have made step `t` of this iteration, from 0; the first of them is environment `first`.
 */
export type OnStep = (t: number, rows: EnvironmentRows, first: number) => void;

/** A training algorithm bound to its environments, its network and an executor. */
export interface Algorithm {
  readonly name: string;
  /** Environment steps of one iteration (S · T). */
  readonly stepsPerIteration: number;
  readonly network: PolicyValueNetwork;
  /** Collects one rollout and makes one update. */
  iterate(onStep: OnStep): Promise<IterationReport>;
  /** Fills `actions` [S] for `observations` [S, ...]: sampled from π_θ, or its mode. Draws from its own stream. */
  act(observations: Observations, actions: Int32Array, mode: "sample" | "mode"): void;
  /** θ [P] as it is now, laid out as `network.parameters` says; a copy. */
  theta(): Float64Array;
  /** Takes θ [P] over, from a run on any executor: to act with it, not to go on training. */
  adopt(theta: ArrayLike<number>): void;
  /** Parameters, optimiser state, random streams and counters: all but the environments. */
  save(): Snapshot;
  restore(snapshot: Snapshot): void;
}
