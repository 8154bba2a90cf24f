import type { LogPrior, LogProbabilities } from "../math/units.js";
import { add, gather, mean, mul, neg } from "../tensor/operations.js";
import type { Operand, Tensor } from "../tensor/tensor.js";
import { klToPrior } from "./boltzmann.js";

/** What {@link policyGradientLoss} is a function of. */
export interface PolicyGradientTerms {
  /** [B, A] log π_θ(·|s_t). */
  readonly logPi: LogProbabilities<Tensor>;
  /** [A] or [B, A] log π̄(·|s_t). */
  readonly logPrior: LogPrior<Tensor>;
  /** [B] a_t, as integers in [0, A). */
  readonly actions: Tensor;
  /** [B] Δ_t, computed before: from δ with τ KL (proper) or from plain rewards (naive). */
  readonly advantages: Tensor;
  readonly tau: Operand;
}

/**
 * mean_t[−log π_θ(a_t|s_t) Δ_t + τ KL(s_t)] (§3.6): descending it ascends the policy gradient.
 *
 * Naive and proper differ in Δ alone: proper has KL in the return (soft TD errors), naive only in this last term.
 * Scalar, units of reward.
 */
export function policyGradientLoss({
  logPi,
  logPrior,
  actions,
  advantages,
  tau,
}: PolicyGradientTerms): Tensor {
  const surrogate = neg(mean(mul(gather(logPi, actions), advantages)));
  return add(surrogate, mul(tau, mean(klToPrior(logPi, logPrior))));
}
