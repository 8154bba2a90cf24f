import type { LogPrior, LogProbabilities, StateValues } from "../math/units.js";
import { add, gather, mean, mul, stopGradient, sub } from "../tensor/operations.js";
import type { Operand, Tensor } from "../tensor/tensor.js";
import { klToPrior } from "./boltzmann.js";
import type { StreamScales } from "./soft-q.js";

/** What {@link theoremGap} is a function of. */
export interface TheoremGapTerms {
  /** [B] V_θ(s_t). */
  readonly v: StateValues<Tensor>;
  /** [B, A] log π_θ(·|s_t). */
  readonly logPi: LogProbabilities<Tensor>;
  /** [A] or [B, A] log π̄(·|s_t). */
  readonly logPrior: LogPrior<Tensor>;
  /** [B] a_t, as integers in [0, A). */
  readonly actions: Tensor;
  readonly tau: Operand;
  /** `unscaledStreams` for §4 as it stands, `a2cStreamScales(τ, c)` for the rescaled form of §6.3. */
  readonly scales: StreamScales;
}

/**
 * A scalar whose gradient is the mean over samples of what soft Q-learning's has and the policy gradient's lacks (§4).
 *
 * With ℓ = log(π_θ(a)/π̄(a)), scales p on the policy and c on the value stream:
 *
 *     ∇ = p τ² [(ℓ − KL) ∇log π_θ(a) − ∇KL] + c τ (ℓ − KL) ∇V_θ
 *
 * so that ∇softQ = p τ ∇policyGradient + c ∇value + ∇gap sample by sample, and E_{a~π_θ} ∇gap = 0. Only its gradient
 * has a meaning.
 */
export function theoremGap({ v, logPi, logPrior, actions, tau, scales }: TheoremGapTerms): Tensor {
  const kl = klToPrior(logPi, logPrior);
  const surprise = stopGradient(sub(gather(sub(logPi, logPrior), actions), kl));
  const policy = mean(sub(mul(surprise, gather(logPi, actions)), kl));
  const onPolicyStream = mul(mul(mul(scales.policy, tau), tau), policy);
  return add(onPolicyStream, mul(mul(scales.value, tau), mean(mul(surprise, v))));
}
