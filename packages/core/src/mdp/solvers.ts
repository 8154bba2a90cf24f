/**
 * Solvers for finite MDPs. Each result has a certified bound on its error: because backups contract, the last
 * change or the residual bounds the remaining error, and the rounding of float64 is added.
 */
import { fail, requireInteger, requireLength, requireNumber } from "../base/errors.js";
import { solve } from "../math/linear-algebra.js";
import { exp } from "../math/logspace.js";
import {
  type LogProbabilities,
  type QValues,
  qValues,
  type StateValues,
  stateValues,
} from "../math/units.js";
import { AndersonExtrapolation } from "./anderson.js";
import {
  boltzmannPolicies,
  discountedSystem,
  greedyPolicies,
  policyBackup,
  policyValues,
  qOfSuccessors,
  zeroValues,
} from "./operators.js";
import { requirePolicy, type SoftMdp, validateSoftMdp } from "./soft-mdp.js";
import { isSparse, sparseMdp } from "./sparse-mdp.js";
import { type SweepOrder, sweepInto } from "./sweep.js";
import { sweepsFrom } from "./sweeps.js";

/** Values with a certified bound on their error. */
export interface CertifiedValues {
  /** [S] */
  readonly v: StateValues;
  /**
   * max_s |V(s) − the true V(s)| is at most this; ∞ when γ is 1, or so close to it that backups are not known
   * to contract.
   */
  readonly bound: number;
}

/** V* with the Boltzmann policy of its Q (the greedy policy for τ = 0). */
export interface SoftSolution extends CertifiedValues {
  /** r̄ + γ E V: [S, A]. Its error is at most γ times the error of V. */
  readonly q: QValues;
  /** [S, A] */
  readonly logPi: LogProbabilities;
  /** The number of sweeps of value iteration, or of policies of policy iteration. */
  readonly iterations: number;
  /** ‖last change‖∞ of each iteration, the newest last. */
  readonly changes: readonly number[];
}

/** Options of value iteration. */
export interface ValueIterationOptions {
  /**
   * Stop when the error γ/(1 − γ) · ‖last change‖∞ is at most this, or when a change is within rounding;
   * defaults to 1e-10. The certified bound is larger by the possible rounding. For γ = 1 the last change
   * itself is compared.
   */
  readonly tolerance?: number;
  /** The maximum number of sweeps; defaults to 1,000,000. */
  readonly sweeps?: number;
  /**
   * "jacobi": every state uses V of the last sweep; "gauss-seidel": in place, uses the newest V, with half
   * the memory.
   */
  readonly order?: SweepOrder;
  /**
   * "anderson": each sweep starts from a combination of the last ones, with a safeguard so that it converges
   * for every γ < 1. It helps when γ is near one, and most with "gauss-seidel" (docs/value-iteration.md).
   * Defaults to "none".
   */
  readonly acceleration?: "none" | "anderson";
  /** The initial V [S]; defaults to 0. */
  readonly start?: StateValues;
}

/**
 * V* by V ← T V (§3.3), the hard limit for τ = 0. Both orders contract by γ per sweep, so ‖V − V*‖∞ ≤ γ/(1 −
 * γ) · ‖last change‖∞, whatever V the last sweep started from. The bound therefore holds for accelerated runs
 * too, whose changes need not decrease from sweep to sweep.
 *
 * @throws SoftrlError for a malformed problem, or when the sweeps do not reach the tolerance.
 */
export function softValueIteration(problem: SoftMdp, options: ValueIterationOptions = {}): SoftSolution {
  const where = "softValueIteration";
  const { tolerance = 1e-10, sweeps = 1_000_000, order = "jacobi", acceleration = "none", start } = options;
  validateSoftMdp(problem, where);
  requireNumber(where, "tolerance", tolerance, Number.MIN_VALUE, Number.MAX_VALUE);
  requireInteger(where, "sweeps", sweeps, 1);
  const { states, terminal } = problem.mdp;
  if (start !== undefined) requireLength(where, "start", start.length, states, "V is [S]");
  const sparse = { ...problem, mdp: sparseMdp(problem.mdp) };
  const factor = contraction(sparse);
  const first = zeroValues(problem);
  if (start !== undefined) first.set(start.map((x, s) => (terminal[s] ? 0 : x)));
  const running = sweepsFrom(sparse, first, order);
  const anderson = acceleration === "anderson" ? new AndersonExtrapolation(first, factor) : null;
  const rounding = backupRounding(sparse);
  const changes: number[] = [];
  for (;;) {
    const change = running.sweep();
    changes.push(change);
    const remaining = rounding(running.v);
    requireFinite(where, change + remaining);
    const left = factor < 1 ? (factor * change) / (1 - factor) : change;
    if (left <= tolerance || change <= remaining) {
      const v = stateValues(running.v.slice());
      const bound = factor < 1 ? (factor * change + remaining) / (1 - factor) : Number.POSITIVE_INFINITY;
      return { ...withPolicy(problem, v), bound, iterations: changes.length, changes };
    }
    if (changes.length === sweeps) {
      fail(where, "the tolerance was not reached", {
        expected: `at most ${tolerance} within ${sweeps} sweeps`,
        got: String(left),
        remedy: "allow more sweeps or a larger tolerance; with gamma = 1 the value may be infinite",
      });
    }
    anderson?.extrapolate(running.v, change);
  }
}

