import { add, div, maximum, mul, sqrt, square, state, sub } from "../tensor/operations.js";
import type { Optimiser } from "./optimiser.js";

export interface RmsPropOptions {
  /** α, how much of the mean square is kept: 0.99 in A2C. */
  readonly decay?: number;
  /** ε: 1e-5 in A2C. */
  readonly epsilon?: number;
  /** √(s + ε), as TensorFlow and the original A2C have it, or √s + ε, as PyTorch has it. */
  readonly epsilonPlace?: "inside" | "outside";
  /** Divides by the standard deviation instead of the root mean square: subtracts the squared mean gradient. */
  readonly centred?: boolean;
}

/** RMSProp (Tieleman and Hinton 2012): s ← α s + (1 − α) g², θ ← θ − lr · g / √(s + ε). */
export function rmsprop({
  decay = 0.99,
  epsilon = 1e-5,
  epsilonPlace = "inside",
  centred = false,
}: RmsPropOptions = {}): Optimiser {
  return {
    step(theta, gradient, learningRate) {
      const meanSquare = state("rmsprop.meanSquare", theta.shape);
      const nextSquare = add(mul(decay, meanSquare), mul(1 - decay, square(gradient)));
      const mean = centred ? state("rmsprop.mean", theta.shape) : null;
      const nextMean = mean === null ? null : add(mul(decay, mean), mul(1 - decay, gradient));
      // Rounding can take a variance of zero below zero.
      const spread = nextMean === null ? nextSquare : maximum(sub(nextSquare, square(nextMean)), 0);
      const divisor = epsilonPlace === "inside" ? sqrt(add(spread, epsilon)) : add(sqrt(spread), epsilon);
      return {
        theta: sub(theta, mul(learningRate, div(gradient, divisor))),
        states: [
          [meanSquare, nextSquare],
          ...(mean === null || nextMean === null ? [] : [[mean, nextMean] as const]),
        ],
      };
    },
  };
}
