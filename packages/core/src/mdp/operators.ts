/**
 * The backups of §3.3–3.4 on a finite MDP, dense or sparse, in float64: the expectations of the sampled
 * targets.
 *
 * V is [S]; Q, log π and log π̄ are [S, A]. A terminal state has no reward, no KL and no bootstrap; its value
 * is 0.
 */
import { requireInteger, requireNumber } from "../base/errors.js";
import { boltzmannPolicy, greedyPolicy, softValue } from "../math/boltzmann.js";
import { klDivergence } from "../math/categorical.js";
import { solve } from "../math/linear-algebra.js";
import { exp } from "../math/logspace.js";
import {
  type LogProbabilities,
  logPrior,
  logProbabilities,
  type QValues,
  qValues,
  type StateValues,
  stateValues,
} from "../math/units.js";
import { requireSoftMdp, type SoftMdp } from "./soft-mdp.js";
import { type Mdp, successorMeans, weightedTransitions } from "./sparse-mdp.js";

/** V_Q(s) = τ log Σ π̄ exp(Q(s,·)/τ) for each state (§3.2); 0 at terminal states. [S] */
export function softValues({ mdp, logPrior: prior, tau }: SoftMdp, q: QValues): StateValues {
  const v = stateValues(new Float64Array(mdp.states));
  for (let s = 0; s < mdp.states; s++) {
    if (mdp.terminal[s]) continue;
    v[s] = softValue(qValues(row(q, s, mdp)), logPrior(row(prior, s, mdp)), tau);
  }
  return v;
}

/** log π_Q(·|s) for each state (§3.2). [S, A] */
export function boltzmannPolicies({ mdp, logPrior: prior, tau }: SoftMdp, q: QValues): LogProbabilities {
  const logPi = logProbabilities(new Float64Array(q.length));
  for (let s = 0; s < mdp.states; s++) {
    logPi.set(boltzmannPolicy(qValues(row(q, s, mdp)), logPrior(row(prior, s, mdp)), tau), s * mdp.actions);
  }
  return logPi;
}

/**
 * The limit of {@link boltzmannPolicies} as τ → 0: {@link greedyPolicy} for each state. [S, A]
 */
export function greedyPolicies({ mdp, logPrior: prior }: SoftMdp, q: QValues): LogProbabilities {
  const logPi = logProbabilities(new Float64Array(q.length));
  for (let s = 0; s < mdp.states; s++) {
    logPi.set(greedyPolicy(qValues(row(q, s, mdp)), logPrior(row(prior, s, mdp))), s * mdp.actions);
  }
  return logPi;
}

/** KL(s) = D_KL[π(·|s) ‖ π̄(·|s)] for each state; 0 at terminal states. [S] */
export function stateDivergences({ mdp, logPrior: prior }: SoftMdp, logPi: LogProbabilities): Float64Array {
  const kl = new Float64Array(mdp.states);
  const { actions } = mdp;
  for (let s = 0; s < mdp.states; s++) {
    if (!mdp.terminal[s]) kl[s] = klDivergence(logPi, prior, s * actions, actions, s * actions);
  }
  return kl;
}

/** r̄(s,a) + γ Σ P(s'|s,a) V(s'), with 0 for V at terminal s' (25). [S, A]; 0 in the rows of terminal states. */
export function qOfSuccessors({ mdp, gamma }: SoftMdp, v: StateValues): QValues {
  const q = qValues(successorMeans(mdp, v));
  for (let i = 0; i < q.length; i++) {
    q[i] = mdp.terminal[Math.floor(i / mdp.actions)] ? 0 : mdp.rewards[i] + gamma * q[i];
  }
  return q;
}

/** [T_π V](s) = E_π[r + γ V(s')] − τ KL(s) (§3.3). [S] */
export function policyBackup(problem: SoftMdp, logPi: LogProbabilities, v: StateValues): StateValues {
  return policyAverage(problem, logPi, qOfSuccessors(problem, v));
}

/** [T_π Q](s,a) = E[r + γ (E_π Q(s',·) − τ KL(s'))] (§3.3). [S, A] */
export function policyBackupOfQ(problem: SoftMdp, logPi: LogProbabilities, q: QValues): QValues {
  return qOfSuccessors(problem, policyAverage(problem, logPi, q));
}

/** [T Q](s,a) = E[r + γ V_Q(s')], the soft optimality backup (§3.3): a γ-contraction in the sup norm. [S, A] */
export function optimalityBackup(problem: SoftMdp, q: QValues): QValues {
  return qOfSuccessors(problem, softValues(problem, q));
}

/** [T V](s) = τ log Σ π̄ exp(E[r + γ V(s')]/τ), the optimality backup of values (§3.3). [S] */
export function optimalityBackupOfV(problem: SoftMdp, v: StateValues): StateValues {
  return softValues(problem, qOfSuccessors(problem, v));
}

