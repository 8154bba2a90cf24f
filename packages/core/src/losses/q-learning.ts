/**
 * The targets and the loss of Q-learning with a target network: hard, soft and Munchausen backups (§3.5, §6.2).
 *
 * Shapes: Q is [B, A]; values, targets and errors are [B]; log π̄ is [A] or [B, A], finite everywhere. Targets are
 * constants: no gradient flows into them.
 */
import {
  type LogPrior,
  type LogProbabilities,
  logPrior,
  logProbabilities,
  type QValues,
  qValues,
  type StateValues,
  stateValues,
} from "../math/units.js";
import {
  abs,
  add,
  constant,
  div,
  equal,
  exp,
  gather,
  log,
  max,
  maximum,
  mean,
  minimum,
  mul,
  square,
  stopGradient,
  sub,
  sum,
} from "../tensor/operations.js";
import type { Operand, Tensor } from "../tensor/tensor.js";
import { klToPrior, policyFromQ, valueFromQ } from "./boltzmann.js";

/** The names of the backups B(s') in y = Σ γ^d r + γ^m B(s'). */
export const backups = ["hard", "soft-entropy", "soft-kl", "munchausen"] as const;
export type Backup = (typeof backups)[number];

/** max_a Q(s,a): the limit of the soft value as τ → 0. [B], units of reward. */
export function hardValue(q: QValues<Tensor>): StateValues<Tensor> {
  return stateValues(max(q, -1));
}

/** log of the policy that is uniform over the actions with the largest Q; −∞ for the others. [B, A]. */
export function greedyPolicyFromQ(q: QValues<Tensor>): LogProbabilities<Tensor> {
  return logProbabilities(log(greedyProbabilities(q)));
}

/** The probabilities of the policy that is uniform over the actions with the largest Q. [B, A]. */
function greedyProbabilities(q: QValues<Tensor>): Tensor {
  const best = equal(q, max(q, -1, true));
  return div(best, sum(best, -1, true));
}

/** log π̄ of the counting measure, whose −KL is the entropy: zeros [A]. */
export const countingMeasure = (actions: number): LogPrior<Tensor> =>
  logPrior(constant(new Float64Array(actions)));

/** What {@link bootstrapValue} is a function of. */
export interface BootstrapTerms {
  readonly backup: Backup;
  /** [B, A] Q̄(s', ·) of the target network. */
  readonly targetQ: QValues<Tensor>;
  /**
   * [B, A] Q_θ(s', ·) of the online network, which then chooses the action or the policy (double Q-learning, van Hasselt et
   * al. 2016); the target network does if left out.
   */
  readonly onlineQ?: QValues<Tensor>;
  /** log π̄ of `soft-kl`. */
  readonly logPrior: LogPrior<Tensor>;
  /** Not read for `hard`. */
  readonly tau: Operand;
}

/**
 * B(s') of a backup. [B], units of reward.
 *
 * - hard: max_a Q̄(s',a).
 * - soft-entropy and Munchausen: τ log Σ_a exp(Q̄(s',a)/τ).
 * - soft-kl: τ log Σ_a π̄(a) exp(Q̄(s',a)/τ).
 *
 * Double: Σ_a π(a) Q̄(s',a) − τ KL[π ‖ π̄], with the greedy or the Boltzmann policy π of the online network; without an
 * online network these are the same numbers.
 */
export function bootstrapValue({
  backup,
  targetQ,
  onlineQ,
  logPrior: prior,
  tau,
}: BootstrapTerms): StateValues<Tensor> {
  if (backup === "hard") {
    if (onlineQ === undefined) return hardValue(targetQ);
    return stateValues(sum(mul(greedyProbabilities(onlineQ), targetQ), -1));
  }
  const reference = backup === "soft-kl" ? prior : countingMeasure(targetQ.shape[1]);
  if (onlineQ === undefined) return valueFromQ(targetQ, reference, tau);
  const logPi = policyFromQ(onlineQ, reference, tau);
  return stateValues(sub(sum(mul(exp(logPi), targetQ), -1), mul(tau, klToPrior(logPi, reference))));
}

/** What {@link munchausenBonus} is a function of. */
export interface MunchausenTerms {
  /** [B, A] Q̄(s_t, ·) of the target network. */
  readonly targetQ: QValues<Tensor>;
  /** [B] a_t, as integers in [0, A). */
  readonly actions: Tensor;
  readonly tau: Operand;
  /** α in [0, 1]. */
  readonly weight: Operand;
  /** l₀ ≤ 0, in units of reward: log π is unbounded below. */
  readonly floor: Operand;
}

/**
 * α max(τ log π(a_t|s_t), l₀) with π = softmax(Q̄/τ), which Munchausen adds to the reward (Vieillard et al. 2020).
 * [B], units of reward. With entropy as the bonus it is soft Q-learning whose reference is the previous policy, at the
 * weight ατ.
 */
export function munchausenBonus({ targetQ, actions, tau, weight, floor }: MunchausenTerms): Tensor {
  const logPi = policyFromQ(targetQ, countingMeasure(targetQ.shape[1]), tau);
  return mul(weight, maximum(mul(tau, gather(logPi, actions)), floor));
}

/** y = Σ_{d<m} γ^d r_{t+d} + γ^m B(s_{t+m}), as a constant. [B], units of reward. */
export function qTargets(returns: Tensor, discounts: Tensor, values: StateValues<Tensor>): QValues<Tensor> {
  return qValues(stopGradient(add(returns, mul(discounts, values))));
}

/** What {@link qLearningLoss} is a function of. */
export interface QLearningTerms {
  /** [B, A] Q_θ(s_t, ·). */
  readonly q: QValues<Tensor>;
  /** [B] a_t, as integers in [0, A). */
  readonly actions: Tensor;
  /** [B] y_t. */
  readonly targets: QValues<Tensor>;
  /** [B] The weight of each sample; all 1 if left out. */
  readonly weights?: Tensor;
  /** The error's measure: ½δ², or Huber's, whose gradient is clipped to ±1. */
  readonly measure: "squared" | "huber";
}

/** mean_t w_t f(δ_t) with δ = Q_θ(s_t, a_t) − y_t and f(δ) = ½δ² or {@link huber}; and δ [B]. */
export function qLearningLoss({ q, actions, targets, weights, measure }: QLearningTerms): {
  readonly loss: Tensor;
  readonly errors: Tensor;
} {
  const errors = sub(gather(q, actions), targets);
  const each = measure === "huber" ? huber(errors) : mul(0.5, square(errors));
  return { loss: mean(weights === undefined ? each : mul(weights, each)), errors };
}

/** ½x² where |x| ≤ 1, |x| − ½ elsewhere (Huber 1964): its derivative is x, clipped to ±1. */
export function huber(x: Tensor): Tensor {
  const size = abs(x);
  const inner = minimum(size, 1);
  return add(mul(0.5, square(inner)), sub(size, inner));
}
