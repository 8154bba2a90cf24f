import { describe, expect, it } from "vitest";
import { largest, relative, relativeDifference } from "../../src/mdp/residual.js";

describe("relativeDifference", () => {
  it("is the largest difference divided by the largest entry of both sides", () => {
    expect(relativeDifference([1, 2, -4], [1, 2.5, -4])).toBe(0.125);
    expect(relativeDifference([0, 0], [0, 0])).toBe(0);
    expect(relativeDifference([0], [1e-30])).toBe(1);
  });

  it("is NaN if a side contains NaN or the lengths differ, so that no bound holds", () => {
    expect(relativeDifference([1, Number.NaN, 2], [1, 1, 2])).toBeNaN();
    expect(relativeDifference([1, 2], [1, Number.NaN])).toBeNaN();
    expect(relativeDifference([1], [1, 2])).toBeNaN();
    expect(largest([1, Number.NaN, 3])).toBeNaN();
  });
});

describe("relative", () => {
  it("gives 0 for 0/0, and ∞ for a difference at scale 0", () => {
    expect(relative(0, 0)).toBe(0);
    expect(relative(1, 0)).toBe(Number.POSITIVE_INFINITY);
  });
});
