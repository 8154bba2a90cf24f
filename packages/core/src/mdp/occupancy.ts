/** How often a policy visits each state and action: the weights of expectations over trajectories. */

import { solve } from "../math/linear-algebra.js";
import { exp } from "../math/logspace.js";
import type { LogProbabilities } from "../math/units.js";
import { discountedSystem } from "./operators.js";
import { requirePolicy, requireSoftMdp, type SoftMdp } from "./soft-mdp.js";

/**
 * d(s) = Σ_t discount^t P(s_t = s) from the initial distribution, over non-terminal states: the solution of
 * (I − discount · P_πᵀ) d = d_0. [S]; sums to 1/(1 − discount) if no episode ends.
 *
 * @param discount defaults to the γ of the problem; 1 counts visits, which are finite if every episode ends.
 * @throws SoftrlError when the policy is malformed or the visits are infinite.
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

/** d(s) π(a|s): the weights of expectations over (s_t, a_t). [S, A] */
export function visitsOf({ mdp }: SoftMdp, logPi: LogProbabilities, weights: Float64Array): Float64Array {
  return Float64Array.from(logPi, (logP, i) => {
    const weight = weights[Math.floor(i / mdp.actions)];
    return weight === 0 ? 0 : weight * exp(logP);
  });
}
