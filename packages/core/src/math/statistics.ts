import { fail, requireLength } from "../base/errors.js";

/** (1/n) Σ xᵢ. @throws SoftrlError when the input is empty. */
export function mean(x: ArrayLike<number>): number {
  if (x.length === 0) fail("mean", "the input is empty", { expected: "at least one number", got: "none" });
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += x[i];
  return sum / x.length;
}

/** √(Σ (xᵢ − x̄)² / (n − 1)), the spread over seeds. @throws SoftrlError for n < 2, where it is not defined. */
export function sampleStandardDeviation(x: ArrayLike<number>): number {
  if (x.length < 2) {
    fail("sampleStandardDeviation", "too few numbers", {
      expected: "at least 2",
      got: String(x.length),
    });
  }
  const centre = mean(x);
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += (x[i] - centre) ** 2;
  return Math.sqrt(sum / (x.length - 1));
}

/**
 * 1 − Var(y − x) / Var(y): the share of the variance of the targets y that the predictions x explain. 1 is perfect up
 * to a constant, 0 is no better than a constant, and there is no lower bound. 0 as well where the targets are constant,
 * that is, where their standard deviation is at most 10⁻⁶ of their root mean square: then there is nothing to explain.
 * @throws SoftrlError when the input is empty or the lengths differ.
 */
export function explainedVariance(x: ArrayLike<number>, y: ArrayLike<number>): number {
  requireLength("explainedVariance", "targets", y.length, x.length);
  const centre = mean(y);
  let error = 0;
  for (let i = 0; i < y.length; i++) error += y[i] - x[i];
  error /= y.length;
  let squares = 0;
  let spread = 0;
  let errorSpread = 0;
  for (let i = 0; i < y.length; i++) {
    squares += y[i] ** 2;
    spread += (y[i] - centre) ** 2;
    errorSpread += (y[i] - x[i] - error) ** 2;
  }
  return spread <= 1e-12 * squares ? 0 : 1 - errorSpread / spread;
}

/**
 * max xᵢ, for any length: `Math.max(...x)` throws beyond about 120,000 numbers. NaN when one of them is; −∞ for none.
 */
export function largest(x: ArrayLike<number>): number {
  let most = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < x.length; i++) most = Math.max(most, x[i]);
  return most;
}

/** min xᵢ, for any length. NaN when one of them is; ∞ for none. */
export function smallest(x: ArrayLike<number>): number {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < x.length; i++) least = Math.min(least, x[i]);
  return least;
}
