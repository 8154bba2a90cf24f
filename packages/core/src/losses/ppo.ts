/**
 * The loss of proximal policy optimisation (Schulman et al. 2017, arXiv 1707.06347), whose equations are cited as (7 PPO).
 *
 * Shapes: log π is [B, A]; actions, advantages, values and ratios are [B]. π_old is the policy that collected the rollout,
 * a constant: no gradient flows into it, nor into advantages, targets and old values.
 */
import { type LogProbabilities, logPrior, type StateValues } from "../math/units.js";
import {
  abs,
  add,
  div,
  exp,
  gather,
  greater,
  maximum,
  mean,
  minimum,
  mul,
  neg,
  sqrt,
  square,
  sub,
  sum,
} from "../tensor/operations.js";
import type { Operand, Tensor } from "../tensor/tensor.js";
import { klToPrior } from "./boltzmann.js";

/** The policy now and at the time of the rollout, at the visited states. */
export interface PolicyChange {
  /** [B, A] log π_θ(·|s_t). */
  readonly logPi: LogProbabilities<Tensor>;
  /** [B, A] log π_old(·|s_t), as constants. */
  readonly oldLogPi: LogProbabilities<Tensor>;
}

/** What the surrogate losses are functions of. */
export interface SurrogateTerms extends PolicyChange {
  /** [B] a_t, as integers in [0, A). */
  readonly actions: Tensor;
  /** [B] Δ_t, computed before. */
  readonly advantages: Tensor;
}

/** ρ_t = π_θ(a_t|s_t) / π_old(a_t|s_t) (§3 PPO). [B], 1 where θ has not moved. */
export function probabilityRatio({ logPi, oldLogPi, actions }: Omit<SurrogateTerms, "advantages">): Tensor {
  return exp(sub(gather(logPi, actions), gather(oldLogPi, actions)));
}

/**
 * −mean_t min(ρ_t Δ_t, clip(ρ_t, 1 − ε, 1 + ε) Δ_t) (7 PPO), in units of Δ: a sample stops pushing once its ratio has moved
 * by ε in the direction of its advantage. It is a pessimistic bound: what would raise the loss is never clipped.
 *
 * @param clipRange ε > 0
 */
export function clippedSurrogateLoss(terms: SurrogateTerms & { readonly clipRange: Operand }): Tensor {
  const { advantages, clipRange } = terms;
  const ratio = probabilityRatio(terms);
  const clipped = clip(ratio, sub(1, clipRange), add(1, clipRange));
  return neg(mean(minimum(mul(ratio, advantages), mul(clipped, advantages))));
}

/**
 * mean_t[−ρ_t Δ_t + β KL[π_θ ‖ π_old](s_t)], in units of Δ: in expectation over a ~ π_old, the soft policy gradient's loss
 * (§3.6) with the reference π̄ = π_old at the temperature β. (8 PPO) has KL[π_old ‖ π_θ], which agrees to second order.
 *
 * @param penalty β, in units of Δ per nat
 */
export function penalisedSurrogateLoss(terms: SurrogateTerms & { readonly penalty: Operand }): Tensor {
  const { logPi, oldLogPi, advantages, penalty } = terms;
  const surrogate = neg(mean(mul(probabilityRatio(terms), advantages)));
  return add(surrogate, mul(penalty, mean(klToPrior(logPi, logPrior(oldLogPi)))));
}

/** What {@link clippedValueLoss} is a function of. */
export interface ClippedValueTerms {
  /** [B] V_θ(s_t). */
  readonly v: StateValues<Tensor>;
  /** [B] V_old(s_t) as constants: V_θ(s_t) at the time of the rollout. */
  readonly values: StateValues<Tensor>;
  /** [B] V̂_t = V_old(s_t) + Δ_t, computed before. */
  readonly targets: StateValues<Tensor>;
  /** ε > 0, in units of V. */
  readonly clipRange: Operand;
}

/**
 * mean_t ½ max((V − V̂)², (V_old + clip(V − V_old, −ε, ε) − V̂)²), of OpenAI Baselines' ppo2; the paper's V has no clip.
 * In units of reward squared.
 */
export function clippedValueLoss({ v, values, targets, clipRange }: ClippedValueTerms): Tensor {
  const clipped = add(values, clip(sub(v, values), mul(-1, clipRange), clipRange));
  return mul(0.5, mean(maximum(square(sub(v, targets)), square(sub(clipped, targets)))));
}

/** What {@link normalisedAdvantages} divides by: the sample standard deviation (over B − 1) plus 10⁻⁸, as in CleanRL. */
export function advantageScale(advantages: Tensor): Tensor {
  const variance = div(sum(square(sub(advantages, mean(advantages)))), advantages.size - 1);
  return add(sqrt(variance), 1e-8);
}

/** (Δ_t − mean Δ) / {@link advantageScale}, over B ≥ 2 samples: [B], without a unit. */
export function normalisedAdvantages(advantages: Tensor): Tensor {
  return div(sub(advantages, mean(advantages)), advantageScale(advantages));
}

/** mean_t KL[π_old ‖ π_θ](s_t) in nats, exact over actions. */
export function klFromOld({ logPi, oldLogPi }: PolicyChange): Tensor {
  return mean(klToPrior(oldLogPi, logPrior(logPi)));
}

/** The share of samples with |ρ_t − 1| > ε. */
export function clippedShare(ratio: Tensor, clipRange: Operand): Tensor {
  return mean(greater(abs(sub(ratio, 1)), clipRange));
}

/** min(max(x, low), high), whose gradient is 0 outside [low, high]. */
function clip(x: Tensor, low: Operand, high: Operand): Tensor {
  return minimum(maximum(x, low), high);
}
