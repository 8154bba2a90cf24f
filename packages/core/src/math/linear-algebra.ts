import { fail, requireLength } from "../base/errors.js";

/**
 * Solves A x = b by LU factorisation with partial pivoting. A is [n, n] row-major, b is [n]; neither is
 * changed.
 *
 * @throws SoftrlError when A is singular to working precision, or a length is wrong.
 */
export function solve(matrix: Float64Array, rightSide: Float64Array): Float64Array {
  const n = rightSide.length;
  requireLength("solve", "matrix", matrix.length, n * n, "a right side of [n] needs a matrix of [n, n]");
  const lu = matrix.slice();
  const x = rightSide.slice();
  let largest = 0;
  for (const entry of lu) largest = Math.max(largest, Math.abs(entry));
  for (let column = 0; column < n; column++) {
    let pivot = column;
    for (let row = column + 1; row < n; row++) {
      if (Math.abs(lu[row * n + column]) > Math.abs(lu[pivot * n + column])) pivot = row;
    }
    if (!(Math.abs(lu[pivot * n + column]) > largest * n * Number.EPSILON)) {
      fail("solve", "the matrix is singular", { got: `no pivot in column ${column} of ${n}` });
    }
    if (pivot !== column) {
      for (let k = 0; k < n; k++) {
        const held = lu[column * n + k];
        lu[column * n + k] = lu[pivot * n + k];
        lu[pivot * n + k] = held;
      }
      const held = x[column];
      x[column] = x[pivot];
      x[pivot] = held;
    }
    for (let row = column + 1; row < n; row++) {
      const factor = lu[row * n + column] / lu[column * n + column];
      for (let k = column + 1; k < n; k++) lu[row * n + k] -= factor * lu[column * n + k];
      x[row] -= factor * x[column];
    }
  }
  for (let row = n - 1; row >= 0; row--) {
    for (let k = row + 1; k < n; k++) x[row] -= lu[row * n + k] * x[k];
    x[row] /= lu[row * n + row];
  }
  return x;
}

/** A x for A [rows, x.length] row-major. */
export function matrixVectorProduct(matrix: Float64Array, x: Float64Array): Float64Array {
  const columns = x.length;
  const rows = columns === 0 ? 0 : matrix.length / columns;
  if (!Number.isInteger(rows)) {
    fail("matrixVectorProduct", "the matrix does not fit the vector", {
      expected: `a multiple of ${columns} elements`,
      got: String(matrix.length),
    });
  }
  const y = new Float64Array(rows);
  for (let row = 0; row < rows; row++) {
    for (let k = 0; k < columns; k++) y[row] += matrix[row * columns + k] * x[k];
  }
  return y;
}
