import { RandomStreams } from "softrl";
import { describe, expect, it } from "vitest";
import { matrixVectorProduct, solve } from "../../src/math/linear-algebra.js";
import { conjugateGradients } from "../../src/math/linear-algebra-conjugate-gradients.js";
import { leastSquares } from "../../src/math/linear-algebra-least-squares.js";

describe("solve", () => {
  it("inverts the matrix-vector product, even with zeros on the diagonal", () => {
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

describe("leastSquares", () => {
  it("has a residual orthogonal to every column", () => {
    const random = new RandomStreams(5).stream("leastSquares");
    for (const [rows, columns] of [
      [1, 1],
      [5, 5],
      [12, 4],
      [40, 9],
    ]) {
      const matrix = Float64Array.from({ length: rows * columns }, () => random.uniform(-1, 1));
      const b = Float64Array.from({ length: rows }, () => random.uniform(-1, 1));
      const x = leastSquares(matrix, b, columns);
      const left = matrixVectorProduct(matrix, x).map((y, i) => y - b[i]);
      for (let j = 0; j < columns; j++) {
        expect(left.reduce((sum, y, i) => sum + y * matrix[i * columns + j], 0)).toBeCloseTo(0, 12);
      }
    }
  });

  it("solves a system with condition number 1e9, where the normal equations fail", () => {
    const e = 1e-9;
    const x = leastSquares(Float64Array.of(1, 1, e, 0, 0, e), Float64Array.of(3, e, 2 * e), 2);
    expect([...x]).toEqual([expect.closeTo(1, 6), expect.closeTo(2, 6)]);
  });

  it("refuses dependent columns and too few rows", () => {
    expect(() => leastSquares(Float64Array.of(1, 2, 2, 4, 3, 6), Float64Array.of(1, 1, 1), 2)).toThrow(
      /column 1 depends on the columns before it/,
    );
    expect(() => leastSquares(Float64Array.of(1, 2), Float64Array.of(1), 2)).toThrow(/at least 2 rows/);
  });
});

describe("conjugateGradients", () => {
  const product = (matrix: Float64Array) => (x: Float64Array) => matrixVectorProduct(matrix, x);

  it("finds the direct solution with n products", () => {
    const random = new RandomStreams(6).stream("conjugateGradients");
    for (const n of [1, 3, 10]) {
      const root = Float64Array.from({ length: n * n }, () => random.uniform(-1, 1));
      const matrix = new Float64Array(n * n);
      for (let i = 0; i < n; i++) {
        for (let j = 0; j < n; j++) {
          for (let k = 0; k < n; k++) matrix[i * n + j] += root[i * n + k] * root[j * n + k];
        }
        matrix[i * n + i] += 0.5;
      }
      const b = Float64Array.from({ length: n }, () => random.uniform(-1, 1));
      const { x, iterations } = conjugateGradients(product(matrix), b, { iterations: n });
      expect(iterations).toBeLessThanOrEqual(n);
      const direct = solve(matrix, b);
      for (let i = 0; i < n; i++) expect(x[i]).toBeCloseTo(direct[i], 8);
    }
  });

  it("gives the shortest solution of a singular system, and 0 for 0", () => {
    const singular = Float64Array.of(1, 1, 1, 1);
    expect([...conjugateGradients(product(singular), Float64Array.of(2, 2)).x]).toEqual([1, 1]);
    expect(conjugateGradients(product(singular), Float64Array.of(0, 0))).toEqual({
      x: Float64Array.of(0, 0),
      iterations: 0,
      residual: 0,
    });
    // The right side lies in the null space: there is no curvature, so no step is taken.
    expect([...conjugateGradients(product(singular), Float64Array.of(1, -1)).x]).toEqual([0, 0]);
  });

  it("stops at the tolerance and reports the residual", () => {
    const matrix = Float64Array.of(1, 0, 0, 100);
    const rough = conjugateGradients(product(matrix), Float64Array.of(1, 1), { iterations: 1 });
    expect(rough.iterations).toBe(1);
    expect(rough.residual).toBeGreaterThan(0.1);
  });
});