/** E_π[Q(s,·)] − τ KL(s) for each state (§3.1); 0 at terminal states. [S] */
export function policyAverage(problem: SoftMdp, logPi: LogProbabilities, q: QValues): StateValues {
  const { states, actions, terminal } = problem.mdp;
  const kl = stateDivergences(problem, logPi);
  const v = stateValues(new Float64Array(states));
  for (let s = 0; s < states; s++) {
    if (terminal[s]) continue;
    // Skip actions of probability zero, whose Q may be infinite, and KL for τ = 0: 0 · ∞ would be NaN.
    for (let i = s * actions; i < (s + 1) * actions; i++) {
      if (logPi[i] > Number.NEGATIVE_INFINITY) v[s] += exp(logPi[i]) * q[i];
    }
    if (problem.tau > 0) v[s] -= problem.tau * kl[s];
  }
  return v;
}

/**
 * V_π(s) = E[Σ γ^t (r_t − τ KL_t)] (24), by solving (I − γ P_π) V = r_π − τ KL. [S]
 *
 * @throws SoftrlError when the value is infinite (γ = 1 and an episode that may never end).
 */
export function policyValues(problem: SoftMdp, logPi: LogProbabilities): StateValues {
  requireSoftMdp("policyValues", problem);
  const immediate = policyBackup({ ...problem, gamma: 0 }, logPi, zeroValues(problem));
  return stateValues(solve(discountedSystem(problem, logPi, problem.gamma), immediate));
}

/** Q_π = r̄ + γ E V_π (25), by solving for V_π first. [S, A] */
export function policyQ(problem: SoftMdp, logPi: LogProbabilities): QValues {
  return qOfSuccessors(problem, policyValues(problem, logPi));
}

/** T_π^n V: n backups, equal to V + E Σ_{d<n} γ^d δ_d (§3.4). [S] */
export function nStepBackup(
  problem: SoftMdp,
  logPi: LogProbabilities,
  v: StateValues,
  n: number,
): StateValues {
  requireInteger("nStepBackup", "n", n, 0);
  let result = v;
  for (let i = 0; i < n; i++) result = policyBackup(problem, logPi, result);
  return result;
}

/** T_π^n Q: n backups (§3.4). [S, A] */
export function nStepBackupOfQ(problem: SoftMdp, logPi: LogProbabilities, q: QValues, n: number): QValues {
  requireInteger("nStepBackupOfQ", "n", n, 0);
  let result = q;
  for (let i = 0; i < n; i++) result = policyBackupOfQ(problem, logPi, result);
  return result;
}

/**
 * T_π^λ V = (1 − λ) Σ_{n≥1} λ^{n−1} T_π^n V, in closed form V + (I − γλ P_π)⁻¹ (T_π V − V) (§3.4): TD(λ),
 * with γλ in place of γ. λ = 0 gives T_π V, λ = 1 gives V_π. [S]
 */
export function lambdaBackup(
  problem: SoftMdp,
  logPi: LogProbabilities,
  v: StateValues,
  lambda: number,
): StateValues {
  requireNumber("lambdaBackup", "lambda", lambda, 0, 1);
  const delta = policyBackup(problem, logPi, v);
  for (let s = 0; s < delta.length; s++) delta[s] -= problem.mdp.terminal[s] ? 0 : v[s];
  const sum = solve(discountedSystem(problem, logPi, problem.gamma * lambda), delta);
  return stateValues(sum.map((x, s) => (problem.mdp.terminal[s] ? 0 : v[s] + x)));
}

/** T_π^λ Q = (1 − λ) Σ_{n≥1} λ^{n−1} T_π^n Q, in closed form (§3.4). λ = 0 gives T_π Q, λ = 1 gives Q_π. [S, A] */
export function lambdaBackupOfQ(
  problem: SoftMdp,
  logPi: LogProbabilities,
  q: QValues,
  lambda: number,
): QValues {
  requireNumber("lambdaBackupOfQ", "lambda", lambda, 0, 1);
  const { mdp, gamma } = problem;
  const backup = policyBackupOfQ(problem, logPi, q);
  const difference = qValues(backup.map((x, i) => x - q[i]));
  // After the first step only averages over π matter: x solves (I − γλ P_π) x = E_π[difference].
  const averaged = policyAverage({ ...problem, tau: 0 }, logPi, difference);
  const sum = solve(discountedSystem(problem, logPi, gamma * lambda), averaged);
  const means = successorMeans(mdp, sum);
  return qValues(backup.map((x, i) => x + gamma * lambda * means[i]));
}

/** P_π(s'|s) between non-terminal states, [S, S'] row-major; 0 from and to terminal states. */
export function policyTransitions({ mdp }: SoftMdp, logPi: LogProbabilities): Float64Array {
  return weightedTransitions(mdp, logPi.map(exp));
}

/** I − discount · P_π: [S, S]. */
export function discountedSystem(problem: SoftMdp, logPi: LogProbabilities, discount: number): Float64Array {
  const { states } = problem.mdp;
  const matrix = policyTransitions(problem, logPi);
  for (let i = 0; i < matrix.length; i++) matrix[i] *= -discount;
  for (let s = 0; s < states; s++) matrix[s * states + s] += 1;
  return matrix;
}

/** V = 0. [S] */
export function zeroValues({ mdp }: SoftMdp): StateValues {
  return stateValues(new Float64Array(mdp.states));
}

/** The rows of a [S, A] array that belong to one state. */
function row(x: Float64Array, s: number, { actions }: Mdp): Float64Array {
  return x.subarray(s * actions, (s + 1) * actions);
}
