import { fail } from "../base/errors.js";

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
