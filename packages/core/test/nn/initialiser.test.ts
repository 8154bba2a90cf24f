import { describe, expect, it } from "vitest";
import { RandomStreams } from "../../src/base/random.js";
import { standardNormal } from "../../src/math/normal.js";
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

describe("orthogonal of a large matrix", () => {
  // The dense layer of the Nature CNN, and matrices whose last vectors lose most of their length.
  it.each([[[3136, 512]], [[512, 512]], [[1025, 600]]])(
    "has orthonormal columns to rounding error: %j",
    ([rows, columns]) => {
      const w = orthogonal(1)([rows, columns], random());
      expect(worstProduct(w, rows, columns)).toBeLessThan(2e-14);
    },
  );

  it.each([[[64, 64]], [[7, 30]], [[1024, 9]]])(
    "%j has the bytes of two passes of Gram-Schmidt, one vector at a time",
    ([rows, columns]) => {
      const w = orthogonal(1)([rows, columns], random());
      const basis = gramSchmidt(Math.min(rows, columns), Math.max(rows, columns));
      for (let row = 0; row < rows; row++) {
        for (let column = 0; column < columns; column++) {
          const expected = rows < columns ? basis[row][column] : basis[column][row];
          expect(w[row * columns + column]).toBe(expected);
        }
      }
    },
  );
});

/** max |QᵀQ − I| of Q [rows, columns]. */
function worstProduct(q: Float64Array, rows: number, columns: number): number {
  const products = new Float64Array(columns * columns);
  for (let row = 0; row < rows; row++) {
    const at = q.subarray(row * columns, (row + 1) * columns);
    for (let i = 0; i < columns; i++) {
      for (let j = 0; j <= i; j++) products[i * columns + j] += at[i] * at[j];
    }
  }
  for (let i = 0; i < columns; i++) products[i * columns + i] -= 1;
  return products.reduce((worst, x) => Math.max(worst, Math.abs(x)), 0);
}

function gramSchmidt(count: number, length: number): Float64Array[] {
  const stream = random();
  const basis: Float64Array[] = [];
  for (let n = 0; n < count; n++) {
    const vector = Float64Array.from({ length }, () => standardNormal(stream));
    for (const direction of [...basis, ...basis]) {
      const component = vector.reduce((sum, x, i) => sum + x * direction[i], 0);
      for (let i = 0; i < length; i++) vector[i] -= component * direction[i];
    }
    const norm = Math.sqrt(vector.reduce((sum, x) => sum + x * x, 0));
    basis.push(vector.map((x) => x / norm));
  }
  return basis;
}

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