/**
 * V* by policy iteration: evaluate π exactly, take the Boltzmann policy of Q_π (greedy for τ = 0), and repeat
 * until V stops increasing. Certified by the residual: ‖V − V*‖∞ ≤ ‖T V − V‖∞ / (1 − γ).
 *
 * @throws SoftrlError for a malformed problem, or when 1000 policies do not reach the tolerance.
 */
export function softPolicyIteration(
  problem: SoftMdp,
  { tolerance = 1e-10, policies = 1000 }: { readonly tolerance?: number; readonly policies?: number } = {},
): SoftSolution {
  const where = "softPolicyIteration";
  validateSoftMdp(problem, where);
  requireNumber(where, "tolerance", tolerance, Number.MIN_VALUE, Number.MAX_VALUE);
  requireInteger(where, "policies", policies, 1);
  const improved = problem.tau > 0 ? boltzmannPolicies : greedyPolicies;
  const sparse = { ...problem, mdp: sparseMdp(problem.mdp) };
  const factor = contraction(sparse);
  // The Boltzmann policy of Q = 0 is π̄ normalised, so it can reach every terminal state that can be reached
  // at all.
  let v = policyValues(problem, boltzmannPolicies({ ...problem, tau: 1 }, zeroQ(problem)));
  const rounding = backupRounding(sparse);
  const changes: number[] = [];
  for (;;) {
    const change = sweepInto(sparse, v, zeroValues(problem));
    changes.push(change);
    const remaining = rounding(v);
    requireFinite(where, change + remaining);
    const left = factor < 1 ? change / (1 - factor) : change;
    if (left <= tolerance || change <= remaining) {
      const bound = factor < 1 ? (change + remaining) / (1 - factor) : Number.POSITIVE_INFINITY;
      return { ...withPolicy(problem, v), bound, iterations: changes.length, changes };
    }
    if (changes.length === policies) {
      fail(where, "the tolerance was not reached", {
        expected: `at most ${tolerance} within ${policies} policies`,
        got: String(left),
        remedy: "allow more policies or a larger tolerance",
      });
    }
    v = policyValues(problem, improved(problem, qOfSuccessors(problem, v)));
  }
}

/**
 * V_π by solving (I − γ P_π) V = r_π − τ KL directly (24). Certified by the residual: the error is (I − γ
 * P_π)⁻¹ (T_π V − V). Works for γ = 1 too. Takes S³ operations.
 *
 * @throws SoftrlError for a malformed problem or policy, or when V_π is infinite.
 */
export function evaluatePolicy(problem: SoftMdp, logPi: LogProbabilities): CertifiedValues {
  const where = "evaluatePolicy";
  validateSoftMdp(problem, where);
  requirePolicy(where, problem, logPi);
  const v = policyValues(problem, logPi);
  const backup = policyBackup(problem, logPi, v);
  let residual = 0;
  for (let s = 0; s < v.length; s++) residual = Math.max(residual, Math.abs(backup[s] - v[s]));
  residual += backupRounding(problem)(v);
  requireFinite(where, residual);
  const factor = contraction(problem, logPi);
  return { v, bound: residual * (factor < 1 ? 1 / (1 - factor) : longestStay(problem, logPi)) };
}

/**
 * An upper bound on max_s [(I − γ P_π)⁻¹ 1](s), the expected number of steps to the end; ∞ when float64
 * cannot bound it.
 *
 * With x ≥ 0 and (I − γ P_π) x ≥ 1 − slack > 0, the inverse has no negative entry, and applied to 1 it is at
 * most x / (1 − slack).
 */
function longestStay(problem: SoftMdp, logPi: LogProbabilities): number {
  const { states, actions } = problem.mdp;
  const system = discountedSystem(problem, logPi, problem.gamma);
  const steps = solve(system, new Float64Array(states).fill(1));
  const longest = steps.reduce((high, x) => Math.max(high, x), 0);
  let slack = 0;
  for (let s = 0; s < states; s++) {
    let product = 0;
    for (let next = 0; next < states; next++) product += system[s * states + next] * steps[next];
    slack = Math.max(slack, Math.abs(product - 1), steps[s] >= 0 ? 0 : 1);
  }
  slack += 2 * Number.EPSILON * (states + actions + 8) * longest;
  return slack < 1 ? longest / (1 - slack) : Number.POSITIVE_INFINITY;
}

/**
 * V_π by V ← T_π V, for processes too large to factorise: ‖V − V_π‖∞ ≤ γ/(1 − γ) · ‖last change‖∞. Needs γ
 * below 1.
 */
