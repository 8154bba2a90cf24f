import type { Operand, Tensor } from "../tensor/tensor.js";

/** One number or vector that an optimiser remembers between its steps. */
export interface OptimiserState {
  /** A tensor from `state()`. */
  readonly state: Tensor;
  /** Its value after this step. */
  readonly next: Tensor;
  /** The value of every element before the first step; 0 by default. */
  readonly initial?: number;
}

/** One update of θ and of the optimiser's own states, as symbolic tensors. */
export interface OptimiserStep {
  /** The new θ [P]. */
  readonly theta: Tensor;
  readonly states: readonly OptimiserState[];
}

/** A rule that turns a gradient into new parameters. */
export interface Optimiser {
  /**
   * @param theta [P]
   * @param gradient of the loss to minimise [P]
   * @param learningRate a number or a scalar tensor
   */
  step(theta: Tensor, gradient: Tensor, learningRate: Operand): OptimiserStep;
}
