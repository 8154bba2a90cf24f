/** The bandit of §2: one state, one action, one reward. */
import { fail, requireLength, requireNumber } from "../base/errors.js";
import { boltzmannPolicy, softValue } from "../math/boltzmann.js";
import { klDivergence } from "../math/categorical.js";
import { exp, log } from "../math/logspace.js";
import { type LogPrior, type LogProbabilities, logPrior, qValues } from "../math/units.js";

export interface Bandit {
  /** [A] r̄(a) = E[r | a]. */
  readonly rewards: Float64Array;
  /** [A] log π̄. */
  readonly logPrior: LogPrior;
  readonly tau: number;
}

/** A bandit as plain arrays. */
export interface BanditArrays {
  /** r̄(a) */
  readonly rewards: readonly number[];
  /** π̄(a), non-negative weights that need not be normalised; defaults to uniform. */
  readonly prior?: readonly number[];
  /** Temperature, positive. */
  readonly tau: number;
}

/** Builds a validated bandit. @throws SoftrlError that names the invalid action. */
export function bandit({
  rewards,
  prior = rewards.map(() => 1 / rewards.length),
  tau,
}: BanditArrays): Bandit {
  requireLength("bandit", "prior", prior.length, rewards.length, "π̄ has one weight per action");
  prior.forEach((weight, a) => {
    if (!(weight >= 0 && weight < Infinity)) {
      fail("bandit", `prior of action ${a} is not a weight`, {
        expected: "a finite non-negative number",
        got: String(weight),
      });
    }
  });
  const made = {
    rewards: Float64Array.from(rewards),
    logPrior: logPrior(Float64Array.from(prior, log)),
    tau,
  };
  validateBandit(made, "bandit");
  return made;
}

/**
 * Throws unless the rewards are finite, π̄ allows an action and τ is positive; the message names the action.
 */
export function validateBandit({ rewards, logPrior: prior, tau }: Bandit, where = "Bandit"): void {
  if (rewards.length === 0) fail(where, "rewards is empty", { expected: "one reward per action" });
  requireLength(where, "logPrior", prior.length, rewards.length, "π̄ has one weight per action");
  requireNumber(where, "tau", tau, Number.MIN_VALUE, Number.MAX_VALUE);
  let allowed = 0;
  for (let a = 0; a < rewards.length; a++) {
    if (!Number.isFinite(rewards[a])) {
      fail(where, `rewards of action ${a} is not finite`, { got: String(rewards[a]) });
    }
    if (!(prior[a] < Infinity)) {
      fail(where, `logPrior of action ${a} is not the logarithm of a weight`, {
        expected: "a number, or −∞ for a forbidden action",
        got: String(prior[a]),
      });
    }
    if (prior[a] > -Infinity) allowed++;
  }
  if (allowed === 0) fail(where, "logPrior forbids every action");
}

/** η(π) = E_π[r̄] − τ KL[π‖π̄] (1). In units of reward. */
export function banditObjective({ rewards, logPrior, tau }: Bandit, logPi: LogProbabilities): number {
  requireLength("banditObjective", "logPi", logPi.length, rewards.length, "π has one probability per action");
  let expected = 0;
  for (let a = 0; a < rewards.length; a++) expected += exp(logPi[a]) * rewards[a];
  return expected - tau * klDivergence(logPi, logPrior);
}

/** π(a) ∝ π̄(a) exp(r̄(a)/τ), the policy that maximises η (2), as log-probabilities. [A] */
export function banditOptimum({ rewards, logPrior, tau }: Bandit): LogProbabilities {
  return boltzmannPolicy(qValues(rewards), logPrior, tau);
}

/**
 * τ log E_π̄[exp(r̄/τ)] − τ KL[π‖π_Boltzmann], the right side of (6): η(π) as its maximum minus a distance to
 * the optimum. In units of reward.
 */
export function banditObjectiveFromOptimum(bandit: Bandit, logPi: LogProbabilities): number {
  const { rewards, tau } = bandit;
  const distance = klDivergence(logPi, logPrior(banditOptimum(bandit)));
  return softValue(qValues(rewards), bandit.logPrior, tau) - tau * distance;
}

/**
 * ∂η/∂θ_b = π(b) (r̄(b) − τ log(π(b)/π̄(b)) − η) for a softmax of logits θ. This is the policy gradient of the
 * bandit, E_π[∇log π (r̄ − τ log(π/π̄))], without sampling (§2). [A], in units of reward; 0 where π is 0.
 */
export function banditGradient(bandit: Bandit, logPi: LogProbabilities): Float64Array {
  const eta = banditObjective(bandit, logPi);
  const { rewards, logPrior, tau } = bandit;
  return logPi.map((logP, b) =>
    logP === Number.NEGATIVE_INFINITY ? 0 : exp(logP) * (rewards[b] - tau * (logP - logPrior[b]) - eta),
  );
}
