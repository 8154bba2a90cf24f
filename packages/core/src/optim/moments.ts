import { add, div, mul, square, state, sub } from "../tensor/operations.js";
import type { Tensor } from "../tensor/tensor.js";
import type { OptimiserState } from "./optimiser.js";

/** Moving averages of the gradient and of its square, for Adam and its relatives. */
export interface Moments {
  /** m̂ = m / (1 − β₁ᵗ) with m ← β₁ m + (1 − β₁) g: [P]. */
  readonly first: Tensor;
  /** v̂ = v / (1 − β₂ᵗ) with v ← β₂ v + (1 − β₂) g²: [P]. */
  readonly second: Tensor;
  /** 1 − β₂ᵗ: a scalar. */
  readonly secondCorrection: OptimiserState;
  /** All of these as states. */
  readonly states: readonly OptimiserState[];
}

/** @param name prefix of the states' names; @param gradient [P] */
export function moments(name: string, gradient: Tensor, beta1: number, beta2: number): Moments {
  const m = state(`${name}.firstMoment`, gradient.shape);
  const v = state(`${name}.secondMoment`, gradient.shape);
  // c = 1 − βᵗ follows the averages' own recursion, c ← β c + (1 − β) from c = 0: it has no cancellation, and rounding
  // of β cancels in m / c.
  const c1 = state(`${name}.firstCorrection`, []);
  const c2 = state(`${name}.secondCorrection`, []);
  const nextM = withoutSubnormals(add(mul(beta1, m), mul(1 - beta1, gradient)));
  const nextV = withoutSubnormals(add(mul(beta2, v), mul(1 - beta2, square(gradient))));
  const nextC1 = add(mul(beta1, c1), 1 - beta1);
  const nextC2 = add(mul(beta2, c2), 1 - beta2);
  const secondCorrection = { state: c2, next: nextC2 };
  return {
    first: div(nextM, nextC1),
    second: div(nextV, nextC2),
    secondCorrection,
    states: [
      { state: m, next: nextM },
      { state: v, next: nextV },
      { state: c1, next: nextC1 },
      secondCorrection,
    ],
  };
}

/**
 * x, rounded to a multiple of 10⁻³⁷ where it is below 10⁻³⁰, and so 0 below 3 · 10⁻³⁸: the moments of a parameter that no
 * longer has a gradient would decay into float32's subnormal numbers, with which a processor computes up to a hundred
 * times slower.
 */
export function withoutSubnormals(x: Tensor): Tensor {
  return sub(add(x, 1e-30), 1e-30);
}

/** x, rounded to a multiple of 4 · 10⁻¹⁹ where it is below 10⁻¹¹: then x² is 0 or not subnormal either. */
export function withoutSubnormalSquares(x: Tensor): Tensor {
  return sub(add(x, 1e-11), 1e-11);
}
