import { sampleStandardDeviation } from "softrl";
import { describe, expect, it } from "vitest";
import { mean } from "../../src/math/statistics.js";

describe("statistics", () => {
  it("mean and sample standard deviation follow their definitions", () => {
    expect(mean([2, 4, 4, 4, 5, 5, 7, 9])).toBe(5);
    expect(sampleStandardDeviation([2, 4, 4, 4, 5, 5, 7, 9])).toBeCloseTo(Math.sqrt(32 / 7), 14);
  });

  it("refuses too few numbers", () => {
    expect(() => mean([])).toThrow(/the input is empty/);
    expect(() => sampleStandardDeviation([1])).toThrow(/at least 2, got 1/);
  });
});
