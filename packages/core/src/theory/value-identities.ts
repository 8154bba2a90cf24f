import { solve } from "../math/linear-algebra.js";
import { exp } from "../math/logspace.js";
import {
  type LogPrior,
  type LogProbabilities,
  logPrior,
  type QValues,
  qValues,
  type StateValues,
  stateValues,
} from "../math/units.js";
import { boltzmannPolicies, discountedSystem, policyBackup, policyBackupOfQ } from "../mdp/operators.js";
import { firstOrderResidual, largest, relativeDifference } from "../mdp/residual.js";
import type { SoftMdp } from "../mdp/soft-mdp.js";
import { denseMdp } from "../mdp/sparse-mdp.js";
import { drawnProblem, draws } from "./cases.js";
import { type Identity, slopeBound } from "./identity.js";

/** After this many steps 0.9^t is below the rounding error of float64. */
const longEnough = 400;

/**
 * The identities of §3 about value functions: sums over time, fixed points, and differences between policies.
 */
export const valueIdentities: readonly Identity[] = [
  {
    identity: "V_π = Σ γ^t E[r_t − τ KL_t], summed over time and over the occupancy",
    equation: "(24)",
    bound: 1e-12,
    residual(formulas, random) {
      const { problem, logPi } = drawnProblem(random);
      const { states, initial } = problem.mdp;
      const gain = gains(problem, logPi);
      const left = [...formulas.policyValues(problem, logPi)];
      const right = Array.from({ length: states }, (_, s) =>
        discountedSum(problem, logPi, gain, oneHot(states, s)),
      );
      const d = formulas.occupancy(problem, logPi);
      left.push(d.reduce((total, visits, s) => total + visits * gain[s], 0));
      right.push(discountedSum(problem, logPi, gain, initial));
      // Each visit counts once: a reward of 1 per step.
      const steps = new Float64Array(states).fill(1);
      steps[states - 1] = 0;
      left.push(d.reduce((total, visits) => total + visits, 0));
      right.push(discountedSum(problem, logPi, steps, initial));
      return relativeDifference(left, right);
    },
  },
  {
    identity: "Q_π = E[r_0 + Σ_{t≥1} γ^t (r_t − τ KL_t)], without KL_0",
    equation: "(25)",
    bound: 1e-12,
    residual(formulas, random) {
      const { problem, logPi } = drawnProblem(random);
      const { states, actions, transitions, rewards, terminal } = denseMdp(problem.mdp);
      const gain = gains(problem, logPi);
      const right = rewards.map((reward, row) => {
        if (terminal[Math.floor(row / actions)]) return 0;
        const next = transitions.slice(row * states, (row + 1) * states);
        return reward + problem.gamma * discountedSum(problem, logPi, gain, next);
      });
      return relativeDifference(formulas.policyQ(problem, logPi), right);
    },
  },
  {
    identity: "T_π^n is a γⁿ-contraction in the sup norm",
    equation: "§3.3–3.4",
    bound: 1e-12,
    residual(formulas, random) {
      const { problem: ending, logPi } = drawnProblem(random);
      // In an MDP without terminal states, a constant shift of V meets the bound exactly, so a contraction
      // factor above γⁿ is detected.
      const mdp = { ...denseMdp(ending.mdp), terminal: new Uint8Array(ending.mdp.states) };
      const problem = { ...ending, mdp };
      let excess = 0;
      for (const n of [1, 2, 3, 5]) {
        const v = stateValues(draws(random, mdp.states, -2, 2));
        for (const step of [new Float64Array(mdp.states).fill(n), draws(random, mdp.states, -1, 1)]) {
          const other = stateValues(v.map((x, s) => x + step[s]));
          const [near, far] = [v, other].map((x) => formulas.nStepBackup(problem, logPi, x, n));
          const difference = largest(near.map((x, s) => x - far[s]));
          excess = Math.max(excess, difference / (problem.gamma ** n * largest(step)) - 1);
        }
      }
      return excess;
    },
  },
  {
    identity: "V + (I − γλP_π)⁻¹ (T_π V − V) = (1 − λ) Σ λ^(n−1) T_π^n V",
    equation: "§3.4",
    bound: 1e-12,
    residual(formulas, random) {
      const { problem, logPi } = drawnProblem(random);
      const { states } = problem.mdp;
      const v = stateValues(draws(random, states, -1, 1));
      const left: number[] = [];
      const right: number[] = [];
      for (const lambda of [0.3, 0.8]) {
        left.push(...formulas.lambdaBackup(problem, logPi, v, lambda));
        right.push(...mixture((x: StateValues) => policyBackup(problem, logPi, x), v, lambda));
      }
      return relativeDifference(left, right);
    },
  },
  {
    identity: "T_π^λ Q in closed form = (1 − λ) Σ λ^(n−1) T_π^n Q",
    equation: "§3.4",
    bound: 1e-12,
    residual(formulas, random) {
      const { problem, logPi } = drawnProblem(random);
      const q = qValues(draws(random, logPi.length, -1, 1));
      const left: number[] = [];
      const right: number[] = [];
      for (const lambda of [0.3, 0.8]) {
        left.push(...formulas.lambdaBackupOfQ(problem, logPi, q, lambda));
        right.push(...mixture((x: QValues) => policyBackupOfQ(problem, logPi, x), q, lambda));
      }
      return relativeDifference(left, right);
    },
  },
  {
    identity: "value iteration, in place or not, and policy iteration reach the same fixed point of T",
    equation: "§3.3",
    bound: 1e-12,
    residual(formulas, random) {
      const { problem } = drawnProblem(random);
      const { v, q } = formulas.softPolicyIteration(problem, { tolerance: 1e-14 });
      const left: number[] = [];
      const right: number[] = [];
      for (const order of ["jacobi", "gauss-seidel"] as const) {
        left.push(...formulas.softValueIteration(problem, { tolerance: 1e-14, order }).v);
        right.push(...v);
      }
      left.push(...formulas.optimalityBackup(problem, q));
      right.push(...q);
      return relativeDifference(left, right);
    },
  },
  {
    identity: "V* − V_π = (I − γP_π)⁻¹ τ KL[π‖π*]: the distance to the optimum (6), over time",
    equation: "§3.2, (6)",
    bound: 1e-12,
    residual(formulas, random) {
      const { problem, logPi } = drawnProblem(random);
      const best = formulas.softPolicyIteration(problem, { tolerance: 1e-14 });
      const lost = divergences(formulas, problem, logPi, logPrior(best.logPi));
      const right = solve(discountedSystem(problem, logPi, problem.gamma), lost);
      const v = formulas.policyValues(problem, logPi);
      return relativeDifference(
        best.v,
        right.map((x, s) => v[s] + x),
      );
    },
  },
  {
    identity: "soft policy improvement: V_π' − V_π = (I − γP_π')⁻¹ τ KL[π‖π'] for π' = π_Q, never below 0",
    equation: "§3.2–3.3",
    bound: 1e-12,
    residual(formulas, random) {
      const { problem, logPi } = drawnProblem(random);
      const improved = boltzmannPolicies(problem, formulas.policyQ(problem, logPi));
      const gained = solve(
        discountedSystem(problem, improved, problem.gamma),
        divergences(formulas, problem, logPi, logPrior(improved)),
      );
      const v = formulas.policyValues(problem, logPi);
      return relativeDifference(
        formulas.policyValues(problem, improved),
        gained.map((x, s) => v[s] + Math.max(0, x)),
      );
    },
  },
  {
    identity: "V* converges to the hard optimum as τ → 0: first order in τ",
    equation: "§3.3",
    bound: slopeBound,
    residual(formulas, random) {
      const { problem } = drawnProblem(random);
      const { states } = problem.mdp;
      const prior = logPrior(draws(random, problem.logPrior.length, -2, -0.5));
      const hardness = { tolerance: 1e-13 };
      const at = (tau: number) =>
        formulas.softValueIteration({ ...problem, logPrior: prior, tau }, hardness).v;
      const hard = at(0);
      const taus = [1e-5, 1e-6, 1e-7];
      const errors = taus.map((tau) => {
        const soft = at(tau);
        let worst = 0;
        for (let s = 0; s < states; s++) worst = Math.max(worst, Math.abs(soft[s] - hard[s]));
        return worst;
      });
      return firstOrderResidual(taus, errors);
    },
  },
];

