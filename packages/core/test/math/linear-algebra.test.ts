import { RandomStreams } from "softrl";
import { describe, expect, it } from "vitest";
import { matrixVectorProduct, solve } from "../../src/math/linear-algebra.js";

describe("solve", () => {
  it("inverts the matrix-vector product, with zeros on the diagonal too", () => {
    const random = new RandomStreams(2).stream("solve");
    for (const n of [1, 2, 7, 20]) {
      const matrix = Float64Array.from({ length: n * n }, () => random.uniform(-1, 1));
      if (n > 1) matrix[0] = 0;
      const x = Float64Array.from({ length: n }, () => random.uniform(-1, 1));
      const found = solve(matrix, matrixVectorProduct(matrix, x));
      for (let i = 0; i < n; i++) expect(found[i]).toBeCloseTo(x[i], 10);
    }
  });

  it("refuses a singular matrix", () => {
    expect(() => solve(Float64Array.of(1, 2, 2, 4), Float64Array.of(1, 1))).toThrow(/singular/);
    expect(() => solve(Float64Array.of(Number.NaN), Float64Array.of(1))).toThrow(/singular/);
  });
});

describe("matrixVectorProduct", () => {
  it("multiplies row by row", () => {
    expect([...matrixVectorProduct(Float64Array.of(1, 2, 3, 4, 5, 6), Float64Array.of(1, 0, -1))]).toEqual([
      -2, -2,
    ]);
    expect(() => matrixVectorProduct(new Float64Array(5), new Float64Array(3))).toThrow(/multiple of 3/);
  });
});
