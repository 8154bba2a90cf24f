import type { StateValues } from "../math/units.js";
import { mean, mul, square, sub } from "../tensor/operations.js";
import type { Tensor } from "../tensor/tensor.js";

/** What {@link valueLoss} is a function of. */
export interface ValueTerms {
  /** [B] V_θ(s_t). */
  readonly v: StateValues<Tensor>;
  /** [B] V̂_t = V(s_t) + Δ_t, computed before. */
  readonly targets: StateValues<Tensor>;
}

/** mean_t ½ (V_θ(s_t) − V̂_t)² (§3.6). Scalar, units of reward squared. */
export function valueLoss({ v, targets }: ValueTerms): Tensor {
  return mul(0.5, mean(square(sub(v, targets))));
}
