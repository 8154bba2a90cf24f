import { largest, sampleStandardDeviation, smallest } from "softrl";
import { describe, expect, it } from "vitest";
import { mean } from "../../src/math/statistics.js";

describe("statistics", () => {
  it("mean and sample standard deviation follow their definitions", () => {
    expect(mean([2, 4, 4, 4, 5, 5, 7, 9])).toBe(5);
    expect(sampleStandardDeviation([2, 4, 4, 4, 5, 5, 7, 9])).toBeCloseTo(Math.sqrt(32 / 7), 14);
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
  });
});
