import { solve } from "../math/linear-algebra.js";
import { exp } from "../math/logspace.js";
import type { LogProbabilities } from "../math/units.js";
import { logLinearPolicy } from "../mdp/natural-gradient.js";
import {
  boltzmannPolicies,
  discountedSystem,
  nStepBackupOfQ,
  policyValues,
  qOfSuccessors,
} from "../mdp/operators.js";
import { firstOrderResidual, largest, relative, relativeDifference } from "../mdp/residual.js";
import type { Derivatives } from "../mdp/scores.js";
import type { SoftMdp } from "../mdp/soft-mdp.js";
import { drawnProblem, draws } from "./cases.js";
import { type Identity, slopeBound } from "./identity.js";

/** The exact gradients of §3.6 against forward derivatives, and the theorem of §4 over whole MDPs. */
export const gradientIdentities: readonly Identity[] = [
  {
    identity: "E[Σ γ^t (∇log π Δ − τ ∇KL)] is the gradient of E[Σ γ^t (r − τ KL)]",
    equation: "§3.6, (24)",
    bound: 1e-12,
    residual(formulas, random) {
      const { problem, features, theta } = drawnProblem(random);
      const logPi = logLinearPolicy(problem, features, theta);
      const scores = formulas.linearScores(features, logPi, problem.mdp.actions);
      return relativeDifference(
        formulas.properPolicyGradient(problem, logPi, scores),
        forwardGradient(problem, logPi, scores),
      );
    },
  },
  {
    identity: "the naive bonus is the gradient of the plain return minus Σ γ^t τ ∇KL at the visited states",
    equation: "§3.6",
    bound: 1e-12,
    residual(formulas, random) {
      const { problem, features, theta } = drawnProblem(random);
      const { actions } = problem.mdp;
      const logPi = logLinearPolicy(problem, features, theta);
      const scores = formulas.linearScores(features, logPi, actions);
      const expected = forwardGradient({ ...problem, tau: 0 }, logPi, scores);
      const d = formulas.occupancy(problem, logPi);
      for (let row = 0; row < logPi.length; row++) {
        const weight = d[Math.floor(row / actions)] * exp(logPi[row]);
        const slope = weight * problem.tau * (logPi[row] - problem.logPrior[row]);
        for (let k = 0; k < expected.length; k++) {
          expected[k] -= slope * scores.rows[row * expected.length + k];
        }
      }
      return relativeDifference(formulas.naivePolicyGradient(problem, logPi, scores), expected);
    },
  },
  {
    identity: "g_1 is the gradient of the undiscounted objective",
    equation: "§3.6",
    bound: 1e-12,
    residual(formulas, random) {
      const { problem: discounted, features, theta } = drawnProblem(random);
      const problem = { ...discounted, gamma: 1 };
      const logPi = logLinearPolicy(problem, features, theta);
      const scores = formulas.linearScores(features, logPi, problem.mdp.actions);
      return relativeDifference(
        formulas.visitedPolicyGradient(problem, logPi, scores),
        forwardGradient(problem, logPi, scores),
      );
    },
  },
  {
    identity: "g_γ converges to g_1 as γ → 1: first order in 1 − γ",
    equation: "§3.6",
    bound: slopeBound,
    residual(formulas, random) {
      const { problem, features, theta } = drawnProblem(random);
      const logPi = logLinearPolicy(problem, features, theta);
      const scores = formulas.linearScores(features, logPi, problem.mdp.actions);
      const limit = forwardGradient({ ...problem, gamma: 1 }, logPi, scores);
      const gaps = [1e-3, 1e-4, 1e-5];
      const errors = gaps.map((gap) => {
        const g = formulas.visitedPolicyGradient({ ...problem, gamma: 1 - gap }, logPi, scores);
        return largest(g.map((x, k) => x - limit[k]));
      });
      return firstOrderResidual(gaps, errors);
    },
  },
  {
    identity: "E_π[∇log π] = 0: no baseline b(s) changes the policy gradient, and E_π[Δ] = 0",
    equation: "§3.6",
    bound: 1e-12,
    residual(formulas, random) {
      const { problem, features, theta } = drawnProblem(random);
      const { states, actions } = problem.mdp;
      const logPi = logLinearPolicy(problem, features, theta);
      const scores = formulas.linearScores(features, logPi, actions);
      const weights = formulas.occupancy(problem, logPi);
      const advantages = formulas.policyAdvantages(problem, logPi);
      const baseline = draws(random, states, -2, 2);
      const shifted = advantages.map((delta, row) => delta + baseline[Math.floor(row / actions)]);
      const parts = { problem, logPi, scores, weights };
      const difference = relativeDifference(
        formulas.policyGradient({ ...parts, advantages }),
        formulas.policyGradient({ ...parts, advantages: shifted }),
      );
      const means = new Float64Array(states);
      advantages.forEach((delta, row) => {
        means[Math.floor(row / actions)] += exp(logPi[row]) * delta;
      });
      // Δ is a difference of values, so rounding is relative to their size.
      const scale = Math.max(largest(advantages), largest(policyValues(problem, logPi)));
      return Math.max(difference, relative(largest(means), scale));
    },
  },
  {
    identity: "E[τ KL + V_Q + Σ γ^d δ_d | s, a] = T_π^n Q for π = π_Q, in every state",
    equation: "§3.5",
    bound: 1e-12,
    residual(formulas, random) {
      const { problem, features, theta } = drawnProblem(random);
      const model = formulas.linearQ(problem, features, theta);
      const left: number[] = [];
      const right: number[] = [];
      for (const n of [1, 2, 3, 5]) {
        const advantages = formulas.nStepAdvantages(problem, model.logPi, model.v, n);
        left.push(...nonTerminalRows(problem, formulas.expectedSoftQTargets(problem, model, advantages)));
        const backup = nStepBackupOfQ(problem, boltzmannPolicies(problem, model.q), model.q, n);
        right.push(...nonTerminalRows(problem, backup));
      }
      return relativeDifference(left, right);
    },
  },
  {
    identity: "E ∇½(Q_θ − y)² = −τ E[policy gradient] + E ∇½(V_θ − V̂)² over an MDP's states and actions",
    equation: "§4",
    bound: 1e-12,
    residual(formulas, random) {
      const { problem, features, theta } = drawnProblem(random);
      const model = formulas.linearQ(problem, features, theta);
      const { logPi, scores } = model;
      const left: number[] = [];
      const right: number[] = [];
      for (const n of [1, 2, 3]) {
        const weights = formulas.occupancy(problem, logPi);
        const advantages = formulas.nStepAdvantages(problem, logPi, model.v, n);
        const targets = formulas.expectedSoftQTargets(problem, model, advantages);
        left.push(...formulas.softQGradient({ problem, model, weights, targets }));
        const ascent = formulas.policyGradient({ problem, logPi, scores, weights, advantages });
        const fit = formulas.valueGradient(problem, model, weights, advantages);
        right.push(...fit.map((x, k) => x - problem.tau * ascent[k]));
      }
      return relativeDifference(left, right);
    },
  },
];