/** E_π[r] − τ KL for each state, summed directly; 0 at terminal states. [S] */
function gains({ mdp, logPrior: prior, tau }: SoftMdp, logPi: LogProbabilities): Float64Array {
  const { states, actions, rewards, terminal } = mdp;
  return Float64Array.from({ length: states }, (_, s) => {
    let gain = 0;
    for (let i = s * actions; i < (s + 1) * actions; i++) {
      gain += exp(logPi[i]) * (rewards[i] - tau * (logPi[i] - prior[i]));
    }
    return terminal[s] ? 0 : gain;
  });
}

/** Σ γ^t E[gain(s_t)], propagating the distribution of s_t step by step from `start` [S]. */
function discountedSum(
  { mdp, gamma }: SoftMdp,
  logPi: LogProbabilities,
  gain: Float64Array,
  start: Float64Array,
): number {
  const { states, actions, transitions, terminal } = denseMdp(mdp);
  let p = start.map((x, s) => (terminal[s] ? 0 : x));
  let total = 0;
  let weight = 1;
  for (let t = 0; t < longEnough && weight > 1e-18; t++, weight *= gamma) {
    const next = new Float64Array(states);
    for (let s = 0; s < states; s++) {
      total += weight * p[s] * gain[s];
      for (let a = 0; a < actions; a++) {
        const flow = p[s] * exp(logPi[s * actions + a]);
        if (flow === 0) continue;
        for (let to = 0; to < states; to++) {
          if (!terminal[to]) next[to] += flow * transitions[(s * actions + a) * states + to];
        }
      }
    }
    p = next;
  }
  return total;
}

/** τ KL[π‖other] for each state; 0 at terminal states. [S] */
function divergences(
  formulas: Parameters<Identity["residual"]>[0],
  { mdp, tau }: SoftMdp,
  logPi: LogProbabilities,
  other: LogPrior,
): Float64Array {
  const { states, actions, terminal } = mdp;
  return Float64Array.from({ length: states }, (_, s) => {
    const from = s * actions;
    return terminal[s] ? 0 : tau * formulas.klDivergence(logPi, other, from, actions, from);
  });
}

/** (1 − λ) Σ λ^(n−1) Tⁿ x, until the weights are below rounding error. */
function mixture<X extends Float64Array>(operator: (x: X) => X, start: X, lambda: number): Float64Array {
  const total = new Float64Array(start.length);
  let x = start;
  for (let weight = 1 - lambda; weight > 1e-19; weight *= lambda) {
    x = operator(x);
    for (let i = 0; i < total.length; i++) total[i] += weight * x[i];
  }
  return total;
}

function oneHot(length: number, at: number): Float64Array {
  const x = new Float64Array(length);
  x[at] = 1;
  return x;
}
