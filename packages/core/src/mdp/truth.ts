/** The distance of a learned policy and its values from their true values, and from the optimum. */
import { requireLength } from "../base/errors.js";
import { exp } from "../math/logspace.js";
import type { LogProbabilities, StateValues } from "../math/units.js";
import { occupancy } from "./occupancy.js";
import { policyValues, qOfSuccessors } from "./operators.js";
import type { SoftMdp } from "./soft-mdp.js";
import type { SoftSolution } from "./solvers.js";
import { isSparse, type Mdp } from "./sparse-mdp.js";

/**
 * Distances from the true values, in units of reward; distances between policies are total variations in [0,
 * 1].
 */
export interface TruthFigures {
  /** Σ ρ(s) V_π(s): the return of π from the start, with −τ KL included (24). */
  readonly softReturn: number;
  /** Σ ρ(s) V*(s). */
  readonly optimalReturn: number;
  /** Σ ρ(s) (V*(s) − V_π(s)), non-negative apart from rounding. */
  readonly regret: number;
  /** max_s |V_θ(s) − V_π(s)|. */
  readonly valueError: number;
  /** The same error, averaged over the visits of π. */
  readonly valueErrorVisited: number;
  /** max_(s,a) |Q_θ(s,a) − Q_π(s,a)| for Q_θ = V_θ + τ log(π/π̄) (57), over the actions that π̄ allows. */
  readonly qError: number;
  readonly qErrorVisited: number;
  /** max_s |V_θ(s) − V*(s)|. */
  readonly optimalValueError: number;
  readonly optimalValueErrorVisited: number;
  /** max_(s,a) |Q_θ(s,a) − Q*(s,a)|. */
  readonly optimalQError: number;
  readonly optimalQErrorVisited: number;
  /** max_s ½ Σ_a |π(a|s) − π*(a|s)|. */
  readonly policyError: number;
  readonly policyErrorVisited: number;
}

/** A policy, an estimate of its values, and the problem that both belong to. */
export interface Estimate {
  readonly problem: SoftMdp;
  /** [S, A] log π_θ */
  readonly logPi: LogProbabilities;
  /** [S] V_θ; not read at terminal states. */
  readonly v: StateValues;
  /**
   * The temperature in the returns that V_θ estimates: that of the problem, or 0 for the naive bonus, whose V
   * has no KL. `valueError` compares V_θ with the V_π of this temperature; everything else uses that of the
   * problem.
   */
  readonly tauOfValues?: number;
}

/** The true values of a policy, and the distance of an estimate from them. */
export interface Truth {
  readonly figures: TruthFigures;
  /** [S] V_π, with KL at the problem's τ. */
  readonly v: StateValues;
  /** [S] γ-discounted visits of π from the start, scaled to sum to one. */
  readonly visits: Float64Array;
}

/**
 * Measures an estimate. Largest errors are over the states that an episode can reach (`reachable`), averages
 * over the γ-discounted visits of π.
 *
 * @param optimum V*, Q* and π* of the same problem: `softPolicyIteration(problem)`.
 * @throws SoftrlError when sizes do not fit, or when V_π is infinite (γ = 1 and an episode that may never
 * end).
 */
export function truthOf(estimate: Estimate, optimum: SoftSolution, reachable: Uint8Array): Truth {
  const { problem, logPi, tauOfValues = problem.tau } = estimate;
  const { mdp, logPrior, tau } = problem;
  const { states, actions, initial } = mdp;
  requireLength("truthOf", "v", estimate.v.length, states, "V is [S]");
  requireLength("truthOf", "logPi", logPi.length, states * actions, "log π is [S, A]");
  requireLength("truthOf", "reachable", reachable.length, states, "its shape is [S]");
  const ownV = policyValues(problem, logPi);
  const ownQ = qOfSuccessors(problem, ownV);
  const learnedV = tauOfValues === tau ? ownV : policyValues({ ...problem, tau: tauOfValues }, logPi);
  const occupied = occupancy(problem, logPi);
  const total = occupied.reduce((sum, x) => sum + x, 0);
  const visits = occupied.map((x) => x / total);
  const expected = (v: StateValues) => initial.reduce((sum, p, s) => (p === 0 ? sum : sum + p * v[s]), 0);

  const [value, optimalValue, q, optimalQ, policy] = Array.from({ length: 5 }, () => new ErrorSummary());
  for (let s = 0; s < states; s++) {
    if (reachable[s] === 0 || mdp.terminal[s] !== 0) continue;
    value.add(visits[s], estimate.v[s] - learnedV[s]);
    optimalValue.add(visits[s], estimate.v[s] - optimum.v[s]);
    let variation = 0;
    for (let row = s * actions; row < (s + 1) * actions; row++) {
      const probability = exp(logPi[row]);
      variation += 0.5 * Math.abs(probability - exp(optimum.logPi[row]));
      // Q_θ of an action that π̄ forbids is arbitrary.
      if (logPrior[row] === Number.NEGATIVE_INFINITY) continue;
      const estimated = estimate.v[s] + tau * (logPi[row] - logPrior[row]);
      q.add(visits[s] * probability, estimated - ownQ[row]);
      optimalQ.add(visits[s] * probability, estimated - optimum.q[row]);
    }
    policy.add(visits[s], variation);
  }
  const [softReturn, optimalReturn] = [expected(ownV), expected(optimum.v)];
  return {
    figures: {
      softReturn,
      optimalReturn,
      regret: optimalReturn - softReturn,
      valueError: value.largest,
      valueErrorVisited: value.mean,
      qError: q.largest,
      qErrorVisited: q.mean,
      optimalValueError: optimalValue.largest,
      optimalValueErrorVisited: optimalValue.mean,
      optimalQError: optimalQ.largest,
      optimalQErrorVisited: optimalQ.mean,
      policyError: policy.largest,
      policyErrorVisited: policy.mean,
    },
    v: ownV,
    visits,
  };
}

/** Flags (1 or 0) of the states that an episode can reach with any actions, terminal states included. [S] */
export function reachableStates(mdp: Mdp): Uint8Array {
  const { states, actions, initial, terminal } = mdp;
  const reached = Uint8Array.from(initial, (p) => (p > 0 ? 1 : 0));
  const open = [...reached.keys()].filter((s) => reached[s] === 1);
  const reach = (s: number) => {
    if (reached[s] === 1) return;
    reached[s] = 1;
    open.push(s);
  };
  for (let s = open.pop(); s !== undefined; s = open.pop()) {
    if (terminal[s]) continue;
    for (let row = s * actions; row < (s + 1) * actions; row++) {
      if (isSparse(mdp)) {
        for (let k = mdp.rowStarts[row]; k < mdp.rowStarts[row + 1]; k++) {
          if (mdp.probabilities[k] > 0) reach(mdp.successors[k]);
        }
      } else {
        for (let next = 0; next < states; next++) {
          if (mdp.transitions[row * states + next] > 0) reach(next);
        }
      }
    }
  }
  return reached;
}

/** The largest and the mean absolute error; NaN stays NaN. */
class ErrorSummary {
  largest = 0;
  mean = 0;

  add(weight: number, error: number): void {
    const size = Math.abs(error);
    if (!(size <= this.largest)) this.largest = size;
    // Skip weights of zero: 0 · ∞ is NaN, and the probability of an action may have underflowed to 0.
    if (weight !== 0) this.mean += weight * size;
  }
}
