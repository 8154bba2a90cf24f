/** The gradients of §3.6 and §4 as exact expectations: sums over states and actions, without sampling. */
import { requireLength } from "../base/errors.js";
import { exp } from "../math/logspace.js";
import { type LogProbabilities, type QValues, qValues, stateValues } from "../math/units.js";
import { occupancy } from "./occupancy.js";
import { nStepBackup, policyQ, policyValues, qOfSuccessors, stateDivergences } from "./operators.js";
import type { Derivatives, QModel } from "./scores.js";
import type { SoftMdp } from "./soft-mdp.js";

/**
 * Δ(s,a) = E[Σ_d γ^d δ_d | s, a] = Q_π(s,a) − τ KL(s) − V_π(s) with the true values (§3.6, n = ∞); its mean
 * over π is 0. [S, A]; 0 in the rows of terminal states.
 */
export function policyAdvantages(problem: SoftMdp, logPi: LogProbabilities): Float64Array {
  const v = policyValues(problem, logPi);
  return advantagesOver(problem, logPi, policyQ(problem, logPi), v);
}

/**
 * Δ(s,a) = E[Σ_{d<n} (γλ)^d δ_d | s, a] with the V of a critic (36), where the actions after the first come from
 * π: r̄ + γ E[U_n(s')] − τ KL(s) − V(s) with U_1 = V and U_n = (1 − λ) V + λ T_π U_{n−1}; for λ = 1, U_n = T_π^{n−1} V.
 * [S, A]
 */
export function nStepAdvantages(
  problem: SoftMdp,
  logPi: LogProbabilities,
  v: QModel["v"],
  n: number,
  lambda = 1,
): Float64Array {
  let u = lambda === 1 ? nStepBackup(problem, logPi, v, n - 1) : v;
  for (let k = 1; k < n && lambda !== 1; k++) {
    const next = nStepBackup(problem, logPi, u, 1);
    u = stateValues(v.map((x, s) => (1 - lambda) * x + lambda * next[s]));
  }
  return advantagesOver(problem, logPi, qOfSuccessors(problem, u), v);
}

/** The parts of the expectation that is a policy gradient. */
export interface PolicyGradientParts {
  readonly problem: SoftMdp;
  /** [S, A] log π */
  readonly logPi: LogProbabilities;
  /** ∇log π(a|s): [S · A, P] */
  readonly scores: Derivatives;
  /** [S] the weight of each state, such as an occupancy. */
  readonly weights: Float64Array;
  /** [S, A] Δ(s,a) */
  readonly advantages: Float64Array;
}

/** Σ_s w(s) [E_π ∇log π(a|s) Δ(s,a) − τ ∇KL(s)], the direction of ascent (§3.6). [P] */
export function policyGradient({
  problem,
  logPi,
  scores,
  weights,
  advantages,
}: PolicyGradientParts): Float64Array {
  const { logPrior, tau } = problem;
  requireLength("policyGradient", "advantages", advantages.length, logPi.length, "Δ is [S, A]");
  // ∇KL = E_π ∇log π · log(π/π̄), so one sum gives both terms.
  const { actions } = problem.mdp;
  return weightedSum(scores, logPi, weights, actions, (row) =>
    tau === 0 ? advantages[row] : advantages[row] - tau * (logPi[row] - logPrior[row]),
  );
}

/**
 * ∇_θ Σ d_0(s) V_π(s): the gradient of the discounted objective including KL (24), with states weighted by
 * γ^t. [P]
 */
export function properPolicyGradient(
  problem: SoftMdp,
  logPi: LogProbabilities,
  scores: Derivatives,
): Float64Array {
  const weights = occupancy(problem, logPi);
  return policyGradient({ problem, logPi, scores, weights, advantages: policyAdvantages(problem, logPi) });
}

/**
 * The naive bonus (§3.6): the gradient of the plain discounted return, minus τ ∇KL at the visited states, as
 * if the KL of a state had no effect on later ones. [P]
 */
export function naivePolicyGradient(
  problem: SoftMdp,
  logPi: LogProbabilities,
  scores: Derivatives,
): Float64Array {
  const advantages = policyAdvantages({ ...problem, tau: 0 }, logPi);
  return policyGradient({ problem, logPi, scores, weights: occupancy(problem, logPi), advantages });
}

