import { div, maximum, mul, sqrt, square, sum } from "../tensor/operations.js";
import type { Tensor } from "../tensor/tensor.js";

/** A gradient scaled down to a largest length, and the length that it had. */
export interface ClippedGradient {
  readonly gradient: Tensor;
  /** ‖g‖ before clipping: a scalar. */
  readonly norm: Tensor;
}

/**
 * g · c / max(‖g‖, c): the whole gradient keeps its direction and is at most c long.
 *
 * A longer gradient becomes c long up to rounding. PyTorch's `clip_grad_norm_` divides by ‖g‖ + 10⁻⁶ instead, so its
 * result is a little shorter. Nothing has to be added here: the divisor is at least c, also for g = 0.
 */
export function clippedByGlobalNorm(gradient: Tensor, maxNorm: number): ClippedGradient {
  const norm = sqrt(sum(square(gradient)));
  return { gradient: mul(gradient, div(maxNorm, maximum(norm, maxNorm))), norm };
}
