import { add, mul, state, sub } from "../tensor/operations.js";
import type { Optimiser } from "./optimiser.js";

/** Gradient descent, θ ← θ − lr·m with m ← momentum·m + g (no state where momentum is 0). */
export function sgd({ momentum = 0 }: { readonly momentum?: number } = {}): Optimiser {
  return {
    step(theta, gradient, learningRate) {
      if (momentum === 0) return { theta: sub(theta, mul(learningRate, gradient)), states: [] };
      const velocity = state("momentum", theta.shape);
      const next = add(mul(momentum, velocity), gradient);
      return { theta: sub(theta, mul(learningRate, next)), states: [[velocity, next]] };
    },
  };
}
