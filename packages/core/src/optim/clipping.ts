import { div, maximum, mul, sqrt, square, sum } from "../tensor/operations.js";
import type { Operand, Tensor } from "../tensor/tensor.js";

/** A gradient scaled down to a largest length, and the length that it had. */
export interface ClippedGradient {
  readonly gradient: Tensor;
  /** ‖g‖ before clipping: a scalar. */
  readonly norm: Tensor;
}

/** g · c / max(‖g‖, c): the whole gradient keeps its direction and is at most c long. */
export function clippedByGlobalNorm(gradient: Tensor, maxNorm: Operand): ClippedGradient {
  const norm = sqrt(sum(square(gradient)));
  return { gradient: mul(gradient, div(maxNorm, maximum(norm, maxNorm))), norm };
}
