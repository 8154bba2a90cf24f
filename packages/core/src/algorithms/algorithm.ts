import type { Snapshot } from "../base/snapshot.js";
import type { Observations } from "../envs/environment.js";
import type { PolicyValueNetwork } from "../nn/heads.js";

/** What one rollout and one update did; overwritten by the next. */
export interface IterationReport {
  /** Environment steps taken in this iteration, all environments together. */
  readonly steps: number;
  /** Named figures of the update, for instance `policyLoss`, `valueLoss`, `entropy`, `gradientNorm`. */
  readonly losses: Readonly<Record<string, number>>;
}

/** A training algorithm bound to its environments, its network and an executor. */
export interface Algorithm {
  readonly name: string;
  /** Environment steps of one iteration (S · T). */
  readonly stepsPerIteration: number;
  readonly network: PolicyValueNetwork;
  /**
   * Collects one rollout and makes one update.
   * @param onStep called after each vector step, so that the caller can read episode ends off the environment.
   */
  iterate(onStep: () => void): Promise<IterationReport>;
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
