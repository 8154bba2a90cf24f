import type { Parameters } from "../nn/parameters.js";
import type { Operand, Tensor } from "../tensor/tensor.js";
import { clippedByGlobalNorm } from "./clipping.js";
import type { Optimiser } from "./optimiser.js";

/** What {@link descent} is made of. */
export interface Descent {
  readonly parameters: Parameters;
  /** [P] */
  readonly theta: Tensor;
  /** The views of θ that the loss was computed from. */
  readonly views: readonly Tensor[];
  /** A scalar. */
  readonly loss: Tensor;
  readonly optimiser: Optimiser;
  readonly learningRate: Operand;
  readonly maxGradientNorm: Operand;
}

/** One step down a loss. */
export interface DescentStep {
  /** θ and the optimiser's states, each with its new value. */
  readonly updates: readonly (readonly [state: Tensor, value: Tensor])[];
  /** ‖∇loss‖ before clipping: a scalar. */
  readonly gradientNorm: Tensor;
}

/** θ after one step: the gradient of the whole loss, clipped by its global norm, handed to the optimiser. */
export function descent(parts: Descent): DescentStep {
  const { parameters, theta, views, loss, optimiser, learningRate, maxGradientNorm } = parts;
  const { gradient, norm } = clippedByGlobalNorm(parameters.gradient(loss, views), maxGradientNorm);
  const next = optimiser.step(theta, gradient, learningRate);
  return { updates: [[theta, next.theta], ...next.states], gradientNorm: norm };
}
