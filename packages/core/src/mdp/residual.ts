/**
 * Distances between the two sides of an equation, scaled so that rounding alone gives about 1e-15. NaN stays
 * NaN.
 */

import { log } from "../math/logspace.js";

type Numbers = ArrayLike<number>;

/** max |xᵢ|; 0 if there are no numbers. */
export function largest(x: Numbers): number {
  let high = 0;
  for (let i = 0; i < x.length; i++) high = Math.max(high, Math.abs(x[i]));
  return high;
}

/** max |leftᵢ − rightᵢ| / max(|leftᵢ|, |rightᵢ|), each maximum over all i; 0 if both sides are all zeros. */
export function relativeDifference(left: Numbers, right: Numbers): number {
  let worst = left.length === right.length ? 0 : Number.NaN;
  for (let i = 0; i < left.length; i++) worst = Math.max(worst, Math.abs(left[i] - right[i]));
  return relative(worst, Math.max(largest(left), largest(right)));
}

/** difference / scale, with 0/0 = 0. */
export function relative(difference: number, scale: number): number {
  return difference === 0 && scale === 0 ? 0 : difference / scale;
}

/** |slope − 1| of the least-squares line through (log size, log error): the deviation from first order. */
export function firstOrderResidual(sizes: readonly number[], errors: readonly number[]): number {
  return Math.abs(logLogSlope(sizes, errors) - 1);
}

/** The slope of the least-squares line through (log size, log error): the order of convergence. */
export function logLogSlope(sizes: readonly number[], errors: readonly number[]): number {
  const x = sizes.map(log);
  const y = errors.map(log);
  const mean = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0) / numbers.length;
  const [xMean, yMean] = [mean(x), mean(y)];
  const along = x.reduce((total, xi, i) => total + (xi - xMean) * (y[i] - yMean), 0);
  const spread = x.reduce((total, xi) => total + (xi - xMean) ** 2, 0);
  return along / spread;
}
