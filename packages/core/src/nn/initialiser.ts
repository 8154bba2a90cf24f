import { allocate } from "../base/allocation.js";
import type { Random } from "../base/random.js";
import { standardNormal } from "../math/normal.js";
import { type Shape, shapeSize } from "../tensor/shape.js";

/** Draws the initial values of a parameter of the given shape. Weights are [...inputs, outputs]. */
export type Initialiser = (shape: Shape, random: Random) => Float64Array;

/** All zeros, for biases. */
export const zeros: Initialiser = (shape) => allocate("zeros", Float64Array, shapeSize(shape));

/** All ones, for the scale of a normalisation. */
export const ones: Initialiser = (shape) => new Float64Array(shapeSize(shape)).fill(1);

/** U(−1/√fan_in, 1/√fan_in), where fan_in is the product of all axes except the last. */
export const fanInUniform: Initialiser = (shape, random) => {
  const bound = 1 / Math.sqrt(fanIn(shape));
  return drawn("fanInUniform", shapeSize(shape), () => random.uniform(-bound, bound));
};

/** U(−bound, bound). */
export const uniform =
  (bound: number): Initialiser =>
  (shape, random) =>
    drawn("uniform", shapeSize(shape), () => random.uniform(-bound, bound));

/**
 * `gain` times a random matrix [fan_in, outputs] with orthonormal rows or columns, whichever are fewer
 * (Saxe et al. 2014): Gaussian vectors, orthogonalised one after another.
 */
export const orthogonal =
  (gain: number): Initialiser =>
  (shape, random) => {
    const rows = fanIn(shape);
    const columns = shapeSize(shape) / rows;
    const count = Math.min(rows, columns);
    const length = Math.max(rows, columns);
    const basis: Float64Array[] = [];
    while (basis.length < count) {
      const vectors = Array.from({ length: Math.min(4, count - basis.length) }, () =>
        drawn("orthogonal", length, () => standardNormal(random)),
      );
      extendBasis(basis, vectors);
    }
    const matrix = allocate("orthogonal", Float64Array, rows * columns);
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        matrix[row * columns + column] = gain * (rows < columns ? basis[row][column] : basis[column][row]);
      }
    }
    return matrix;
  };

function drawn(where: string, length: number, draw: () => number): Float64Array {
  const numbers = allocate(where, Float64Array, length);
  for (let i = 0; i < length; i++) numbers[i] = draw();
  return numbers;
}

function fanIn(shape: Shape): number {
  return Math.max(1, shapeSize(shape.slice(0, -1)));
}

/** Up to this length, vectors always get a second pass, which costs little. */
const SHORT = 1024;

/**
 * Appends to an orthonormal basis the directions that at most four vectors add to it, by modified Gram-Schmidt.
 *
 * A pass leaves components of rounding error, relative to the vector before it. They matter where the pass cancelled
 * most of the vector; then a second one makes it orthogonal to rounding error (Kahan and Parlett).
 */
function extendBasis(basis: Float64Array[], vectors: readonly Float64Array[]): void {
  const former = basis.slice();
  const norms = vectors.map(norm);
  removeFromAll(vectors, former);
  vectors.forEach((vector, i) => {
    removeComponents(vector, basis.slice(former.length));
    if (vector.length <= SHORT || norm(vector) < Math.SQRT1_2 * norms[i]) removeComponents(vector, basis);
    basis.push(normalised(vector));
  });
}

/** {@link removeComponents} of each vector. */
function removeFromAll(vectors: readonly Float64Array[], basis: readonly Float64Array[]): void {
  if (vectors.length === 4) removeFromFour(vectors, basis);
  else for (const vector of vectors) removeComponents(vector, basis);
}

/** Subtracts from a vector its component along each direction, one after another. */
function removeComponents(vector: Float64Array, basis: readonly Float64Array[]): void {
  for (const direction of basis) {
    let component = 0;
    for (let i = 0; i < vector.length; i++) component += vector[i] * direction[i];
    for (let i = 0; i < vector.length; i++) vector[i] -= component * direction[i];
  }
}

/**
 * {@link removeComponents} of four vectors, with the same bytes. Sums of the four run in parallel, and one loop
 * subtracts the component along a direction and computes the component along the next.
 */
function removeFromFour([a, b, c, d]: readonly Float64Array[], basis: readonly Float64Array[]): void {
  const { length } = a;
  const none = new Float64Array(length);
  let direction: Float64Array = none;
  let [alongA, alongB, alongC, alongD] = [0, 0, 0, 0];
  for (const next of [...basis, none]) {
    let [nextA, nextB, nextC, nextD] = [0, 0, 0, 0];
    for (let i = 0; i < length; i++) {
      const x = direction[i];
      const y = next[i];
      const restA = a[i] - alongA * x;
      a[i] = restA;
      nextA += restA * y;
      const restB = b[i] - alongB * x;
      b[i] = restB;
      nextB += restB * y;
      const restC = c[i] - alongC * x;
      c[i] = restC;
      nextC += restC * y;
      const restD = d[i] - alongD * x;
      d[i] = restD;
      nextD += restD * y;
    }
    [alongA, alongB, alongC, alongD] = [nextA, nextB, nextC, nextD];
    direction = next;
  }
}

function norm(vector: Float64Array): number {
  let square = 0;
  for (const x of vector) square += x * x;
  return Math.sqrt(square);
}

function normalised(vector: Float64Array): Float64Array {
  const length = norm(vector);
  return vector.map((x) => x / length);
}
