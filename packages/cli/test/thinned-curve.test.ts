import { describe, expect, test } from "vitest";
import { ThinnedCurve } from "../src/watch/thinned-curve.js";

describe("a thinned curve", () => {
  test("keeps all points while they are few", () => {
    const curve = new ThinnedCurve(10);
    for (let step = 1; step < 10; step++) curve.add(step, -step);
    expect(curve.points(100).map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(new ThinnedCurve(10).points(3)).toEqual([]);
  });

  test("keeps its size, the first and the latest point, and even distances", () => {
    const curve = new ThinnedCurve(64);
    for (let step = 0; step <= 100_000; step++) curve.add(step, step / 2);
    const points = curve.points(1000);
    expect(points.length).toBeLessThanOrEqual(65);
    expect(points.length).toBeGreaterThanOrEqual(32);
    expect(points[0]).toEqual({ step: 0, value: 0 });
    expect(points.at(-1)).toEqual({ step: 100_000, value: 50_000 });
    expect(curve.latest).toEqual(points.at(-1));
    const distances = points.slice(1, -1).map(({ step }, i) => step - points[i].step);
    expect(new Set(distances).size).toBe(1);
    const few = curve.points(5).map(({ step }) => step);
    expect(few).toHaveLength(5);
    expect([few[0], few[4]]).toEqual([0, 100_000]);
  });
});
