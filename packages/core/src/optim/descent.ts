import { gradientVector } from "../nn/parameters.js";
import type { Operand, Tensor } from "../tensor/tensor.js";
import { clippedByGlobalNorm } from "./clipping.js";
import type { Optimiser } from "./optimiser.js";

/** Everything that one step of {@link descent} needs. */
export interface Descent {
  /** [P] */
  readonly theta: Tensor;
  /** The views of θ from which the loss was computed. */
  readonly views: readonly Tensor[];
  /** A scalar. */
  readonly loss: Tensor;
  readonly optimiser: Optimiser;
  /** A number or a scalar tensor. */
  readonly learningRate: Operand;
  /** The norm to which the gradient is clipped: a number or a scalar tensor. */
  readonly maxGradientNorm: Operand;
}

/** One step that lowers a loss. */
export interface DescentStep {
  /** θ and the optimiser's states, each with its new value. */
  readonly updates: readonly (readonly [state: Tensor, value: Tensor])[];
  /** The optimiser's states, each with the value of all its elements before the first step. */
  readonly initial: readonly (readonly [state: Tensor, value: number])[];
  /** ‖∇loss‖ before clipping: a scalar. */
  readonly gradientNorm: Tensor;
}

/** Differentiates the loss, clips the gradient by its global norm and passes it to the optimiser. */
export function descent(parts: Descent): DescentStep {
  const { theta, views, loss, optimiser, learningRate, maxGradientNorm } = parts;
  const { gradient, norm } = clippedByGlobalNorm(gradientVector(loss, views), maxGradientNorm);
  const next = optimiser.step(theta, gradient, learningRate);
  return {
    updates: [[theta, next.theta], ...next.states.map(({ state, next }) => [state, next] as const)],
    initial: next.states.map(({ state, initial = 0 }) => [state, initial]),
    gradientNorm: norm,
  };
}
