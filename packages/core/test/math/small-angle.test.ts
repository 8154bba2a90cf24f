import { RandomStreams } from "softrl";
import { describe, expect, it } from "vitest";
import { smallCosine, smallSine } from "../../src/math/small-angle.js";
import { cosine, sine } from "../../src/math/trigonometric.js";
import { ulps } from "./elementary-functions.js";

const edge = 1 / 4;
const random = new RandomStreams(11).stream("angles");
/**
 * The whole range evenly, the last numbers before its limit one by one, and every magnitude down to 10⁻³⁰⁰.
 */
const angles = [
  ...Array.from({ length: 100_000 }, (_, k) => (edge * (k + random.float())) / 100_000),
  ...Array.from({ length: 1000 }, (_, k) => edge * (1 - k * 2 ** -53)),
  ...Array.from({ length: 1000 }, (_, k) => edge * 10 ** (-0.3 * k)),
];

describe.each([
  ["smallSine", smallSine, Math.sin, sine, -1],
  ["smallCosine", smallCosine, Math.cos, cosine, 1],
] as const)("%s", (_, series, engine, general, parity) => {
  it("differs from the engine's function by at most one unit in the last place, and seldom", () => {
    const distances = angles.map((x) => ulps(series(x), engine(x)));
    expect(distances.filter((distance) => distance > 1)).toEqual([]);
    expect(distances.filter((distance) => distance === 1).length).toBeLessThan(0.02 * angles.length);
  });

  it("is exactly odd, or exactly even", () => {
    for (const x of angles.slice(0, 5000)) expect(series(-x)).toBe(parity * series(x));
  });

  it("is the general function outside its range", () => {
    for (const x of [edge + 2 ** -54, 0.3, 1, Math.PI, 1e22, Infinity, Number.NaN]) {
      expect(series(x)).toBe(general(x));
      expect(series(-x)).toBe(general(-x));
    }
  });
});

describe("smallSine and smallCosine", () => {
  it("are exact at zero", () => {
    expect([smallSine(0), smallCosine(0), smallCosine(-0)]).toEqual([0, 1, 1]);
  });

  it("lie on the unit circle", () => {
    const misses = angles.map((x) => Math.abs(smallSine(x) ** 2 + smallCosine(x) ** 2 - 1));
    expect(misses.filter((miss) => miss > 3 * Number.EPSILON)).toEqual([]);
  });

  it("give the same numbers on every engine, even where the engine's own function has another last bit", () => {
    for (const [x, expectedSine, expectedCosine] of [
      [0.01, 0.009999833334166664, 0.9999500004166653],
      [0.1, 0.09983341664682815, 0.9950041652780257],
      [0.2, 0.19866933079506122, 0.9800665778412416],
      [0.24972046456032967, 0.247133104232165, 0.9689815420288324],
    ]) {
      expect([smallSine(x), smallCosine(x)]).toEqual([expectedSine, expectedCosine]);
    }
  });
});