export function iteratePolicyEvaluation(
  problem: SoftMdp,
  logPi: LogProbabilities,
  { tolerance = 1e-10, sweeps = 1_000_000 }: { readonly tolerance?: number; readonly sweeps?: number } = {},
): CertifiedValues & { readonly iterations: number } {
  const where = "iteratePolicyEvaluation";
  validateSoftMdp(problem, where);
  requirePolicy(where, problem, logPi);
  const { gamma } = problem;
  requireNumber(where, "gamma", gamma, 0, 1 - Number.EPSILON);
  const factor = contraction(problem, logPi);
  let v = zeroValues(problem);
  let bound = Number.POSITIVE_INFINITY;
  const rounding = backupRounding(problem);
  for (let iterations = 1; iterations <= sweeps; iterations++) {
    const next = policyBackup(problem, logPi, v);
    let change = 0;
    for (let s = 0; s < v.length; s++) change = Math.max(change, Math.abs(next[s] - v[s]));
    v = next;
    const remaining = rounding(v);
    requireFinite(where, change + remaining);
    const left = factor < 1 ? (factor * change) / (1 - factor) : change;
    bound = factor < 1 ? (factor * change + remaining) / (1 - factor) : Number.POSITIVE_INFINITY;
    if (left <= tolerance || change <= remaining) return { v, bound, iterations };
  }
  return fail(where, "the tolerance was not reached", {
    expected: `a bound of at most ${tolerance} within ${sweeps} sweeps`,
    got: String(bound),
    remedy: "allow more sweeps or a larger tolerance",
  });
}

function withPolicy(problem: SoftMdp, v: StateValues) {
  const q = qOfSuccessors(problem, v);
  return { v, q, logPi: (problem.tau > 0 ? boltzmannPolicies : greedyPolicies)(problem, q) };
}

/**
 * Throws when values overflow float64 because the rewards or the initial V are too large; later sweeps cannot
 * recover.
 */
function requireFinite(where: string, size: number): void {
  if (!(size < Number.POSITIVE_INFINITY)) {
    fail(where, "values are too large for float64", {
      expected: "finite changes",
      got: String(size),
      remedy: "use smaller rewards, a smaller tau, or a finite start",
    });
  }
}

function zeroQ({ mdp }: SoftMdp): QValues {
  return qValues(new Float64Array(mdp.states * mdp.actions));
}

/**
 * An upper bound on the contraction factor of one backup: γ times the largest Σ_s' P(s'|s,a), and times the
 * largest Σ_a π(a|s) if π is given. Either sum may exceed one by 1e-9. The result is 1 if γ is 1, or if the
 * backup is not known to contract.
 */
function contraction({ mdp, gamma }: SoftMdp, logPi?: LogProbabilities): number {
  const { states, actions, terminal } = mdp;
  if (gamma === 1) return 1;
  let most = 0;
  for (let s = 0; s < states; s++) {
    if (terminal[s]) continue;
    let mass = 0;
    let largest = 0;
    for (let row = s * actions; row < (s + 1) * actions; row++) {
      const numbers = isSparse(mdp) ? mdp.probabilities : mdp.transitions;
      const end = isSparse(mdp) ? mdp.rowStarts[row + 1] : (row + 1) * states;
      let sum = 0;
      for (let k = isSparse(mdp) ? mdp.rowStarts[row] : row * states; k < end; k++) sum += numbers[k];
      largest = Math.max(largest, sum);
      if (logPi !== undefined) mass += exp(logPi[row]);
    }
    most = Math.max(most, logPi === undefined ? largest : largest * mass);
  }
  return Math.min(1, gamma * most);
}

/**
 * The rounding error that float64 may add to one backup of V: a generous count of roundings of its largest
 * terms.
 */
function backupRounding({ mdp, logPrior, tau, gamma }: SoftMdp): (v: StateValues) => number {
  let reward = 0;
  let prior = 0;
  for (let i = 0; i < mdp.rewards.length; i++) {
    reward = Math.max(reward, Math.abs(mdp.rewards[i]));
    if (logPrior[i] > Number.NEGATIVE_INFINITY) prior = Math.max(prior, Math.abs(logPrior[i]));
  }
  // Use the longest row; most rows may be much shorter.
  let successors = isSparse(mdp) ? 0 : mdp.states;
  if (isSparse(mdp)) {
    const { rowStarts } = mdp;
    for (let row = 1; row < rowStarts.length; row++) {
      successors = Math.max(successors, rowStarts[row] - rowStarts[row - 1]);
    }
  }
  const terms = Number.EPSILON * (mdp.actions + successors + 8);
  return (v) => {
    let value = 0;
    for (let s = 0; s < v.length; s++) value = Math.max(value, Math.abs(v[s]));
    return terms * (reward + (1 + gamma) * value + tau * (prior + mdp.actions));
  };
}
