import { describe, expect, it } from "vitest";
import { logAddExp, logSoftmaxInto, logSumExp } from "../../src/math/logspace.js";

const minus = Number.NEGATIVE_INFINITY;

describe("logSumExp", () => {
  it("matches the definition for small numbers", () => {
    expect(logSumExp(Float64Array.of(0.1, -0.4, 1.7))).toBeCloseTo(
      Math.log(Math.exp(0.1) + Math.exp(-0.4) + Math.exp(1.7)),
      14,
    );
  });

  it("does not overflow or underflow at large magnitudes", () => {
    expect(logSumExp(Float64Array.of(1e300, 1e300))).toBe(1e300);
    expect(logSumExp(Float64Array.of(1000, 1000))).toBeCloseTo(1000 + Math.LN2, 12);
    expect(logSumExp(Float64Array.of(-1000, -1000))).toBeCloseTo(-1000 + Math.LN2, 12);
  });

  it("treats −∞ as a weight of zero, and an empty range as an empty sum", () => {
    expect(logSumExp(Float64Array.of(minus, 2, minus))).toBe(2);
    expect(logSumExp(Float64Array.of(minus, minus))).toBe(minus);
    expect(logSumExp(new Float64Array(0))).toBe(minus);
  });

  it("propagates NaN and +∞", () => {
    expect(logSumExp(Float64Array.of(minus, Number.NaN))).toBeNaN();
    expect(logSumExp(Float64Array.of(Number.POSITIVE_INFINITY, 0, Number.NaN))).toBeNaN();
    expect(logSumExp(Float64Array.of(1, Number.POSITIVE_INFINITY))).toBe(Number.POSITIVE_INFINITY);
  });

  it("reads only its range", () => {
    expect(logSumExp(Float64Array.of(50, 1, 1, 50), 1, 2)).toBeCloseTo(1 + Math.LN2, 14);
  });
});

describe("logAddExp", () => {
  it("is log(eᵃ + eᵇ), with the infinities as limits", () => {
    expect(logAddExp(0.3, -1.2)).toBeCloseTo(Math.log(Math.exp(0.3) + Math.exp(-1.2)), 14);
    expect(logAddExp(-1e6, -1e6)).toBeCloseTo(-1e6 + Math.LN2, 9);
    expect(logAddExp(minus, 3)).toBe(3);
    expect(logAddExp(minus, minus)).toBe(minus);
    expect(logAddExp(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY)).toBe(Number.POSITIVE_INFINITY);
    expect(logAddExp(Number.NaN, minus)).toBeNaN();
  });
});

describe("logSoftmaxInto", () => {
  it("normalises a range in place and does not change the rest", () => {
    const x = Float64Array.of(7, 1000, 1001, 7);
    logSoftmaxInto(x, x, 1, 2);
    expect(Math.exp(x[1]) + Math.exp(x[2])).toBeCloseTo(1, 14);
    expect(x[2] - x[1]).toBe(1);
    expect([x[0], x[3]]).toEqual([7, 7]);
  });

  it("gives NaN if the range defines no distribution", () => {
    const out = new Float64Array(2);
    logSoftmaxInto(Float64Array.of(minus, minus), out);
    expect([...out]).toEqual([Number.NaN, Number.NaN]);
  });
});
