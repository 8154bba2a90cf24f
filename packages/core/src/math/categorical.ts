import { fail } from "../base/errors.js";
import type { Random } from "../base/random.js";
import { exp } from "./logspace.js";
import type { LogPrior, LogProbabilities, Vector } from "./units.js";

/**
 * H[π] = −Σ π(a) log π(a), with 0 log 0 = 0.
 *
 * Reads the distribution of `count` actions that starts at `offset`: row s of [S, A] starts at s · A.
 */
export function entropy(
  logPi: LogProbabilities<Vector>,
  offset = 0,
  count: number = logPi.length - offset,
): number {
  let sum = 0;
  for (let i = offset; i < offset + count; i++) {
    const logP = logPi[i];
    if (logP !== Number.NEGATIVE_INFINITY) sum -= exp(logP) * logP;
  }
  return sum;
}

/**
 * D_KL[π ‖ π̄] = Σ π(a) (log π(a) − log π̄(a)), with 0 log 0 = 0; +∞ where π leaves the support of π̄.
 *
 * π̄ may be any positive measure. For the counting measure (`logPrior` all zeros) this is −H[π] and may be
 * negative. π is the row of `count` actions at `offset`, π̄ the row at `priorOffset`.
 */
export function klDivergence(
  logPi: LogProbabilities<Vector>,
  logPrior: LogPrior<Vector>,
  offset = 0,
  count: number = logPi.length - offset,
  priorOffset = 0,
): number {
  let sum = 0;
  for (let a = 0; a < count; a++) {
    const logP = logPi[offset + a];
    if (logP !== Number.NEGATIVE_INFINITY) sum += exp(logP) * (logP - logPrior[priorOffset + a]);
  }
  return sum;
}

/**
 * Draws a ~ π by inverting the cumulative distribution. Each draw calls `random.float()` once and allocates
 * nothing.
 *
 * π is the row of `count` actions at `offset`.
 * @returns the action in [0, count).
 * @throws SoftrlError when the row is not a distribution: with the code `diverged` if its sum is not finite.
 */
export function sampleCategorical(
  logPi: LogProbabilities<Vector>,
  random: Random,
  offset = 0,
  count: number = logPi.length - offset,
): number {
  const u = random.float();
  let cumulative = 0;
  let last = -1;
  for (let a = 0; a < count; a++) {
    const p = exp(logPi[offset + a]);
    cumulative += p;
    if (u < cumulative) return a;
    if (p > 0) last = a;
  }
  // Rounding may leave the sum slightly below one, with u above it.
  if (last >= 0 && cumulative > 0.999) return last;
  return fail("sampleCategorical", "logPi is not a distribution", {
    expected: "log-probabilities whose exp sums to 1",
    got: `a sum of ${cumulative}`,
    remedy: "check the network's outputs for NaN and normalise logits first",
    code: Number.isFinite(cumulative) ? "bad-input" : "diverged",
  });
}

/**
 * argmax π(a) of the row of `count` actions at `offset`; the first one if several are equal.
 *
 * @throws SoftrlError when the row is empty, or contains NaN: then with the code `diverged`.
 */
export function mode(
  logPi: LogProbabilities<Vector>,
  offset = 0,
  count: number = logPi.length - offset,
): number {
  let best = -1;
  let high = Number.NEGATIVE_INFINITY;
  for (let a = 0; a < count; a++) {
    const logP = logPi[offset + a];
    if (Number.isNaN(logP)) best = count;
    if (best < count && logP > high) {
      high = logP;
      best = a;
    }
  }
  if (best < 0 || best === count) {
    fail("mode", "logPi has no mode", {
      expected: "log-probabilities",
      got: best < 0 ? "none above −∞" : "NaN",
      code: best < 0 ? "bad-input" : "diverged",
    });
  }
  return best;
}