/**
 * g_γ (§3.6), which A2C estimates: every visited state has the same weight, and its advantages are
 * discounted. For γ < 1 it is not the gradient of any function; for γ = 1 it is g_1, the gradient of the
 * undiscounted objective. Episodes must end. [P]
 */
export function visitedPolicyGradient(
  problem: SoftMdp,
  logPi: LogProbabilities,
  scores: Derivatives,
): Float64Array {
  const weights = occupancy(problem, logPi, 1);
  return policyGradient({ problem, logPi, scores, weights, advantages: policyAdvantages(problem, logPi) });
}

/** The parts of the expectation that is the soft-Q gradient. */
export interface SoftQGradientParts {
  readonly problem: SoftMdp;
  readonly model: QModel;
  /** [S] the weight of each state. */
  readonly weights: Float64Array;
  /** [S, A] y(s,a), held constant. */
  readonly targets: QValues;
}

/**
 * ∇ Σ_s w(s) E_{a~π_θ}[½(Q_θ(s,a) − y(s,a))²] with the actions held fixed (§3.5, §4): a direction of descent.
 * [P]
 */
export function softQGradient({ problem, model, weights, targets }: SoftQGradientParts): Float64Array {
  const { q, logPi, scores, valueGradients } = model;
  const { tau } = problem;
  const { actions } = problem.mdp;
  // ∇Q = ∇V + τ ∇log π (57), written as the sum of the two streams.
  const error = (row: number) => q[row] - targets[row];
  const policyStream = weightedSum(scores, logPi, weights, actions, (row) => tau * error(row));
  const valueStream = weightedSum(valueGradients, logPi, weights, actions, error);
  return policyStream.map((x, k) => x + valueStream[k]);
}

/** ∇ Σ_s w(s) E_π[½(V_θ(s) − V̂(s,a))²] with V̂ = V + Δ held constant: −Σ w E_π[Δ] ∇V (§3.6). [P] */
export function valueGradient(
  problem: SoftMdp,
  model: QModel,
  weights: Float64Array,
  advantages: Float64Array,
): Float64Array {
  const { logPi, valueGradients } = model;
  return weightedSum(valueGradients, logPi, weights, problem.mdp.actions, (row) => -advantages[row]);
}

/** y(s,a) = τ KL(s) + V(s) + Δ(s,a) (§3.5). [S, A] */
export function expectedSoftQTargets(problem: SoftMdp, model: QModel, advantages: Float64Array): QValues {
  const kl = stateDivergences(problem, model.logPi);
  const targets = qValues(new Float64Array(model.q.length));
  for (let row = 0; row < targets.length; row++) {
    const s = Math.floor(row / problem.mdp.actions);
    targets[row] = problem.tau * kl[s] + model.v[s] + advantages[row];
  }
  return targets;
}

/**
 * Σ_(s,a) w(s) π(a|s) factor(s,a) x, where x is the row of (s,a), or the row of s if there is one per state.
 * [P]
 */
function weightedSum(
  { parameters, rows }: Derivatives,
  logPi: LogProbabilities,
  weights: Float64Array,
  actions: number,
  factor: (row: number) => number,
): Float64Array {
  const byState = rows.length < logPi.length * parameters;
  const sum = new Float64Array(parameters);
  for (let row = 0; row < logPi.length; row++) {
    const s = Math.floor(row / actions);
    if (weights[s] === 0 || logPi[row] === Number.NEGATIVE_INFINITY) continue;
    const scale = weights[s] * exp(logPi[row]) * factor(row);
    const at = (byState ? s : row) * parameters;
    for (let k = 0; k < parameters; k++) sum[k] += scale * rows[at + k];
  }
  return sum;
}

function advantagesOver(problem: SoftMdp, logPi: LogProbabilities, q: QValues, v: QModel["v"]): Float64Array {
  const { actions, terminal } = problem.mdp;
  const kl = stateDivergences(problem, logPi);
  return Float64Array.from(q, (x, row) => {
    const s = Math.floor(row / actions);
    if (terminal[s]) return 0;
    return x - v[s] - (problem.tau > 0 ? problem.tau * kl[s] : 0);
  });
}
