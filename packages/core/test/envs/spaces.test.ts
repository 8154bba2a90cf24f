import {
  actionCount,
  type Box,
  contains,
  describeSpace,
  observationLength,
  oneHotSpace,
  type Space,
  sameSpace,
  UNBOUNDED,
  unitScale,
  validateSpace,
} from "softrl";
import { describe, expect, it } from "vitest";

const picture: Box = { kind: "box", shape: [2, 3], dtype: "uint8", low: 0, high: 255 };
const pair: Box = { kind: "box", shape: [2], dtype: "float32", low: [-1, -UNBOUNDED], high: [1, UNBOUNDED] };

describe("spaces", () => {
  it("have an observation length and an action count", () => {
    expect(observationLength(picture)).toBe(6);
    expect(observationLength({ ...picture, shape: [] })).toBe(1);
    expect(actionCount({ kind: "discrete", n: 4 })).toBe(4);
    expect(() => observationLength({ kind: "discrete", n: 4 })).toThrow(/one-hot.*oneHotSpace\(4\)/);
    expect(() => actionCount(pair)).toThrow(/not discrete/);
  });

  it("contain the right values", () => {
    expect(contains({ kind: "discrete", n: 2 }, 1)).toBe(true);
    for (const outside of [2, -1, 0.5, Number.NaN]) {
      expect(contains({ kind: "discrete", n: 2 }, outside)).toBe(false);
    }
    expect(contains({ kind: "discrete", n: 2 }, [1])).toBe(false);
    expect(contains(pair, [1, 1e9])).toBe(true);
    for (const outside of [[1.01, 0], [-1.01, 0], [Number.NaN, 0], [0, Infinity], [0], [0, 0, 0]]) {
      expect(contains(pair, outside)).toBe(false);
    }
    expect(contains(picture, [0, 1, 2, 3, 4, 255])).toBe(true);
    expect(contains(picture, [0, 1, 2, 3, 4, 255.5])).toBe(false);
    expect(contains(picture, [0, 1, 2, 3, 4.5, 255])).toBe(false);
  });

  it("have a description", () => {
    expect(describeSpace({ kind: "discrete", n: 6 })).toBe("Discrete 0..5");
    expect(describeSpace(picture)).toBe("Box [2, 3] uint8 in [0, 255]");
    expect(describeSpace(pair)).toBe("Box [2] float32 in [(-1, -∞), (1, ∞)]");
    const many = { ...oneHotSpace(9), high: [1, 2, 3, 4, 5, 6, 7, 8, 9] };
    expect(describeSpace(many)).toBe("Box [9] float32 in [0, 1 to 9]");
    const high = Array.from({ length: 600_000 }, (_, i) => i + 1);
    expect(describeSpace({ kind: "box", shape: [600_000], dtype: "float32", low: 0, high })).toBe(
      "Box [600000] float32 in [0, 1 to 600000]",
    );
  });

  it("compare by value", () => {
    expect(sameSpace(oneHotSpace(2), { ...oneHotSpace(2), low: [0, 0] })).toBe(true);
    expect(sameSpace(oneHotSpace(2), { ...oneHotSpace(2), low: [0, 1] })).toBe(false);
    expect(sameSpace(oneHotSpace(2), oneHotSpace(3))).toBe(false);
    expect(sameSpace(oneHotSpace(2), { ...oneHotSpace(2), dtype: "uint8" })).toBe(false);
    expect(sameSpace({ kind: "discrete", n: 2 }, { kind: "discrete", n: 2 })).toBe(true);
    expect(sameSpace({ kind: "discrete", n: 2 }, { kind: "discrete", n: 3 })).toBe(false);
    expect(sameSpace({ kind: "discrete", n: 2 }, oneHotSpace(2))).toBe(false);
  });

  it("have the factors that bring their elements to unit scale", () => {
    expect(unitScale(picture)).toBe(1 / 255);
    expect(unitScale({ ...picture, high: 1 })).toBe(1);
    expect(unitScale({ ...picture, dtype: "float32", low: -4, high: 2 })).toBe(1 / 4);
    expect(unitScale({ ...picture, low: 0, high: 0 })).toBe(1);
    expect(unitScale({ ...pair, low: [-1, -4], high: [2, 3] })).toEqual(Float64Array.of(1 / 2, 1 / 4));
    expect(unitScale({ ...pair, low: [-8, -8], high: [8, 1] })).toBe(1 / 8);
    // One bound does not make an element bounded.
    expect(unitScale(pair)).toBe(1);
    expect(unitScale({ ...pair, low: [-2, 0], high: [2, UNBOUNDED] })).toEqual(Float64Array.of(1 / 2, 1));
    expect(() => unitScale({ kind: "discrete", n: 4 })).toThrow(/one-hot/);
  });

  it("survive JSON", () => {
    expect(JSON.parse(JSON.stringify(pair))).toEqual(pair);
  });

  it("pass validation if they are well formed", () => {
    for (const space of [picture, pair, oneHotSpace(3)]) validateSpace("here", "space", space);
    validateSpace("here", "space", { kind: "discrete", n: 1 });
  });

  it.each<[Space, RegExp]>([
    [{ kind: "discrete", n: 0 }, /space\.n/],
    [{ ...pair, shape: [2, 0] }, /shape\[1\]/],
    [{ ...pair, shape: [1.5] }, /shape\[0\]/],
    [{ ...pair, low: [0] }, /space\.low has the wrong length, expected 2, got 1/],
    [{ ...pair, low: 2 }, /invalid bounds at element 0.*got \[2, 1\]/],
    [{ ...pair, high: [1, Number.NaN] }, /invalid bounds at element 1/],
    [{ ...picture, high: 256 }, /does not fit uint8/],
    [
      JSON.parse('{"kind":"box","shape":[1],"dtype":"float64","low":0,"high":1}'),
      /dtype is unknown.*float64/,
    ],
    [JSON.parse('{"kind":"box","shape":4,"dtype":"uint8","low":0,"high":1}'), /shape is not a list/],
    [JSON.parse('{"kind":"tuple"}'), /is not a space/],
  ])("fail validation: %o", (space, message) => {
    expect(() => validateSpace("here", "space", space)).toThrow(message);
  });
});
