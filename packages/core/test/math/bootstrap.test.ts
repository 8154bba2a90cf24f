import { bootstrapInterval, differenceInterval, meanInterval, RandomStreams } from "softrl";
import { describe, expect, it } from "vitest";
import { standardNormal } from "../../src/math/normal.js";
import { mean } from "../../src/math/statistics.js";

const random = (name: string) => new RandomStreams(1).stream(name);

describe("bootstrapInterval", () => {
  it("of a constant is a point", () => {
    const options = { random: random("a"), resamples: 100 };
    expect(meanInterval([3, 3, 3], options)).toEqual({ estimate: 3, low: 3, high: 3 });
  });

  it("of a mean is close to the normal interval for many numbers", () => {
    const draws = random("normal");
    const x = Float64Array.from({ length: 400 }, () => standardNormal(draws));
    const { estimate, low, high } = meanInterval(x, { random: random("b") });
    const deviation = Math.sqrt(x.reduce((sum, y) => sum + (y - estimate) ** 2, 0) / x.length);
    expect(estimate).toBeCloseTo(mean(x), 12);
    expect(low).toBeCloseTo(estimate - (1.96 * deviation) / 20, 2);
    expect(high).toBeCloseTo(estimate + (1.96 * deviation) / 20, 2);
  });

  it("covers the true difference about as often as its level says", () => {
    const draws = random("coverage");
    let covered = 0;
    for (let trial = 0; trial < 300; trial++) {
      const sample = (shift: number) => Array.from({ length: 30 }, () => shift + standardNormal(draws));
      const options = { random: random(`trial ${trial}`), resamples: 300, level: 0.8 };
      const { low, high } = differenceInterval(sample(1), sample(0), options);
      if (low <= 1 && 1 <= high) covered++;
    }
    expect(covered / 300).toBeGreaterThan(0.72);
    expect(covered / 300).toBeLessThan(0.86);
  });

  it("draws each group from itself alone", () => {
    const options = { random: random("c"), resamples: 200 };
    const { low, high } = bootstrapInterval([[0, 1], [10]], ([a, b]) => mean(a) + mean(b), options);
    expect([low, high]).toEqual([10, 11]);
  });

  it("refuses empty groups and levels that are no probabilities", () => {
    expect(() => meanInterval([], { random: random("d") })).toThrow("group 0 is empty");
    expect(() => meanInterval([1], { random: random("d"), level: 2 })).toThrow("level");
    expect(() => meanInterval([1], { random: random("d"), resamples: 0 })).toThrow("resamples");
  });
});
