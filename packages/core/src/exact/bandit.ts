/** The bandit of §2: one state, one action, one reward. */
import { requireLength } from "../base/errors.js";
import { boltzmannPolicy, softValue } from "../math/boltzmann.js";
import { klDivergence } from "../math/categorical.js";
import { exp } from "../math/logspace.js";
import { type LogPrior, type LogProbabilities, logPrior, qValues } from "../math/units.js";

export interface Bandit {
  /** [A] r̄(a) = E[r | a]. */
  readonly rewards: Float64Array;
  /** [A] log π̄. */
  readonly logPrior: LogPrior;
  readonly tau: number;
}

/** η(π) = E_π[r̄] − τ KL[π‖π̄] (1). Units of reward. */
export function banditObjective({ rewards, logPrior, tau }: Bandit, logPi: LogProbabilities): number {
  requireLength("banditObjective", "logPi", logPi.length, rewards.length, "π has one probability an action");
  let expected = 0;
  for (let a = 0; a < rewards.length; a++) expected += exp(logPi[a]) * rewards[a];
  return expected - tau * klDivergence(logPi, logPrior);
}

/** π(a) ∝ π̄(a) exp(r̄(a)/τ), the policy that maximises η (2), as log-probabilities. [A] */
export function banditOptimum({ rewards, logPrior, tau }: Bandit): LogProbabilities {
  return boltzmannPolicy(qValues(rewards), logPrior, tau);
}

/**
 * τ log E_π̄[exp(r̄/τ)] − τ KL[π‖π_Boltzmann]: the right side of (6), η(π) as its maximum less a distance to the
 * optimum. Units of reward.
 */
export function banditObjectiveFromOptimum(bandit: Bandit, logPi: LogProbabilities): number {
  const { rewards, tau } = bandit;
  const distance = klDivergence(logPi, logPrior(banditOptimum(bandit)));
  return softValue(qValues(rewards), bandit.logPrior, tau) - tau * distance;
}
