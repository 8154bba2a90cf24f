import { requireInteger, requireLength, requireNumber } from "../base/errors.js";
import { type Terminated, type Truncated, terminatedFlags, truncatedFlags } from "./endings.js";
import { type QValues, type StateValues, stateValues, type Vector } from "./units.js";

/** A segment of experience, time-major: element t · S + s belongs to step t of environment s. */
export interface Trajectory<Numbers extends Vector = Vector> {
  /** The number of environments S. */
  readonly size: number;
  /** The number of steps T. */
  readonly steps: number;
  /** [T, S] rewards[t] follows (s_t, a_t). */
  readonly rewards: Numbers;
  /**
   * [T, S] D_KL[π(·|s_t) ‖ π̄(·|s_t)], dimensionless. All zeros give a return without the bonus (the naive
   * variant).
   */
  readonly kl: Numbers;
  /** [T, S] V(s_t). */
  readonly values: StateValues<Numbers>;
  /**
   * [T, S] V of the actual successor of (s_t, a_t): V(s_{t+1}) while the episode continues, V(final
   * observation) at a truncation. Not read at a termination.
   */
  readonly bootstrapValues: StateValues<Numbers>;
  /** [T, S] */
  readonly terminated: Terminated;
  /** [T, S] */
  readonly truncated: Truncated;
}

/**
 * δ_t = (r_t − τ KL_t) + γ V(s_{t+1}) − V(s_t) (36), where V(s_{t+1}) is 0 after a termination and the value
 * of the final observation after a truncation. [T, S], in units of reward.
 *
 * @throws SoftrlError when an array is not [T, S], or τ or γ is out of range.
 */
export function softTemporalDifferencesInto(
  trajectory: Trajectory,
  tau: number,
  gamma: number,
  delta: Vector,
): void {
  requireTrajectory("softTemporalDifferencesInto", trajectory);
  requireNumber("softTemporalDifferencesInto", "tau", tau, 0, Number.MAX_VALUE);
  requireNumber("softTemporalDifferencesInto", "gamma", gamma, 0, 1);
  const { rewards, kl, values, bootstrapValues, terminated } = trajectory;
  requireLength("softTemporalDifferencesInto", "delta", delta.length, rewards.length, "delta is [T, S]");
  for (let i = 0; i < rewards.length; i++) {
    const successor = terminated[i] ? 0 : gamma * bootstrapValues[i];
    delta[i] = rewards[i] - tau * kl[i] + successor - values[i];
  }
}

/**
 * Δ_t = Σ_{d<n} γ^d δ_{t+d} (§3.6). The sum stops after the step that ends the episode, and at the end of the
 * trajectory. [T, S]; `advantages` must not be `delta`.
 *
 * @param n the number of steps, at least 1; Infinity extends each sum to the end of the trajectory.
 * @throws SoftrlError when an array is not [T, S], or γ or n is out of range.
 */
export function nStepAdvantagesInto(
  trajectory: Trajectory,
  delta: Vector,
  gamma: number,
  n: number,
  advantages: Vector,
): void {
  if (n !== Number.POSITIVE_INFINITY) requireInteger("nStepAdvantagesInto", "n", n, 1);
  if (n >= trajectory.steps) {
    lambdaAdvantagesInto(trajectory, delta, gamma, 1, advantages);
    return;
  }
  requireSums("nStepAdvantagesInto", trajectory, delta, gamma, advantages);
  const { size, terminated, truncated } = trajectory;
  for (let i = 0; i < delta.length; i++) {
    let sum = 0;
    let discount = 1;
    for (let j = i, d = 0; d < n && j < delta.length; d++, j += size) {
      sum += discount * delta[j];
      if (terminated[j] || truncated[j]) break;
      discount *= gamma;
    }
    advantages[i] = sum;
  }
}

/**
 * Δ_t = Σ_d (γλ)^d δ_{t+d} (TD(λ), §3.4). The sum stops after the step that ends the episode, and at the end
 * of the trajectory. [T, S]; λ = 1 sums everything that follows, λ = 0 takes one step. `advantages` may be
 * `delta`.
 *
 * @throws SoftrlError when an array is not [T, S], or γ or λ is outside [0, 1].
 */
export function lambdaAdvantagesInto(
  trajectory: Trajectory,
  delta: Vector,
  gamma: number,
  lambda: number,
  advantages: Vector,
): void {
  requireSums("lambdaAdvantagesInto", trajectory, delta, gamma, advantages);
  requireNumber("lambdaAdvantagesInto", "lambda", lambda, 0, 1);
  const { size, terminated, truncated } = trajectory;
  for (let i = delta.length - 1; i >= 0; i--) {
    const follows = i + size < delta.length && !terminated[i] && !truncated[i];
    advantages[i] = delta[i] + (follows ? gamma * lambda * advantages[i + size] : 0);
  }
}

/**
 * V̂_t = V(s_t) + Δ_t (§3.6), the target of the value function. Any shape, elementwise; `targets` may be one
 * of the inputs.
 */
export function valueTargetsInto(
  values: StateValues<Vector>,
  advantages: Vector,
  targets: StateValues<Vector>,
): void {
  requireLength("valueTargetsInto", "advantages", advantages.length, values.length);
  requireLength("valueTargetsInto", "targets", targets.length, values.length);
  for (let i = 0; i < targets.length; i++) targets[i] = values[i] + advantages[i];
}

/**
 * y_t = τ KL_t + V(s_t) + Δ_t (§3.5), the target of Q(s_t, a_t): V includes the KL of its own step, Q does
 * not. Any shape, elementwise; `targets` may be one of the inputs.
 */
