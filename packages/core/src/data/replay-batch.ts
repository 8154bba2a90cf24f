import type { Vector } from "../math/units.js";

/** The memory that `Replay.sample` fills: B transitions of m ≤ n steps. */
export interface ReplayBatch {
  /** [B, ...] s_t. */
  readonly observations: Vector;
  /** [B, ...] s_{t+m}; zeros after a termination. */
  readonly nextObservations: Vector;
  /** [B] a_t. */
  readonly actions: Vector;
  /** [B] Σ_{d<m} γ^d r_{t+d}. */
  readonly returns: Vector;
  /** [B] γ^m, or 0 where the episode terminated within the m steps. */
  readonly discounts: Vector;
  /** [B] Importance weights, at most 1; null where nothing reads them. All are 1 for uniform sampling. */
  readonly weights: Vector | null;
  /** [B] Where the transitions lie: what `Replay.setErrors` takes. */
  readonly indices: Int32Array;
}
