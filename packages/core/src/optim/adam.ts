import { add, div, mul, sqrt, sub } from "../tensor/operations.js";
import { moments } from "./moments.js";
import type { Optimiser } from "./optimiser.js";

export interface AdamOptions {
  /** β₁: 0.9 by default. */
  readonly beta1?: number;
  /** β₂: 0.999 by default. */
  readonly beta2?: number;
  /** ε, added to √v̂, outside the root: 1e-8 by default. */
  readonly epsilon?: number;
}

/**
 * Adam (Kingma and Ba 2015, algorithm 1): θ ← θ − lr · m̂ / (√v̂ + ε), where m̂ and v̂ are the moving averages of g and
 * g², divided by 1 − β₁ᵗ and 1 − β₂ᵗ.
 */
export function adam({ beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 }: AdamOptions = {}): Optimiser {
  return {
    step(theta, gradient, learningRate) {
      const { first, second, states } = moments("adam", gradient, beta1, beta2);
      const direction = div(first, add(sqrt(second), epsilon));
      return { theta: sub(theta, mul(learningRate, direction)), states };
    },
  };
}
