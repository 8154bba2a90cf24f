import { allocate, requireMemory } from "../base/allocation.js";
import { fail, requireInteger, requireLength } from "../base/errors.js";
import type { EnvironmentRows } from "../envs/environment.js";
import { type Terminated, type Truncated, terminatedFlags, truncatedFlags } from "../math/endings.js";
import { successorValuesInto, type Trajectory } from "../math/returns.js";
import { type StateValues, stateValues, type Vector } from "../math/units.js";

const MEMORY_REMEDY = "take fewer steps or fewer environments";
/** Of a step of one environment: an action, five numbers in float64 and two flags. */
const BYTES = 46;
/** Of the views of a step of one part, roughly. */
const BYTES_OF_VIEWS = 256;

/** One step of all environments, or of a part of them: views into a {@link Rollout}, to be written in place. */
export interface RolloutStep {
  /** [S/P] a_t. */
  readonly actions: Int32Array;
  /** [S/P] V(s_t). */
  readonly values: StateValues;
  /** [S/P] D_KL[π(·|s_t) ‖ π̄(·|s_t)], dimensionless. */
  readonly kl: Float64Array;
}

/**
 * What an on-policy algorithm collects before an update: T steps of S environments, time-major, so that a row
 * [t, s] of any array is element t · S + s. It is a {@link Trajectory} as the formulas in `math/returns` take it.
 *
 * For each t: write `at(t)`, step the environment with `at(t).actions`, `record(t, environment)`; where
 * `truncatedAt(t)`, give `recordFinalValues(t, …)` the values of the environment's `finalObservations`. After the
 * last step `bootstrap(lastValues)` fills `bootstrapValues`. Environments that step in P parts are recorded part by
 * part, each method's last argument; P is 1 unless said. Everything is allocated once.
 */
export class Rollout implements Trajectory<Float64Array> {
  readonly steps: number;
  readonly size: number;
  /** P, in which the environments are recorded. */
  readonly parts: number;
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
   * @param parts P, a divisor of S
   */
  constructor(steps: number, size: number, parts = 1) {
    requireInteger("Rollout", "steps", steps, 1);
    requireInteger("Rollout", "size", size, 1);
    requireInteger("Rollout", "parts", parts, 1);
    if (size % parts !== 0) {
      fail("Rollout", "parts does not divide size", {
        expected: `a divisor of ${size}`,
        got: String(parts),
        remedy: "take parts of one size",
      });
    }
    this.steps = steps;
    this.size = size;
    this.parts = parts;
    const length = steps * size;
    requireMemory("Rollout", length * BYTES + steps * parts * BYTES_OF_VIEWS, MEMORY_REMEDY);
    const numbers = () => allocate("Rollout", Float64Array, length, { remedy: MEMORY_REMEDY });
    this.actions = allocate("Rollout", Int32Array, length, { remedy: MEMORY_REMEDY });
    this.rewards = numbers();
    this.values = stateValues(numbers());
    this.kl = numbers();
    this.terminated = terminatedFlags(length);
    this.truncated = truncatedFlags(length);
    this.bootstrapValues = stateValues(numbers());
    this.#finalValues = stateValues(numbers().fill(Number.NaN));
    const rows = size / parts;
    this.#rows = Array.from({ length: steps * parts }, (_, i) => ({
      actions: this.actions.subarray(i * rows, (i + 1) * rows),
      values: stateValues(this.values.subarray(i * rows, (i + 1) * rows)),
      kl: this.kl.subarray(i * rows, (i + 1) * rows),
    }));
  }

  /** The views of step t of part p. */
  at(t: number, p = 0): RolloutStep {
    return this.#rows[this.#place("at", t, p)];
  }

  /** Records what step t of part p led to: rewards and both kinds of ending, from the environments. */
  record(t: number, outcome: Pick<EnvironmentRows, "rewards" | "terminated" | "truncated">, p = 0): void {
    const rows = this.size / this.parts;
    const offset = this.#place("record", t, p) * rows;
    requireLength("Rollout.record", "rewards", outcome.rewards.length, rows, "they are [S/P]");
    requireLength("Rollout.record", "terminated", outcome.terminated.length, rows, "it is [S/P]");
    requireLength("Rollout.record", "truncated", outcome.truncated.length, rows, "it is [S/P]");
    this.rewards.set(outcome.rewards, offset);
    this.terminated.set(outcome.terminated, offset);
    this.truncated.set(outcome.truncated, offset);
    this.#finalValues.fill(Number.NaN, offset, offset + rows);
  }

  /** Whether an episode of part p was cut off, not ended, at step t: its final observation has a value to record. */
  truncatedAt(t: number, p = 0): boolean {
    const rows = this.size / this.parts;
    const offset = this.#place("truncatedAt", t, p) * rows;
    for (let i = offset; i < offset + rows; i++) {
      if (this.truncated[i] && !this.terminated[i]) return true;
    }
    return false;
  }

  /** Records V(final observation) [S/P] of step t of part p; only the rows of truncated episodes are read. */
  recordFinalValues(t: number, finalValues: StateValues<Vector>, p = 0): void {
    const rows = this.size / this.parts;
    const offset = this.#place("recordFinalValues", t, p) * rows;
    requireLength("Rollout.recordFinalValues", "finalValues", finalValues.length, rows, "they are [S/P]");
    for (let s = 0; s < rows; s++) this.#finalValues[offset + s] = finalValues[s];
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

  /** Where step t of part p lies, in parts. */
  #place(method: string, t: number, p: number): number {
    if (!(Number.isInteger(t) && t >= 0 && t < this.steps)) {
      fail(`Rollout.${method}`, "no such step", {
        expected: `an integer in [0, ${this.steps - 1}]`,
        got: String(t),
      });
    }
    if (!(Number.isInteger(p) && p >= 0 && p < this.parts)) {
      fail(`Rollout.${method}`, "no such part", {
        expected: `an integer in [0, ${this.parts - 1}]`,
        got: String(p),
      });
    }
    return t * this.parts + p;
  }
}
