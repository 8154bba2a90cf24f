import { add, div, mul, sqrt, square, state, sub } from "../tensor/operations.js";
import type { Optimiser } from "./optimiser.js";

export interface AdamOptions {
  readonly beta1?: number;
  readonly beta2?: number;
  /** Added to √v̂, outside the root. */
  readonly epsilon?: number;
}

/** Adam (Kingma and Ba 2015): θ ← θ − lr · m̂ / (√v̂ + ε), with both moments divided by 1 − βᵗ. */
export function adam({ beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 }: AdamOptions = {}): Optimiser {
  return {
    step(theta, gradient, learningRate) {
      const m = state("adam.firstMoment", theta.shape);
      const v = state("adam.secondMoment", theta.shape);
      // c = 1 − βᵗ follows c ← β c + (1 − β) from c = 0, so that states may start at zero.
      const c1 = state("adam.firstCorrection", []);
      const c2 = state("adam.secondCorrection", []);
      const nextM = add(mul(beta1, m), mul(1 - beta1, gradient));
      const nextV = add(mul(beta2, v), mul(1 - beta2, square(gradient)));
      const nextC1 = add(mul(beta1, c1), 1 - beta1);
      const nextC2 = add(mul(beta2, c2), 1 - beta2);
      const direction = div(div(nextM, nextC1), add(sqrt(div(nextV, nextC2)), epsilon));
      return {
        theta: sub(theta, mul(learningRate, direction)),
        states: [
          [m, nextM],
          [v, nextV],
          [c1, nextC1],
          [c2, nextC2],
        ],
      };
    },
  };
}
