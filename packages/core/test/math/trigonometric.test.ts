import { RandomStreams } from "softrl";
import { describe, expect, it } from "vitest";
import { cosine, sine } from "../../src/math/trigonometric.js";
import { hashOf, points, ulps } from "./elementary-functions.js";

const random = new RandomStreams(5).stream("trigonometric");
const angles = Float64Array.of(
  ...points(20_000, -1, 1, random),
  ...points(20_000, -10, 10, random),
  ...points(20_000, -1e6, 1e6, random),
  // Where the reduction cancels nearly all digits.
  ...Array.from({ length: 2000 }, (_, n) => n * (Math.PI / 2)),
  ...Array.from({ length: 500 }, (_, k) => 2 ** -k),
);

describe.each([
  ["sine", sine, Math.sin, -1, "14c27e4d"],
  ["cosine", cosine, Math.cos, 1, "bfa8cea9"],
] as const)("%s", (_, own, engine, parity, hash) => {
  it("differs from the engine's by at most one unit in the last place", () => {
    expect(Array.from(angles).filter((x) => ulps(own(x), engine(x)) > 1)).toEqual([]);
  });

  it("gives the same numbers on every engine", () => expect(hashOf(own, angles)).toBe(hash));

  it("is exactly odd, or exactly even", () => {
    expect(Array.from(angles).filter((x) => own(-x) !== parity * own(x))).toEqual([]);
  });

  it("is NaN where there is no angle, and the engine's for huge ones", () => {
    expect([Infinity, -Infinity, Number.NaN].map(own)).toEqual([Number.NaN, Number.NaN, Number.NaN]);
    expect(own(1e22)).toBe(engine(1e22));
  });
});
