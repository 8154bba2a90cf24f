/**
 * The Boltzmann policy of Q and its inverse, symbolically: what {@link softValue} and its neighbours in math/ are for
 * numbers, with gradients.
 *
 * Shapes: Q, log π are [B, A], V and KL are [B]; log π̄ is [A] or [B, A], finite everywhere.
 */
import type { LogPrior, LogProbabilities, QValues, StateValues } from "../math/units.js";
import { logProbabilities, qValues, stateValues } from "../math/units.js";
import { add, div, exp, logSoftmax, logSumExp, mul, neg, reshape, sub, sum } from "../tensor/operations.js";
import type { Operand, Tensor } from "../tensor/tensor.js";

/** V_θ(s) = τ log Σ π̄(a|s) exp(Q_θ(s,a)/τ) (§3.2). [B], units of reward. */
export function valueFromQ(
  q: QValues<Tensor>,
  logPrior: LogPrior<Tensor>,
  tau: Operand,
): StateValues<Tensor> {
  return stateValues(mul(tau, logSumExp(add(logPrior, div(q, tau)))));
}

/** log π_θ(a|s) = log π̄(a|s) + (Q_θ(s,a) − V_θ(s))/τ (§3.2). [B, A]. */
export function policyFromQ(
  q: QValues<Tensor>,
  logPrior: LogPrior<Tensor>,
  tau: Operand,
): LogProbabilities<Tensor> {
  return logProbabilities(logSoftmax(add(logPrior, div(q, tau))));
}

/** Q_θ(s,a) = V_θ(s) + τ (log π_θ(a|s) − log π̄(a|s)) (57). [B, A], units of reward. */
export function qFromValueAndPolicy(
  v: StateValues<Tensor>,
  logPi: LogProbabilities<Tensor>,
  logPrior: LogPrior<Tensor>,
  tau: number,
): QValues<Tensor> {
  return qValues(add(reshape(v, [...v.shape, 1]), mul(tau, sub(logPi, logPrior))));
}

/**
 * KL(s) = Σ_a π(a|s) (log π(a|s) − log π̄(a|s)), over the whole distribution, not sampled. [B], dimensionless.
 * For the counting measure (log π̄ = 0) it is −H[π], which is never positive: {@link policyEntropy}.
 */
export function klToPrior(logPi: LogProbabilities<Tensor>, logPrior: LogPrior<Tensor>): Tensor {
  return sum(mul(exp(logPi), sub(logPi, logPrior)), [-1]);
}

/** H[π](s) = −Σ_a π(a|s) log π(a|s). [B], dimensionless. */
export function policyEntropy(logPi: LogProbabilities<Tensor>): Tensor {
  return neg(sum(mul(exp(logPi), logPi), [-1]));
}
