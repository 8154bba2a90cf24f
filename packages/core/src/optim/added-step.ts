import { add, equal, select, sub } from "../tensor/operations.js";
import type { Tensor } from "../tensor/tensor.js";

/**
 * θ + (θ_new − θ_old), element by element: what a step from θ_old to θ_new makes of a θ that others may have stepped since.
 * Where nobody has, θ = θ_old, it is θ_new itself, without rounding. (Hogwild, Niu et al. 2011.)
 */
export function addedStep(theta: Tensor, before: Tensor, after: Tensor): Tensor {
  return select(equal(theta, before), after, add(theta, sub(after, before)));
}
