/**
 * The backups of §3.3–3.4 on a finite MDP, dense and in float64: what the sampled targets are expectations of.
 *
 * V is [S], Q, log π and log π̄ are [S, A]. A terminal state is worth nothing: no reward, no KL, no bootstrap.
 */
import { requireLength, requireNumber } from "../base/errors.js";
import { boltzmannPolicy, softValue } from "../math/boltzmann.js";
import { klDivergence } from "../math/categorical.js";
import { solve } from "../math/linear-algebra.js";
import { exp } from "../math/logspace.js";
import {
  type LogPrior,
  type LogProbabilities,
  logPrior,
  logProbabilities,
  type QValues,
  qValues,
  type StateValues,
  stateValues,
} from "../math/units.js";
import type { FiniteMdp } from "./finite-mdp.js";

/** A finite MDP with the bonus and the discount that make it the paper's problem. */
export interface SoftMdp {
  readonly mdp: FiniteMdp;
  /** [S, A] log π̄(a|s). */
  readonly logPrior: LogPrior;
  /** Temperature, not negative; positive where a policy is asked for. */
  readonly tau: number;
  /** Discount in [0, 1]. */
  readonly gamma: number;
}

/** Throws unless log π̄ is [S, A] and τ and γ are in range. */
export function requireSoftMdp(where: string, { mdp, logPrior, tau, gamma }: SoftMdp): void {
  requireLength(where, "logPrior", logPrior.length, mdp.states * mdp.actions, "log π̄ is [S, A]");
  requireNumber(where, "tau", tau, 0, Number.MAX_VALUE);
  requireNumber(where, "gamma", gamma, 0, 1);
}

/** V_Q(s) = τ log Σ π̄ exp(Q(s,·)/τ) of each state (§3.2); 0 at terminal states. [S] */
export function softValues({ mdp, logPrior: prior, tau }: SoftMdp, q: QValues): StateValues {
  const v = stateValues(new Float64Array(mdp.states));
  for (let s = 0; s < mdp.states; s++) {
    if (mdp.terminal[s]) continue;
    v[s] = softValue(qValues(row(q, s, mdp)), logPrior(row(prior, s, mdp)), tau);
  }
  return v;
}

/** log π_Q(·|s) of each state (§3.2). [S, A] */
export function boltzmannPolicies({ mdp, logPrior: prior, tau }: SoftMdp, q: QValues): LogProbabilities {
  const logPi = logProbabilities(new Float64Array(q.length));
  for (let s = 0; s < mdp.states; s++) {
    logPi.set(boltzmannPolicy(qValues(row(q, s, mdp)), logPrior(row(prior, s, mdp)), tau), s * mdp.actions);
  }
  return logPi;
}

/** KL(s) = D_KL[π(·|s) ‖ π̄(·|s)] of each state; 0 at terminal states. [S] */
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
  const { states, actions, transitions, rewards, terminal } = mdp;
  const q = qValues(new Float64Array(states * actions));
  for (let i = 0; i < q.length; i++) {
    if (terminal[Math.floor(i / actions)]) continue;
    let next = 0;
    for (let s = 0; s < states; s++) if (!terminal[s]) next += transitions[i * states + s] * v[s];
    q[i] = rewards[i] + gamma * next;
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

/** E_π[Q(s,·)] − τ KL(s) of each state (§3.1); 0 at terminal states. [S] */
export function policyAverage(problem: SoftMdp, logPi: LogProbabilities, q: QValues): StateValues {
  const { states, actions, terminal } = problem.mdp;
  const kl = stateDivergences(problem, logPi);
  const v = stateValues(new Float64Array(states));
  for (let s = 0; s < states; s++) {
    if (terminal[s]) continue;
    for (let i = s * actions; i < (s + 1) * actions; i++) v[s] += exp(logPi[i]) * q[i];
    v[s] -= problem.tau * kl[s];
  }
  return v;
}

/**
 * V_π(s) = E[Σ γ^t (r_t − τ KL_t)] (24), by solving (I − γ P_π) V = r_π − τ KL. [S]
 *
 * @throws SoftrlError where the value is infinite (γ = 1 and an episode that need not end).
 */
export function policyValues(problem: SoftMdp, logPi: LogProbabilities): StateValues {
  requireSoftMdp("policyValues", problem);
  const { mdp, gamma } = problem;
  const { states, actions, transitions, terminal } = mdp;
  const matrix = new Float64Array(states * states);
  for (let s = 0; s < states; s++) {
    matrix[s * states + s] = 1;
    if (terminal[s]) continue;
    for (let i = s * actions; i < (s + 1) * actions; i++) {
      for (let next = 0; next < states; next++) {
        if (!terminal[next])
          matrix[s * states + next] -= gamma * exp(logPi[i]) * transitions[i * states + next];
      }
    }
  }
  const immediate = policyBackup({ ...problem, gamma: 0 }, logPi, stateValues(new Float64Array(states)));
  return stateValues(solve(matrix, immediate));
}

/** The rows of a [S, A] array that belong to one state. */
function row(x: Float64Array, s: number, { actions }: FiniteMdp): Float64Array {
  return x.subarray(s * actions, (s + 1) * actions);
}
