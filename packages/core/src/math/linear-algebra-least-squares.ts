import { fail, requireInteger, requireLength } from "../base/errors.js";

/**
 * The x that minimises ‖A x − b‖₂, by Householder QR; the normal equations would square the condition number
 * of A. A is [m, n] row-major with m ≥ n and full column rank, b is [m]; neither is changed. x is [n].
 *
 * @throws SoftrlError when the columns of A are dependent to working precision, or a length is wrong.
 */
export function leastSquares(matrix: Float64Array, rightSide: Float64Array, columns: number): Float64Array {
  const m = rightSide.length;
  const n = columns;
  requireInteger("leastSquares", "columns", n, 1);
  requireLength(
    "leastSquares",
    "matrix",
    matrix.length,
    m * n,
    "a right side of [m] needs a matrix of [m, n]",
  );
  if (!(m >= n)) {
    fail("leastSquares", "fewer equations than unknowns", {
      expected: `at least ${n} rows`,
      got: String(m),
    });
  }
  const r = matrix.slice();
  const y = rightSide.slice();
  const diagonal = new Float64Array(n);
  let largest = 0;
  for (let j = 0; j < n; j++) {
    let norm = 0;
    for (let i = 0; i < m; i++) norm = Math.hypot(norm, matrix[i * n + j]);
    largest = Math.max(largest, norm);
  }
  for (let j = 0; j < n; j++) {
    let norm = 0;
    for (let i = j; i < m; i++) norm = Math.hypot(norm, r[i * n + j]);
    if (!(norm > largest * m * Number.EPSILON)) {
      fail("leastSquares", `column ${j} depends on the columns before it`, {
        remedy: "remove it, or solve a damped system",
      });
    }
    // With this sign the two terms of v = x ± ‖x‖ e₁ add up, so no digits cancel.
    const head = r[j * n + j] > 0 ? -norm : norm;
    diagonal[j] = head;
    r[j * n + j] -= head;
    let squares = 0;
    for (let i = j; i < m; i++) squares += r[i * n + j] ** 2;
    for (let k = j + 1; k < n; k++) {
      let product = 0;
      for (let i = j; i < m; i++) product += r[i * n + j] * r[i * n + k];
      const factor = (2 * product) / squares;
      for (let i = j; i < m; i++) r[i * n + k] -= factor * r[i * n + j];
    }
    let product = 0;
    for (let i = j; i < m; i++) product += r[i * n + j] * y[i];
    const factor = (2 * product) / squares;
    for (let i = j; i < m; i++) y[i] -= factor * r[i * n + j];
  }
  const x = new Float64Array(n);
  for (let j = n - 1; j >= 0; j--) {
    x[j] = y[j];
    for (let k = j + 1; k < n; k++) x[j] -= r[j * n + k] * x[k];
    x[j] /= diagonal[j];
  }
  return x;
}
