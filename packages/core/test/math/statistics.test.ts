import { explainedVariance, largest, sampleStandardDeviation, smallest } from "softrl";
import { describe, expect, it } from "vitest";
import { mean } from "../../src/math/statistics.js";

describe("statistics", () => {
  it("mean and sample standard deviation follow their definitions", () => {
    expect(mean([2, 4, 4, 4, 5, 5, 7, 9])).toBe(5);
    expect(sampleStandardDeviation([2, 4, 4, 4, 5, 5, 7, 9])).toBeCloseTo(Math.sqrt(32 / 7), 14);
  });

  it("the explained variance is 1 − Var(y − x) / Var(y)", () => {
    const y = [1, 2, 3, 4];
    expect(explainedVariance(y, y)).toBe(1);
    expect(explainedVariance([8, 9, 10, 11], y)).toBe(1);
    expect(explainedVariance([5, 5, 5, 5], y)).toBe(0);
    // y − x = 2y has four times the variance of y.
    expect(explainedVariance([-1, -2, -3, -4], y)).toBe(-3);
    // y − x = (1, −1, 1, −1) has variance 1, and y has 5/4.
    expect(explainedVariance([0, 3, 2, 5], y)).toBeCloseTo(1 - 4 / 5, 14);
  });

  it("constant targets have no variance to explain", () => {
    expect(explainedVariance([1, 2, 3], [7, 7, 7])).toBe(0);
    expect(explainedVariance([1, 2, 3], [0, 0, 0])).toBe(0);
    expect(explainedVariance([1, 2, 3], [100, 100 * (1 + 2 ** -52), 100])).toBe(0);
    expect(explainedVariance([5], [7])).toBe(0);
    expect(explainedVariance([0, 0, 0], [1000, 1000.01, 1000])).toBe(0);
    expect(explainedVariance([1000, 1000.01, 1000], [1000, 1000.01, 1000])).toBe(1);
  });

  it("largest and smallest take more numbers than a call takes arguments", () => {
    const many = Float64Array.from({ length: 600_000 }, (_, i) => Math.sin(i));
    many[7] = 5;
    many[599_999] = -6;
    expect(() => Math.max(...many)).toThrow(RangeError);
    expect([largest(many), smallest(many)]).toEqual([5, -6]);
  });

  it("largest and smallest are otherwise Math.max and Math.min", () => {
    for (const x of [[], [3], [2, -1, 2], [1, Number.NaN, 2], [0, -0], [-0, 0], [-Infinity, Infinity]]) {
      expect(largest(x)).toBe(Math.max(...x));
      expect(smallest(x)).toBe(Math.min(...x));
    }
  });

  it("refuses too few numbers", () => {
    expect(() => mean([])).toThrow(/the input is empty/);
    expect(() => sampleStandardDeviation([1])).toThrow(/at least 2, got 1/);
    expect(() => explainedVariance([], [])).toThrow(/the input is empty/);
    expect(() => explainedVariance([1], [1, 2])).toThrow(/targets has the wrong length, expected 1, got 2/);
  });
});