/**
 * ∇ Σ d_0 V_π by forward sensitivities: for each parameter, dπ = π ψ, and dV solves
 * (I − γ P_π) dV = Σ_a [dπ (r − τ log(π/π̄) + γ P V) − τ π dlog π]. [P]
 */
function forwardGradient(problem: SoftMdp, logPi: LogProbabilities, scores: Derivatives): Float64Array {
  const { mdp, logPrior, tau, gamma } = problem;
  const { states, actions, initial, terminal } = mdp;
  const q = qOfSuccessors(problem, policyValues(problem, logPi));
  const system = discountedSystem(problem, logPi, gamma);
  return Float64Array.from({ length: scores.parameters }, (_, k) => {
    const source = new Float64Array(states);
    for (let row = 0; row < logPi.length; row++) {
      const s = Math.floor(row / actions);
      if (terminal[s]) continue;
      const psi = scores.rows[row * scores.parameters + k];
      source[s] += exp(logPi[row]) * psi * (q[row] - tau * (logPi[row] - logPrior[row]) - tau);
    }
    const slope = solve(system, source);
    return slope.reduce((total, x, s) => total + initial[s] * x, 0);
  });
}

/** The rows of non-terminal states. */
function nonTerminalRows({ mdp }: SoftMdp, rows: Float64Array): Float64Array {
  return rows.filter((_, row) => !mdp.terminal[Math.floor(row / mdp.actions)]);
}
