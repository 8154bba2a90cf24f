import { combinedMoments, inverseDeviation, momentsOf, noMoments, RandomStreams } from "softrl";
import { describe, expect, it } from "vitest";
import {
  inverseDeviationInto,
  momentsFrom,
  momentsSnapshot,
  RunningMoments,
} from "../../src/math/running-moments.js";

/** |x − y| / max(1, |y|), the largest. */
function difference(x: ArrayLike<number>, y: ArrayLike<number>): number {
  let largest = 0;
  for (let i = 0; i < y.length; i++) {
    largest = Math.max(largest, Math.abs(x[i] - y[i]) / Math.max(1, Math.abs(y[i])));
  }
  return largest;
}

describe("the moments of a batch", () => {
  it("are the mean and Σ (x − mean)² of each element", () => {
    expect(momentsOf([1, 10, 2, 10, 6, 10], 2)).toEqual({
      count: 3,
      mean: Float64Array.of(3, 10),
      squares: Float64Array.of(4 + 1 + 9, 0),
    });
    expect(momentsOf([], 2)).toEqual(noMoments(2));
    expect(() => momentsOf([1, 2, 3], 2)).toThrow(
      "momentsOf: samples is not whole rows, expected a multiple of 2 numbers, got 3.",
    );
  });

  it("keep their digits where the mean is much larger than the deviation", () => {
    const { mean, squares } = momentsOf([1e9 + 1, 1e9 + 2, 1e9 + 3], 1);
    expect([mean[0], squares[0]]).toEqual([1e9 + 2, 2]);
    // 0.1 has no exact double, and the mean of many is rounded.
    expect(momentsOf(new Float64Array(1000).fill(0.1), 1).squares[0]).toBeLessThan(1e-27);
  });
});

describe("combined moments", () => {
  it("are those of all samples, however they are divided", () => {
    const random = new RandomStreams(1).stream("samples");
    for (let trial = 0; trial < 50; trial++) {
      const elements = 1 + random.integer(4);
      const rows = 1 + random.integer(200);
      const offset = random.uniform(-1e3, 1e3);
      const samples = Float64Array.from({ length: rows * elements }, () => offset + random.uniform(-2, 2));
      let running = noMoments(elements);
      const inPlace = new RunningMoments(elements);
      for (let first = 0; first < rows; ) {
        const last = Math.min(rows, first + 1 + random.integer(20));
        running = combinedMoments(
          running,
          momentsOf(samples.subarray(first * elements, last * elements), elements),
        );
        inPlace.add(samples.subarray(first * elements, last * elements));
        first = last;
      }
      expect([inPlace.count, inPlace.mean, inPlace.squares]).toEqual([
        running.count,
        running.mean,
        running.squares,
      ]);
      const inverse = new Float64Array(elements);
      inverseDeviationInto(inPlace, 1e-8, inverse);
      expect(inverse).toEqual(inverseDeviation(running, 1e-8));
      const whole = momentsOf(samples, elements);
      expect(running.count).toBe(rows);
      expect(difference(running.mean, whole.mean)).toBeLessThan(1e-12);
      expect(difference(running.squares, whole.squares)).toBeLessThan(1e-12);
    }
  });

  it("leave both sets as they are, and no samples change nothing", () => {
    const a = momentsOf([1, 2, 4], 1);
    const before = momentsSnapshot(a);
    expect(combinedMoments(a, noMoments(1))).toEqual(a);
    expect(combinedMoments(noMoments(1), a)).toEqual(a);
    combinedMoments(a, momentsOf([9], 1));
    expect(momentsSnapshot(a)).toEqual(before);
    expect(combinedMoments(noMoments(2), noMoments(2))).toEqual(noMoments(2));
    expect(() => combinedMoments(a, noMoments(2))).toThrow(/combinedMoments: b\.mean has the wrong length/);
  });
});

describe("the inverse deviation", () => {
  it("is 1/√(variance + ε)", () => {
    const moments = momentsOf([1, 5, 3, 5], 2);
    expect(Array.from(inverseDeviation(moments, 0.25))).toEqual([1 / Math.sqrt(1.25), 2]);
    expect(() => inverseDeviation(noMoments(1), 0.1)).toThrow(/there are no samples/);
  });
});

describe("moments in a snapshot", () => {
  it("are restored as they were, and refused when they cannot be moments", () => {
    const moments = momentsOf([1, 5, 3, 5], 2);
    const saved = momentsSnapshot(moments);
    expect(momentsFrom("here", saved, 2)).toEqual(moments);
    const broken = [
      { ...saved, count: -1 },
      { ...saved, mean: Float64Array.of(0, Number.NaN) },
      { ...saved, squares: Float64Array.of(-1, 0) },
    ];
    for (const snapshot of broken)
      expect(() => momentsFrom("here", snapshot, 2)).toThrow(/^here: the moments/);
    expect(() => momentsFrom("here", saved, 3)).toThrow(/does not fit/);
  });
});