export function softQTargetsInto(
  kl: Vector,
  tau: number,
  values: StateValues<Vector>,
  advantages: Vector,
  targets: QValues<Vector>,
): void {
  requireLength("softQTargetsInto", "kl", kl.length, values.length);
  requireLength("softQTargetsInto", "advantages", advantages.length, values.length);
  requireLength("softQTargetsInto", "targets", targets.length, values.length);
  for (let i = 0; i < targets.length; i++) targets[i] = tau * kl[i] + values[i] + advantages[i];
}

/**
 * y_t − V(s_t) = τ KL_t + Δ_t (§3.5): the target of the advantage stream τ log(π/π̄) in the form of §6.3. Any shape,
 * elementwise; `targets` may be an input.
 */
export function advantageStreamTargetsInto(
  kl: Vector,
  tau: number,
  advantages: Vector,
  targets: QValues<Vector>,
): void {
  requireLength("advantageStreamTargetsInto", "advantages", advantages.length, kl.length);
  requireLength("advantageStreamTargetsInto", "targets", targets.length, kl.length);
  for (let i = 0; i < targets.length; i++) targets[i] = tau * kl[i] + advantages[i];
}

/**
 * G_t = r_t + γ [λ (G_{t+1} − τ KL_{t+1}) + (1 − λ) V(s_{t+1})], the λ-target of Q(s_t, a_t) (Gallici et al. 2024). Its
 * sum ends as {@link lambdaAdvantagesInto}'s does: there, G_t = r_t + γ V(s_{t+1}), with V = 0 after a termination and V
 * of the final observation after a truncation. [T, S], in units of reward.
 *
 * V is the backup of Q: for PQN max Q, with `kl` all zeros; for soft PQN τ log Σ π̄ exp(Q/τ). V then includes the KL of
 * its own step, G does not, and G_t is §3.5's y_t = τ KL_t + V(s_t) + Δ_t with TD(λ)'s Δ_t.
 *
 * @throws SoftrlError when an array is not [T, S], or τ, γ or λ is out of range.
 */
export function lambdaTargetsInto(
  trajectory: Trajectory,
  tau: number,
  gamma: number,
  lambda: number,
  targets: QValues<Vector>,
): void {
  const where = "lambdaTargetsInto";
  requireTrajectory(where, trajectory);
  requireLength(where, "targets", targets.length, trajectory.rewards.length, "targets are [T, S]");
  requireNumber(where, "tau", tau, 0, Number.MAX_VALUE);
  requireNumber(where, "gamma", gamma, 0, 1);
  requireNumber(where, "lambda", lambda, 0, 1);
  const { size, rewards, kl, bootstrapValues, terminated, truncated } = trajectory;
  for (let i = targets.length - 1; i >= 0; i--) {
    const next = i + size;
    let successor = terminated[i] ? 0 : bootstrapValues[i];
    if (next < targets.length && !terminated[i] && !truncated[i]) {
      successor = lambda * (targets[next] - tau * kl[next]) + (1 - lambda) * successor;
    }
    targets[i] = rewards[i] + gamma * successor;
  }
}

/**
 * Fills `bootstrapValues` [T, S] with V of the actual successors: `values` of the next step, `lastValues` [S]
 * after the last step, and `finalValues` [T, S], V of the final observation, where an episode was truncated.
 */
export function successorValuesInto(
  values: StateValues<Vector>,
  lastValues: StateValues<Vector>,
  finalValues: StateValues<Vector>,
  truncated: Truncated,
  bootstrapValues: StateValues<Vector>,
): void {
  const size = lastValues.length;
  requireLength("successorValuesInto", "bootstrapValues", bootstrapValues.length, values.length);
  requireLength("successorValuesInto", "finalValues", finalValues.length, values.length);
  requireLength("successorValuesInto", "truncated", truncated.length, values.length);
  for (let i = 0; i < values.length; i++) {
    const next = i + size;
    const following = next < values.length ? values[next] : lastValues[next - values.length];
    bootstrapValues[i] = truncated[i] ? finalValues[i] : following;
  }
}

/** A trajectory of T steps of S environments, all zeros, in float64. */
export function emptyTrajectory(steps: number, size: number): Trajectory<Float64Array> {
  requireInteger("emptyTrajectory", "steps", steps, 1);
  requireInteger("emptyTrajectory", "size", size, 1);
  const numbers = () => new Float64Array(steps * size);
  return {
    size,
    steps,
    rewards: numbers(),
    kl: numbers(),
    values: stateValues(numbers()),
    bootstrapValues: stateValues(numbers()),
    terminated: terminatedFlags(steps * size),
    truncated: truncatedFlags(steps * size),
  };
}

function requireTrajectory(where: string, trajectory: Trajectory): void {
  const { size, steps, rewards, kl, values, bootstrapValues, terminated, truncated } = trajectory;
  const length = size * steps;
  requireLength(where, "rewards", rewards.length, length, "rewards are [T, S]");
  requireLength(where, "kl", kl.length, length, "kl is [T, S]");
  requireLength(where, "values", values.length, length, "values are [T, S]");
  requireLength(where, "bootstrapValues", bootstrapValues.length, length, "bootstrapValues are [T, S]");
  requireLength(where, "terminated", terminated.length, length, "terminated is [T, S]");
  requireLength(where, "truncated", truncated.length, length, "truncated is [T, S]");
}

function requireSums(
  where: string,
  trajectory: Trajectory,
  delta: Vector,
  gamma: number,
  advantages: Vector,
): void {
  requireTrajectory(where, trajectory);
  requireLength(where, "delta", delta.length, trajectory.rewards.length, "delta is [T, S]");
  requireLength(where, "advantages", advantages.length, delta.length, "advantages are [T, S]");
  requireNumber(where, "gamma", gamma, 0, 1);
}
