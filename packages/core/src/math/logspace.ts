/**
 * Where all others import exp and log from. Probabilities travel as logarithms, and these functions sum them, so
 * that overflow, log 0 and cancellation are handled in one place.
 */
import { exp, log } from "./exponential.js";
import type { Vector } from "./units.js";

export { exp, log };

/** log(1 + x), exact for small x. Its last digit depends on the engine; no training calls it. */
export const log1p = Math.log1p;
/** eˣ − 1, exact for small x. Its last digit depends on the engine; no training calls it. */
export const expm1 = Math.expm1;

/**
 * log Σ exp(xᵢ) over `count` elements from `offset`. The maximum is subtracted first, so it never overflows.
 *
 * −∞ is a weight of zero: an empty range, or one of −∞ only, gives −∞. +∞ gives +∞, NaN gives NaN.
 */
export function logSumExp(x: Vector, offset = 0, count = x.length - offset): number {
  let high = Number.NEGATIVE_INFINITY;
  for (let i = offset; i < offset + count; i++) {
    if (Number.isNaN(x[i])) return Number.NaN;
    if (x[i] > high) high = x[i];
  }
  if (!Number.isFinite(high)) return high;
  let sum = 0;
  for (let i = offset; i < offset + count; i++) sum += exp(x[i] - high);
  return high + log(sum);
}

/** log(eᵃ + eᵇ), without overflow; −∞ is a weight of zero. */
export function logAddExp(a: number, b: number): number {
  const high = Math.max(a, b);
  const low = Math.min(a, b);
  // Equal infinities would give ∞ − ∞.
  if (low === Number.NEGATIVE_INFINITY || high === Number.POSITIVE_INFINITY) return high;
  return high + log1p(exp(low - high));
}

/**
 * out = x − log Σ exp(x) over `count` elements from `offset` of both arrays; `out` may be `x`.
 *
 * The result is NaN if the range contains NaN or +∞, or only −∞: it defines no distribution.
 */
export function logSoftmaxInto(x: Vector, out: Vector, offset = 0, count = x.length - offset): void {
  let high = Number.NEGATIVE_INFINITY;
  for (let i = offset; i < offset + count; i++) high = Math.max(high, x[i]);
  let sum = 0;
  for (let i = offset; i < offset + count; i++) sum += exp(x[i] - high);
  const logSum = log(sum);
  // Subtract high first: x − (high + logSum) would lose the digits of logSum next to a large high.
  for (let i = offset; i < offset + count; i++) out[i] = x[i] - high - logSum;
}
