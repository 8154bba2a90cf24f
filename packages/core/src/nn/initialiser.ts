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
      const vector = drawn("orthogonal", length, () => standardNormal(random));
      // Two passes make the vectors orthogonal to rounding error (Kahan and Parlett).
      removeComponents(vector, basis);
      removeComponents(vector, basis);
      basis.push(normalised(vector));
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

function removeComponents(vector: Float64Array, basis: readonly Float64Array[]): void {
  for (const direction of basis) {
    let component = 0;
    for (let i = 0; i < vector.length; i++) component += vector[i] * direction[i];
    for (let i = 0; i < vector.length; i++) vector[i] -= component * direction[i];
  }
}

function normalised(vector: Float64Array): Float64Array {
  let square = 0;
  for (const x of vector) square += x * x;
  const norm = Math.sqrt(square);
  return vector.map((x) => x / norm);
}
