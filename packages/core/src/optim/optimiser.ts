import type { Operand, Tensor } from "../tensor/tensor.js";

/** One update of θ and of the optimiser's own state, as symbolic tensors. */
export interface OptimiserStep {
  /** The new θ [P]. */
  readonly theta: Tensor;
  /** Old states and their new values. */
  readonly states: readonly (readonly [state: Tensor, value: Tensor])[];
}

/** A rule that turns a gradient into new parameters. Its states start at zero. */
export interface Optimiser {
  /** @param theta [P]; @param gradient [P] of the loss to descend; @param learningRate a number or a scalar tensor */
  step(theta: Tensor, gradient: Tensor, learningRate: Operand): OptimiserStep;
}
