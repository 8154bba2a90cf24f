/** How often a policy visits what: the weights that expectations over trajectories come down to. */

import { solve } from "../math/linear-algebra.js";
import { exp } from "../math/logspace.js";
import type { LogProbabilities } from "../math/units.js";
import { discountedSystem } from "./operators.js";
import { requirePolicy, requireSoftMdp, type SoftMdp } from "./soft-mdp.js";

/**
 * d(s) = Σ_t discount^t P(s_t = s) from the initial distribution, over states that go on: the solution of
 * (I − discount · P_πᵀ) d = d_0. [S]; sums to 1/(1 − discount) where no episode ends.
 *
 * @param discount the problem's γ unless given; 1 counts visits, which are finite where every episode ends.
 * @throws SoftrlError for a malformed policy, or where visits are infinite.
 */
export function occupancy(problem: SoftMdp, logPi: LogProbabilities, discount = problem.gamma): Float64Array {
  requireSoftMdp("occupancy", problem);
  requirePolicy("occupancy", problem, logPi);
  const { states, initial, terminal } = problem.mdp;
  const system = discountedSystem(problem, logPi, discount);
  const transposed = system.map((_, i) => system[(i % states) * states + Math.floor(i / states)]);
  return solve(
    transposed,
    initial.map((p, s) => (terminal[s] ? 0 : p)),
  );
}

/** d(s) π(a|s): the measure that expectations over (s_t, a_t) are taken with. [S, A] */
export function visitsOf({ mdp }: SoftMdp, logPi: LogProbabilities, weights: Float64Array): Float64Array {
  return Float64Array.from(logPi, (logP, i) => {
    const weight = weights[Math.floor(i / mdp.actions)];
    return weight === 0 ? 0 : weight * exp(logP);
  });
}
