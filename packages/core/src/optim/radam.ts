import { add, div, greaterEqual, maximum, mul, select, sqrt, state, sub } from "../tensor/operations.js";
import type { Operand, Tensor } from "../tensor/tensor.js";
import type { AdamOptions } from "./adam.js";
import { moments } from "./moments.js";
import type { Optimiser } from "./optimiser.js";

/** The shortest average ρ whose variance RAdam trusts. The paper's algorithm 2 has ρ > 4; its authors' code has 5. */
const shortest = 5;

/**
 * Rectified Adam (Liu et al. 2020, algorithm 2): θ ← θ − lr · r m̂ / (√v̂ + ε), with m̂ and v̂ as in Adam.
 *
 * ρ∞ = 2/(1 − β₂) − 1 and ρ = ρ∞ − 2t β₂ᵗ/(1 − β₂ᵗ) are the lengths of the simple moving averages that v̂ resembles in
 * the end and at step t, and r² = (ρ − 4)(ρ − 2) ρ∞ / ((ρ∞ − 4)(ρ∞ − 2) ρ). While ρ < 5, the step is θ ← θ − lr · m̂:
 * the first five steps with the default β₂, all of them where β₂ ≤ 2/3. The threshold 5 and the place of ε are those of
 * optax.radam; the authors' code and PyTorch differ from it in ε alone.
 */
export function radam({ beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 }: AdamOptions = {}): Optimiser {
  return {
    step(theta, gradient, learningRate) {
      const {
        first,
        second,
        secondCorrection: correction,
        states,
      } = moments("radam", gradient, beta1, beta2);
      // The formula of ρ subtracts numbers near 2/(1 − β₂), which leaves few digits in float32. Its meaning has no
      // cancellation: (ρ + 1)/2 is the mean age Σ i β₂ⁱ⁻¹ / Σ β₂ⁱ⁻¹ over i = 1 … t, the newest gradient being 1 old.
      const age = state("radam.age", []);
      const nextAge = add(mul(beta2, add(age, correction.state)), 1 - beta2);
      const rho = sub(mul(2, div(nextAge, correction.next)), 1);
      const longEnough = greaterEqual(rho, shortest);
      const rectified = mul(rectification(maximum(rho, shortest), beta2), first);
      const direction = select(longEnough, div(rectified, add(sqrt(second), epsilon)), first);
      return {
        theta: sub(theta, mul(learningRate, direction)),
        states: [...states, { state: age, next: nextAge }],
      };
    },
  };
}

/** r, for ρ > 4. */
function rectification(rho: Tensor, beta2: number): Operand {
  const longest = 2 / (1 - beta2) - 1;
  const ratio = div(mul(sub(rho, 4), sub(rho, 2)), rho);
  return sqrt(mul(ratio, longest / ((longest - 4) * (longest - 2))));
}
