import { requireInteger, requireNumber } from "../base/errors.js";
import type { Vector } from "./units.js";

/** When {@link conjugateGradients} stops. */
export interface ConjugateGradientsOptions {
  /** The maximum number of products with A; defaults to the length of b. */
  readonly iterations?: number;
  /** ‖b − A x‖ / ‖b‖ at which to stop; defaults to 1e-15. */
  readonly tolerance?: number;
}

/** The result of {@link conjugateGradients}. */
export interface ConjugateGradientsSolution {
  readonly x: Float64Array;
  /** The number of products with A. */
  readonly iterations: number;
  /** ‖b − A x‖ / ‖b‖ by the recurrence; 0 for b = 0. */
  readonly residual: number;
}

/**
 * Solves A x = b for a symmetric positive semi-definite A that is given only by its products (Hestenes and
 * Stiefel 1952).
 *
 * Starts from x = 0, so for a singular A with b in its range the solution is the shortest one. Stops early
 * when A has no curvature left along the search direction.
 * @param product returns A x, as a new array or as one that it overwrites each time; it must not keep or
 * change x.
 */
export function conjugateGradients(
  product: (x: Float64Array) => Vector,
  rightSide: Vector,
  { iterations = rightSide.length, tolerance = 1e-15 }: ConjugateGradientsOptions = {},
): ConjugateGradientsSolution {
  requireInteger("conjugateGradients", "iterations", iterations, 0);
  requireNumber("conjugateGradients", "tolerance", tolerance, 0, Number.MAX_VALUE);
  const n = rightSide.length;
  const x = new Float64Array(n);
  const residual = Float64Array.from(rightSide);
  const direction = residual.slice();
  const start = squaredNorm(residual);
  let square = start;
  let taken = 0;
  while (taken < iterations && square > tolerance * tolerance * start) {
    const image = product(direction);
    taken++;
    let curvature = 0;
    for (let i = 0; i < n; i++) curvature += direction[i] * image[i];
    if (!(curvature > 0)) break;
    const step = square / curvature;
    for (let i = 0; i < n; i++) {
      x[i] += step * direction[i];
      residual[i] -= step * image[i];
    }
    const next = squaredNorm(residual);
    const momentum = next / square;
    for (let i = 0; i < n; i++) direction[i] = residual[i] + momentum * direction[i];
    square = next;
  }
  return { x, iterations: taken, residual: start === 0 ? 0 : Math.sqrt(square / start) };
}

function squaredNorm(x: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += x[i] * x[i];
  return sum;
}
