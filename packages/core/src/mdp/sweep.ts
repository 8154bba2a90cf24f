import { exp, log } from "../math/logspace.js";
import type { StateValues } from "../math/units.js";
import type { SoftMdp } from "./soft-mdp.js";
import type { SparseMdp } from "./sparse-mdp.js";

/** A soft MDP whose process is sparse. */
export type SparseSoftMdp = SoftMdp & { readonly mdp: SparseMdp };

/** "jacobi": every state uses V of the last sweep; "gauss-seidel": in place, uses the newest V. */
export type SweepOrder = "jacobi" | "gauss-seidel";

/** Successive sweeps of T over a V that this object owns. */
export interface Sweeps {
  /**
   * V after the sweeps so far, [S]. Valid until the next sweep, which starts from its contents at that time.
   */
  readonly v: StateValues;
  /** Memory that the sweeps use, in bytes. */
  readonly bytes: number;
  /** Performs one sweep of T and returns ‖new V − old V‖∞. */
  sweep(): number;
}

/**
 * One sweep of T over V (§3.3): next(s) = τ log Σ π̄ exp(E[r + γ V(s')]/τ), or the maximum for τ = 0. If
 * `next` is `v`, the sweep is Gauss-Seidel: each state then uses the new values of the states before it.
 *
 * Q is never stored. V must be 0 at terminal states. Linear in the number of transitions.
 * @returns ‖next − v‖∞.
 */
export function sweepInto(
  { mdp, logPrior, tau, gamma }: SparseSoftMdp,
  v: StateValues,
  next: StateValues,
): number {
  const { states, actions, rowStarts, successors, probabilities, rewards, terminal } = mdp;
  const q = new Float64Array(actions);
  let change = 0;
  for (let s = 0; s < states; s++) {
    if (terminal[s] !== 0) {
      next[s] = 0;
      continue;
    }
    const from = s * actions;
    let high = Number.NEGATIVE_INFINITY;
    // The rows of one state are contiguous.
    let k = rowStarts[from];
    for (let a = 0; a < actions; a++) {
      const row = from + a;
      const end = rowStarts[row + 1];
      let mean = 0;
      for (; k < end; k++) mean += probabilities[k] * v[successors[k]];
      const x = rewards[row] + gamma * mean;
      q[a] = x;
      if (x > high && logPrior[row] > Number.NEGATIVE_INFINITY) high = x;
    }
    let value = high;
    if (tau > 0) {
      // π̄ may be far from one, so subtract the largest exponent, not only the largest Q.
      let shift = Number.NEGATIVE_INFINITY;
      for (let a = 0; a < actions; a++) {
        const weight = logPrior[from + a];
        const x = weight > Number.NEGATIVE_INFINITY ? weight + (q[a] - high) / tau : weight;
        q[a] = x;
        if (x > shift) shift = x;
      }
      let sum = 0;
      for (let a = 0; a < actions; a++) sum += q[a] === shift ? 1 : exp(q[a] - shift);
      value = high + tau * (shift + log(sum));
    }
    const step = Math.abs(value - v[s]);
    if (!(step <= change)) change = step;
    next[s] = value;
  }
  return change;
}
