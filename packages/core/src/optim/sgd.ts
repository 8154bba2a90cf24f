import { add, mul, state, sub } from "../tensor/operations.js";
import type { Optimiser } from "./optimiser.js";

export interface SgdOptions {
  /** 0 by default: plain gradient descent, without a state. */
  readonly momentum?: number;
}

/** Stochastic gradient descent: m ← momentum · m + g, θ ← θ − lr · m. */
export function sgd({ momentum = 0 }: SgdOptions = {}): Optimiser {
  return {
    step(theta, gradient, learningRate) {
      if (momentum === 0) return { theta: sub(theta, mul(learningRate, gradient)), states: [] };
      const velocity = state("momentum", theta.shape);
      const next = add(mul(momentum, velocity), gradient);
      return { theta: sub(theta, mul(learningRate, next)), states: [{ state: velocity, next }] };
    },
  };
}
