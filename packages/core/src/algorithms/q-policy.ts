import { policyFromQ, valueFromQ } from "../losses/boltzmann.js";
import { greedyPolicyFromQ, hardValue } from "../losses/q-learning.js";
import {
  type LogPrior,
  type LogProbabilities,
  logPrior,
  type QValues,
  type StateValues,
} from "../math/units.js";
import { constant } from "../tensor/operations.js";
import type { Tensor } from "../tensor/tensor.js";

/** The outputs of a policy whose network has Q-values. */
export interface QPolicyOutputs {
  /** [B, A] */
  readonly logPi: LogProbabilities<Tensor>;
  /** [B] */
  readonly v: StateValues<Tensor>;
  /** [B, A] */
  readonly q: QValues<Tensor>;
}

/**
 * The policy of Q and its value: the Boltzmann policy π̄ exp((Q − V)/τ) with V = τ log Σ π̄ exp(Q/τ); for τ = 0 the greedy
 * policy, uniform over equal maxima, with V = max Q.
 *
 * @param prior log π̄ [A]; @param tau 0 for the greedy policy, else a number or a scalar tensor
 */
export function policyOfQ(q: QValues<Tensor>, prior: LogPrior, tau: Tensor | number): QPolicyOutputs {
  if (tau === 0) return { logPi: greedyPolicyFromQ(q), v: hardValue(q), q };
  const reference = logPrior(constant(prior));
  return { logPi: policyFromQ(q, reference, tau), v: valueFromQ(q, reference, tau), q };
}
