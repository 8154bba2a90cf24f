import { fail, requireInteger, requireLength } from "../base/errors.js";
import type { VectorEnvironment } from "../envs/environment.js";
import { type Terminated, type Truncated, terminatedFlags, truncatedFlags } from "../math/endings.js";
import { successorValuesInto, type Trajectory } from "../math/returns.js";
import { type StateValues, stateValues, type Vector } from "../math/units.js";

/** One step of all environments: views into a {@link Rollout}, to be written in place. */
export interface RolloutStep {
  /** [S] a_t. */
  readonly actions: Int32Array;
  /** [S] V(s_t). */
  readonly values: StateValues;
  /** [S] D_KL[π(·|s_t) ‖ π̄(·|s_t)], dimensionless. */
  readonly kl: Float64Array;
}

/**
 * What an on-policy algorithm collects before an update: T steps of S environments, time-major, so that a row
 * [t, s] of any array is element t · S + s. It is a {@link Trajectory} as the formulas in `math/returns` take it.
 *
 * For each t: write `at(t)`, step the environment with `at(t).actions`, `record(t, environment)`; where
 * `truncatedAt(t)`, give `recordFinalValues(t, …)` the values of the environment's `finalObservations`. After the
 * last step `bootstrap(lastValues)` fills `bootstrapValues`. Everything is allocated once.
 */
export class Rollout implements Trajectory<Float64Array> {
  readonly steps: number;
  readonly size: number;
  /** [T, S] */
  readonly actions: Int32Array;
  /** [T, S] rewards[t] follows (s_t, a_t). */
  readonly rewards: Float64Array;
  /** [T, S] V(s_t). */
  readonly values: StateValues;
  /** [T, S] D_KL[π(·|s_t) ‖ π̄(·|s_t)], dimensionless. */
  readonly kl: Float64Array;
  /** [T, S] */
  readonly terminated: Terminated;
  /** [T, S] */
  readonly truncated: Truncated;
  /** [T, S] V of the real successor: 0 after a termination, V(final observation) after a truncation. */
  readonly bootstrapValues: StateValues;
  /** [T, S] V(final observation), NaN where none is recorded. */
  readonly #finalValues: StateValues;
  readonly #rows: readonly RolloutStep[];

  /**
   * @param steps T
   * @param size the number of environments S
   */
  constructor(steps: number, size: number) {
    requireInteger("Rollout", "steps", steps, 1);
    requireInteger("Rollout", "size", size, 1);
    this.steps = steps;
    this.size = size;
    const length = steps * size;
    this.actions = new Int32Array(length);
    this.rewards = new Float64Array(length);
    this.values = stateValues(new Float64Array(length));
    this.kl = new Float64Array(length);
    this.terminated = terminatedFlags(length);
    this.truncated = truncatedFlags(length);
    this.bootstrapValues = stateValues(new Float64Array(length));
    this.#finalValues = stateValues(new Float64Array(length).fill(Number.NaN));
    this.#rows = Array.from({ length: steps }, (_, t) => ({
      actions: this.actions.subarray(t * size, (t + 1) * size),
      values: stateValues(this.values.subarray(t * size, (t + 1) * size)),
      kl: this.kl.subarray(t * size, (t + 1) * size),
    }));
  }

  /** The views of step t. */
  at(t: number): RolloutStep {
    return this.#rows[this.#requireStep("at", t)];
  }

  /** Records what step t led to: rewards and both kinds of ending, straight off the environment. */
  record(t: number, outcome: Pick<VectorEnvironment, "rewards" | "terminated" | "truncated">): void {
    const offset = this.#requireStep("record", t) * this.size;
    requireLength("Rollout.record", "rewards", outcome.rewards.length, this.size, "they are [S]");
    requireLength("Rollout.record", "terminated", outcome.terminated.length, this.size, "it is [S]");
    requireLength("Rollout.record", "truncated", outcome.truncated.length, this.size, "it is [S]");
    this.rewards.set(outcome.rewards, offset);
    this.terminated.set(outcome.terminated, offset);
    this.truncated.set(outcome.truncated, offset);
    this.#finalValues.fill(Number.NaN, offset, offset + this.size);
  }

  /** Whether an episode was cut off, not ended, at step t: then its final observation has a value to record. */
  truncatedAt(t: number): boolean {
    const offset = this.#requireStep("truncatedAt", t) * this.size;
    for (let i = offset; i < offset + this.size; i++) {
      if (this.truncated[i] && !this.terminated[i]) return true;
    }
    return false;
  }

  /** Records V(final observation) [S] of step t; only the rows of truncated episodes are read. */
  recordFinalValues(t: number, finalValues: StateValues<Vector>): void {
    const offset = this.#requireStep("recordFinalValues", t) * this.size;
    requireLength("Rollout.recordFinalValues", "finalValues", finalValues.length, this.size, "they are [S]");
    for (let s = 0; s < this.size; s++) this.#finalValues[offset + s] = finalValues[s];
  }

  /**
   * Fills `bootstrapValues` when all T steps are recorded.
   * @param lastValues [S] V(s_T) of the observations after the last step.
   * @throws SoftrlError where a value or KL is not finite, or a truncated episode has no final value.
   */
  bootstrap(lastValues: StateValues<Vector>): void {
    requireLength("Rollout.bootstrap", "lastValues", lastValues.length, this.size, "they are [S]");
    const diverged = "the network has diverged: lower the learning rate";
    this.#requireFinite("values", this.values, diverged);
    this.#requireFinite("kl", this.kl, diverged);
    this.#requireFinite("lastValues", lastValues, diverged);
    successorValuesInto(this.values, lastValues, this.#finalValues, this.truncated, this.bootstrapValues);
    for (let i = 0; i < this.bootstrapValues.length; i++) {
      if (this.terminated[i]) this.bootstrapValues[i] = 0;
    }
    const remedy = "where truncatedAt(t), give recordFinalValues the values of the final observations";
    this.#requireFinite("bootstrapValues", this.bootstrapValues, remedy);
  }

  #requireFinite(name: string, numbers: Vector, remedy: string): void {
    for (let i = 0; i < numbers.length; i++) {
      if (Number.isFinite(numbers[i])) continue;
      const step = numbers.length === this.size ? "" : `step ${Math.floor(i / this.size)}, `;
      fail("Rollout.bootstrap", `${name} of ${step}environment ${i % this.size} is not finite`, {
        expected: "a finite number",
        got: String(numbers[i]),
        remedy,
      });
    }
  }

  #requireStep(method: string, t: number): number {
    if (!(Number.isInteger(t) && t >= 0 && t < this.steps)) {
      fail(`Rollout.${method}`, "no such step", {
        expected: `an integer in [0, ${this.steps - 1}]`,
        got: String(t),
      });
    }
    return t;
  }
}
