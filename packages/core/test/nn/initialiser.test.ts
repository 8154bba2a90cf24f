import { describe, expect, it } from "vitest";
import { RandomStreams } from "../../src/base/random.js";
import { fanInUniform, orthogonal, uniform, zeros } from "../../src/nn/initialiser.js";

const random = () => new RandomStreams(3).stream("initialiser");

describe("orthogonal", () => {
  it.each([
    [[6, 4], 1],
    [[4, 6], Math.SQRT2],
    [[5, 5], 0.01],
    [[3, 3, 2, 8], 2],
  ])("makes the shorter side of %j with gain %d orthogonal", (shape, gain) => {
    const columns = shape[shape.length - 1];
    const w = orthogonal(gain)(shape, random());
    const rows = w.length / columns;
    const at = (i: number, k: number) => (rows < columns ? w[i * columns + k] : w[k * columns + i]);
    const count = Math.min(rows, columns);
    for (let i = 0; i < count; i++) {
      for (let j = 0; j < count; j++) {
        let product = 0;
        for (let k = 0; k < Math.max(rows, columns); k++) product += at(i, k) * at(j, k);
        expect(product).toBeCloseTo(i === j ? gain * gain : 0, 12);
      }
    }
  });
});

describe("uniform initialisers", () => {
  it("stay within their bounds, come close to them and have mean 0", () => {
    for (const [initialiser, bound] of [
      [fanInUniform, 1 / Math.sqrt(50)],
      [uniform(0.3), 0.3],
    ] as const) {
      const w = initialiser([5, 10, 400], random());
      const largest = w.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
      expect(largest).toBeLessThanOrEqual(bound);
      expect(largest).toBeGreaterThan(0.999 * bound);
      const mean = w.reduce((sum, x) => sum + x, 0) / w.length;
      // Five standard errors of the mean of uniform numbers.
      expect(Math.abs(mean)).toBeLessThan((5 * bound) / Math.sqrt(3 * w.length));
    }
  });

  it("zeros fills with zeros", () => {
    expect(Array.from(zeros([2, 2], random()))).toEqual([0, 0, 0, 0]);
  });
});
