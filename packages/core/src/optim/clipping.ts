import { div, maximum, mul, sqrt, square, sum } from "../tensor/operations.js";
import type { Operand, Tensor } from "../tensor/tensor.js";

/** A gradient whose norm is limited, and its norm before. */
export interface ClippedGradient {
  readonly gradient: Tensor;
  /** ‖g‖ before clipping: a scalar. */
  readonly norm: Tensor;
}

/**
 * g · c / max(‖g‖, c): a gradient longer than c is scaled to length c, and keeps its direction (Pascanu et al. 2013).
 *
 * The length is c up to rounding. PyTorch's `clip_grad_norm_` divides by ‖g‖ + 10⁻⁶ instead, so its result is a little
 * shorter. Nothing has to be added here: the divisor is at least c, also for g = 0.
 *
 * @param maxNorm c > 0, a number or a scalar tensor
 */
export function clippedByGlobalNorm(gradient: Tensor, maxNorm: Operand): ClippedGradient {
  const norm = sqrt(sum(square(gradient)));
  return { gradient: mul(gradient, div(maxNorm, maximum(norm, maxNorm))), norm };
}
