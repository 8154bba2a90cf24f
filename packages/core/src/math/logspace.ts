/**
 * The only home of exp and log: whatever is a probability travels as its logarithm and comes here to be summed.
 *
 * Formulas elsewhere call these, so that overflow, log 0 and cancellation are met in one place.
 */
import type { Vector } from "./units.js";

/** eˣ. */
export const exp = Math.exp;
/** The natural logarithm; log 0 = −∞. */
export const log = Math.log;
/** log(1 + x), exact for small x. */
export const log1p = Math.log1p;
/** eˣ − 1, exact for small x. */
export const expm1 = Math.expm1;

/**
 * log Σ exp(xᵢ) over `count` elements from `offset`, by the shift of the maximum: never overflows.
 *
 * −∞ stands for a weight of zero: an empty or all −∞ range gives −∞. +∞ gives +∞, NaN gives NaN.
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

/** log(eᵃ + eᵇ), without overflow; −∞ stands for zero. */
export function logAddExp(a: number, b: number): number {
  const high = Math.max(a, b);
  const low = Math.min(a, b);
  // Equal infinities would make ∞ − ∞.
  if (low === Number.NEGATIVE_INFINITY || high === Number.POSITIVE_INFINITY) return high;
  return high + log1p(exp(low - high));
}

/**
 * out = x − log Σ exp(x) over `count` elements from `offset` of both; `out` may be `x`.
 *
 * NaN where the range holds NaN or +∞, or is −∞ throughout: there is no such distribution.
 */
export function logSoftmaxInto(x: Vector, out: Vector, offset = 0, count = x.length - offset): void {
  let high = Number.NEGATIVE_INFINITY;
  for (let i = offset; i < offset + count; i++) high = Math.max(high, x[i]);
  let sum = 0;
  for (let i = offset; i < offset + count; i++) sum += exp(x[i] - high);
  const logSum = log(sum);
  // x − high first: subtracting high + logSum at once would lose the digits of logSum beside a large high.
  for (let i = offset; i < offset + count; i++) out[i] = x[i] - high - logSum;
}
