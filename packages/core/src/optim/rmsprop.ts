import { add, div, maximum, mul, sqrt, square, state, sub } from "../tensor/operations.js";
import { withoutSubnormalSquares, withoutSubnormals } from "./moments.js";
import type { Optimiser } from "./optimiser.js";

export interface RmsPropOptions {
  /** α, how much of the mean square is kept: 0.99 by default, as in A2C. */
  readonly decay?: number;
  /** ε: 1e-5 by default, as in A2C. */
  readonly epsilon?: number;
  /** `"inside"`, the default: √(s + ε), as in TensorFlow and the original A2C. `"outside"`: √s + ε, as in PyTorch. */
  readonly epsilonPlace?: "inside" | "outside";
  /**
   * s before the first step. 0, the default, is PyTorch's; 1 is that of TensorFlow 1's RMSPropOptimizer, which the
   * original A2C uses: it makes the first steps shorter, where 0 makes them up to 1/√(1 − α) times the learning rate.
   */
  readonly initialMeanSquare?: 0 | 1;
  /** Whether to divide by the standard deviation of the gradient instead of its root mean square (Graves 2013). */
  readonly centred?: boolean;
}

/**
 * RMSProp (Tieleman and Hinton 2012): s ← α s + (1 − α) g², θ ← θ − lr · g / √(s + ε). Centred, s − m² with
 * m ← α m + (1 − α) g takes the place of s in the root.
 */
export function rmsprop({
  decay = 0.99,
  epsilon = 1e-5,
  epsilonPlace = "inside",
  initialMeanSquare = 0,
  centred = false,
}: RmsPropOptions = {}): Optimiser {
  return {
    step(theta, gradient, learningRate) {
      const meanSquare = state("rmsprop.meanSquare", theta.shape);
      const nextSquare = withoutSubnormals(add(mul(decay, meanSquare), mul(1 - decay, square(gradient))));
      const mean = centred ? state("rmsprop.mean", theta.shape) : null;
      const nextMean =
        mean === null ? null : withoutSubnormalSquares(add(mul(decay, mean), mul(1 - decay, gradient)));
      // Rounding can take a variance of zero below zero.
      const spread = nextMean === null ? nextSquare : maximum(sub(nextSquare, square(nextMean)), 0);
      const divisor = epsilonPlace === "inside" ? sqrt(add(spread, epsilon)) : add(sqrt(spread), epsilon);
      return {
        theta: sub(theta, mul(learningRate, div(gradient, divisor))),
        states: [
          { state: meanSquare, next: nextSquare, initial: initialMeanSquare },
          ...(mean === null || nextMean === null ? [] : [{ state: mean, next: nextMean }]),
        ],
      };
    },
  };
}
