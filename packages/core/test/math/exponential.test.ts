import { RandomStreams } from "softrl";
import { describe, expect, it } from "vitest";
import { exp, log } from "../../src/math/exponential.js";
import { hashOf, points, ulps } from "./elementary-functions.js";

const random = new RandomStreams(3).stream("exponential");
const exponents = Float64Array.of(
  ...points(20_000, -20, 1, random),
  ...points(20_000, -745, 709.7, random),
  ...points(20_000, -1e-3, 1e-3, random),
  ...Array.from({ length: 1454 }, (_, k) => k - 745),
);
const positive = Float64Array.of(
  ...points(20_000, 0, 1, random),
  ...points(20_000, 0.7, 1.5, random),
  ...points(20_000, 0, 1e6, random),
  ...Array.from({ length: 2000 }, (_, k) => (1 + random.float()) * 2 ** (k - 1050)),
);

describe("exp", () => {
  it("differs from the engine's by at most one unit in the last place", () => {
    expect(Array.from(exponents).filter((x) => ulps(exp(x), Math.exp(x)) > 1)).toEqual([]);
  });

  it("gives the same numbers on every engine", () => {
    expect(hashOf(exp, exponents)).toBe("19062218");
    for (const [x, expected] of [
      [1, Math.E],
      [0, 1],
      [-0, 1],
      [2 ** -30, 1 + 2 ** -30],
      [709.782712893384, 1.7976931348622732e308],
      [-745.1332191019411, 5e-324],
    ]) {
      expect(exp(x)).toBe(expected);
    }
  });

  it("overflows to ∞, underflows to 0 and passes NaN on", () => {
    const odd = [709.7827128933841, Infinity, -745.1332191019412, -Infinity, Number.NaN];
    expect(odd.map(exp)).toEqual([Infinity, Infinity, 0, 0, Number.NaN]);
  });
});

describe("log", () => {
  it("differs from the engine's by at most one unit in the last place", () => {
    expect(Array.from(positive).filter((x) => ulps(log(x), Math.log(x)) > 1)).toEqual([]);
  });

  it("gives the same numbers on every engine", () => {
    expect(hashOf(log, positive)).toBe("4da0cf82");
    for (const [x, expected] of [
      [1, 0],
      [2, Math.LN2],
      [10, Math.LN10],
      [5e-324, -744.4400719213812],
      [Number.MAX_VALUE, 709.782712893384],
    ]) {
      expect(log(x)).toBe(expected);
    }
  });

  it("is −∞ at 0, ∞ at ∞, and NaN below 0", () => {
    expect([0, -0, Infinity, -1, -Infinity, Number.NaN].map(log)).toEqual([
      -Infinity,
      -Infinity,
      Infinity,
      Number.NaN,
      Number.NaN,
      Number.NaN,
    ]);
  });

  it("inverts exp", () => {
    for (const x of points(2000, -20, 20, random)) expect(log(exp(x))).toBeCloseTo(x, 12);
  });
});
