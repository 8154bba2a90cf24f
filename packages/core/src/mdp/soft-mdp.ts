import { fail, requireLength, requireNumber } from "../base/errors.js";
import { exp } from "../math/logspace.js";
import type { LogPrior, LogProbabilities } from "../math/units.js";
import { type Mdp, stateWithoutEnd, validateMdp } from "./sparse-mdp.js";

/** A finite MDP together with the prior, the temperature and the discount of the paper's problem. */
export interface SoftMdp {
  /** Dense or sparse. */
  readonly mdp: Mdp;
  /** [S, A] log π̄(a|s): −∞ forbids an action. */
  readonly logPrior: LogPrior;
  /** Temperature, non-negative; Boltzmann policies need a positive one. 0 gives the hard operators. */
  readonly tau: number;
  /** Discount in [0, 1]. */
  readonly gamma: number;
}

/** How far the probabilities of a row of π may sum from one. */
const rowTolerance = 1e-9;

/** Throws unless log π̄ is [S, A] and τ and γ are in range. */
export function requireSoftMdp(where: string, { mdp, logPrior, tau, gamma }: SoftMdp): void {
  requireLength(where, "logPrior", logPrior.length, mdp.states * mdp.actions, "log π̄ is [S, A]");
  requireNumber(where, "tau", tau, 0, Number.MAX_VALUE);
  requireNumber(where, "gamma", gamma, 0, 1);
}

/**
 * Throws unless the process is valid, π̄ allows an action in each state, and τ and γ are in range. For γ = 1
 * every state must also be able to reach a terminal state by actions that π̄ allows.
 */
export function validateSoftMdp(problem: SoftMdp, where = "SoftMdp"): void {
  const { mdp, logPrior, gamma } = problem;
  validateMdp(mdp, where);
  requireSoftMdp(where, problem);
  const { states, actions } = mdp;
  for (let s = 0; s < states; s++) {
    let allowed = 0;
    for (let a = 0; a < actions; a++) {
      const logP = logPrior[s * actions + a];
      if (!(logP < Number.POSITIVE_INFINITY)) {
        fail(where, `logPrior of state ${s}, action ${a} is not the logarithm of a weight`, {
          expected: "a number, or −∞ for a forbidden action",
          got: String(logP),
        });
      }
      if (logP > Number.NEGATIVE_INFINITY) allowed++;
    }
    if (allowed === 0) fail(where, `logPrior of state ${s} forbids every action`);
  }
  if (gamma === 1) {
    const endless = stateWithoutEnd(mdp, (row) => logPrior[row] > Number.NEGATIVE_INFINITY);
    if (endless >= 0) {
      fail(where, `gamma is 1 and state ${endless} cannot reach a terminal state`, {
        expected: "gamma below 1, or a terminal state that every state can reach",
        remedy: "use a smaller gamma, or mark a terminal state",
      });
    }
  }
}

/** Throws unless τ is positive: a Boltzmann policy and a step of ε/τ need it. */
export function requirePositiveTau(where: string, { tau }: SoftMdp): void {
  if (!(tau > 0)) {
    fail(where, "tau is out of range", {
      expected: "a positive number",
      got: String(tau),
      remedy: "use greedyPolicies for the hard limit",
    });
  }
}

/**
 * Throws unless log π is [S, A] with rows that sum to one within 1e-9, and π is zero wherever π̄ is. Rows of
 * terminal states are not read.
 */
export function requirePolicy(where: string, problem: SoftMdp, logPi: LogProbabilities): void {
  const { mdp, logPrior, tau } = problem;
  const { states, actions, terminal } = mdp;
  requireLength(where, "logPi", logPi.length, states * actions, "log π is [S, A]");
  for (let s = 0; s < states; s++) {
    if (terminal[s]) continue;
    let sum = 0;
    for (let a = 0; a < actions; a++) {
      const row = s * actions + a;
      sum += exp(logPi[row]);
      if (tau > 0 && logPi[row] > Number.NEGATIVE_INFINITY && logPrior[row] === Number.NEGATIVE_INFINITY) {
        fail(where, `the prior of state ${s}, action ${a} is zero but the policy is not`, {
          expected: "π to be 0 wherever π̄ is 0, because KL is infinite otherwise",
          got: `π = ${exp(logPi[row])}`,
        });
      }
    }
    if (!(Math.abs(sum - 1) <= rowTolerance)) {
      fail(where, `logPi of state ${s} does not sum to one`, {
        expected: `1 within ${rowTolerance}`,
        got: String(sum),
      });
    }
  }
}
