import { fail, requireLength, requireNumber } from "../base/errors.js";
import { exp, log, logSoftmaxInto } from "./logspace.js";
import {
  type LogPrior,
  type LogProbabilities,
  logProbabilities,
  type QValues,
  qValues,
  type Vector,
} from "./units.js";

/**
 * V_Q = τ log Σ π̄(a) exp(Q(a)/τ) (§3.2; v_θ of §2): the soft maximum of Q under the reference measure π̄.
 *
 * Computed as max Q + τ log Σ π̄ exp((Q − max Q)/τ), so that a small τ does not overflow; τ = 0 gives the
 * maximum over the support of π̄. In units of reward.
 * @throws SoftrlError when lengths differ, τ is negative or π̄ is zero everywhere.
 */
export function softValue(q: QValues<Vector>, logPrior: LogPrior<Vector>, tau: number): number {
  requireLength("softValue", "logPrior", logPrior.length, q.length, "π̄ has one weight per action");
  requireNumber("softValue", "tau", tau, 0, Number.MAX_VALUE);
  const high = supportMaximum("softValue", q, logPrior);
  return tau === 0 ? high : high + tau * logPartition(q, logPrior, tau, high);
}

/**
 * π_Q(a) = π̄(a) exp((Q(a) − V_Q)/τ) (§3.2), as log-probabilities: argmax over π of E_π[Q] − τ KL[π‖π̄].
 *
 * @throws SoftrlError when lengths differ, τ is not positive or π̄ is zero everywhere.
 */
export function boltzmannPolicy(
  q: QValues<Vector>,
  logPrior: LogPrior<Vector>,
  tau: number,
): LogProbabilities {
  requireLength("boltzmannPolicy", "logPrior", logPrior.length, q.length, "π̄ has one weight per action");
  requireNumber("boltzmannPolicy", "tau", tau, Number.MIN_VALUE, Number.MAX_VALUE);
  const high = supportMaximum("boltzmannPolicy", q, logPrior);
  const normaliser = logPartition(q, logPrior, tau, high);
  const logPi = new Float64Array(q.length);
  // Subtracting V_Q itself would lose the digits of τ next to those of Q.
  for (let a = 0; a < q.length; a++) logPi[a] = logPrior[a] + (q[a] - high) / tau - normaliser;
  return logProbabilities(logPi);
}

/**
 * The limit of {@link boltzmannPolicy} as τ → 0: π̄ restricted to the actions with the largest Q, normalised.
 *
 * @throws SoftrlError when lengths differ or π̄ is zero everywhere.
 */
export function greedyPolicy(q: QValues<Vector>, logPrior: LogPrior<Vector>): LogProbabilities {
  requireLength("greedyPolicy", "logPrior", logPrior.length, q.length, "π̄ has one weight per action");
  const high = supportMaximum("greedyPolicy", q, logPrior);
  const best = new Float64Array(q.length).fill(Number.NEGATIVE_INFINITY);
  for (let a = 0; a < q.length; a++) if (q[a] === high) best[a] = logPrior[a];
  logSoftmaxInto(best, best);
  return logProbabilities(best);
}

/**
 * Q(a) = v + τ (log π(a) − log π̄(a)) ((57), the inverse of {@link boltzmannPolicy} and {@link softValue}).
 *
 * @throws SoftrlError when lengths differ or τ is negative.
 */
export function qFromPolicy(
  v: number,
  logPi: LogProbabilities<Vector>,
  logPrior: LogPrior<Vector>,
  tau: number,
): QValues {
  requireLength("qFromPolicy", "logPrior", logPrior.length, logPi.length, "π̄ has one weight per action");
  requireNumber("qFromPolicy", "tau", tau, 0, Number.MAX_VALUE);
  const q = new Float64Array(logPi.length);
  for (let a = 0; a < q.length; a++) q[a] = v + tau * (logPi[a] - logPrior[a]);
  return qValues(q);
}

/** max Q over the actions with a positive weight under π̄. */
function supportMaximum(where: string, q: QValues<Vector>, logPrior: LogPrior<Vector>): number {
  let high = Number.NEGATIVE_INFINITY;
  for (let a = 0; a < q.length; a++) {
    if (Number.isNaN(q[a]) || Number.isNaN(logPrior[a])) return Number.NaN;
    if (logPrior[a] > Number.NEGATIVE_INFINITY && q[a] > high) high = q[a];
  }
  if (high === Number.NEGATIVE_INFINITY) {
    fail(where, "no action can be chosen", { expected: "an action with finite q and positive prior" });
  }
  return high;
}

/** log Σ π̄ exp((Q − high)/τ). */
function logPartition(q: QValues<Vector>, logPrior: LogPrior<Vector>, tau: number, high: number): number {
  // π̄ may be far from one, so subtract the maximum of log π̄ + (Q − high)/τ as well.
  let shift = Number.NEGATIVE_INFINITY;
  for (let a = 0; a < q.length; a++) shift = Math.max(shift, logPrior[a] + (q[a] - high) / tau);
  let sum = 0;
  for (let a = 0; a < q.length; a++) sum += exp(logPrior[a] + (q[a] - high) / tau - shift);
  return shift + log(sum);
}
