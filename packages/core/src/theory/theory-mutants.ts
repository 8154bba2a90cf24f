import { theoremGap } from "../losses/theorem-gap.js";
import { softValue } from "../math/boltzmann.js";
import { klDivergence } from "../math/categorical.js";
import { logPrior, logProbabilities, qValues } from "../math/units.js";
import { banditGradient, banditOptimum } from "../mdp/bandit.js";
import {
  dampedSoftQStep,
  fisherMatrix,
  naturalGradientByConjugateGradients,
  naturalGradientByLeastSquares,
} from "../mdp/natural-gradient.js";
import { occupancy } from "../mdp/occupancy.js";
import {
  lambdaBackup,
  lambdaBackupOfQ,
  nStepBackup,
  optimalityBackup,
  policyBackup,
  policyQ,
  stateDivergences,
} from "../mdp/operators.js";
import {
  expectedSoftQTargets,
  naivePolicyGradient,
  policyGradient,
  properPolicyGradient,
  softQGradient,
  visitedPolicyGradient,
} from "../mdp/policy-gradient.js";
import { softValueIteration } from "../mdp/solvers.js";
import { mul } from "../tensor/operations.js";
import type { Mutant } from "./mutant.js";

/** Mistakes in the exact theory: values, gradients, the natural gradient. */
export const theoryMutants: readonly Mutant[] = [
  {
    mutant: "π̄ left out of ∇η",
    mistake: "The bandit's gradient takes −τ log π where −τ log(π/π̄) belongs.",
    replaces: {
      banditGradient: (bandit, logPi) =>
        banditGradient({ ...bandit, logPrior: logPrior(new Float64Array(logPi.length)) }, logPi),
    },
  },
  {
    mutant: "τ forgotten in the optimum",
    mistake: "The bandit's optimum is π̄ exp(r̄), as if τ were 1.",
    replaces: { banditOptimum: (bandit) => banditOptimum({ ...bandit, tau: 1 }) },
  },
  {
    mutant: "KL paid twice",
    mistake: "T_π charges 2τ KL.",
    replaces: {
      policyBackup: (problem, logPi, v) => policyBackup({ ...problem, tau: 2 * problem.tau }, logPi, v),
    },
  },
  {
    mutant: "T not discounted",
    mistake: "The optimality backup takes V(s') at its full worth.",
    replaces: { optimalityBackup: (problem, q) => optimalityBackup({ ...problem, gamma: 1 }, q) },
  },
  {
    mutant: "one gap for all actions",
    mistake:
      "The gap between soft Q-learning and the policy gradient is taken at action 0, whichever was drawn.",
    replaces: {
      theoremGap: (terms) => theoremGap({ ...terms, actions: mul(0, terms.actions) }),
    },
  },
  {
    mutant: "τ clamped",
    mistake: "Temperatures below 0.01 are taken as 0.01, against overflow.",
    replaces: {
      softValue: (q, prior, tau) => softValue(q, prior, Math.max(tau, 0.01)),
      softValueIteration: (problem, options) =>
        softValueIteration(
          problem.tau === 0 ? problem : { ...problem, tau: Math.max(problem.tau, 0.01) },
          options,
        ),
    },
  },
  {
    mutant: "visits not discounted",
    mistake: "The occupancy counts every visit alike.",
    replaces: { occupancy: (problem, logPi) => occupancy(problem, logPi, 1) },
  },
  {
    mutant: "KL_0 counted in Q",
    mistake: "Q_π(s,a) has −τ KL(s) in it.",
    replaces: {
      policyQ(problem, logPi) {
        const kl = stateDivergences(problem, logPi);
        return qValues(
          policyQ(problem, logPi).map(
            (q, row) => q - problem.tau * kl[Math.floor(row / problem.mdp.actions)],
          ),
        );
      },
    },
  },
  {
    mutant: "one backup short",
    mistake: "T_π^n takes n − 1 backups.",
    replaces: {
      nStepBackup: (problem, logPi, v, n) => nStepBackup(problem, logPi, v, n - 1),
    },
  },
  {
    mutant: "λ² for λ",
    mistake: "The closed λ forms decay twice as fast.",
    replaces: {
      lambdaBackup: (problem, logPi, v, lambda) => lambdaBackup(problem, logPi, v, lambda ** 2),
      lambdaBackupOfQ: (problem, logPi, q, lambda) => lambdaBackupOfQ(problem, logPi, q, lambda ** 2),
    },
  },
  {
    mutant: "stopped at a small change",
    mistake: "Value iteration stops at a change of 0.1, taking it for the error.",
    replaces: {
      softValueIteration: (problem, options) => softValueIteration(problem, { ...options, tolerance: 1 }),
    },
  },
  {
    mutant: "KL the wrong way round",
    mistake: "KL[π̄‖π] stands where KL[π‖π̄] belongs.",
    replaces: {
      klDivergence: (logPi, prior, offset = 0, count = logPi.length - offset, priorOffset = 0) =>
        klDivergence(
          logProbabilities(prior.slice(priorOffset, priorOffset + count)),
          logPrior(logPi.slice(offset, offset + count)),
        ),
    },
  },
  {
    mutant: "naive for proper",
    mistake: "The policy gradient leaves the KL of later states out of its advantages.",
    replaces: { properPolicyGradient: naivePolicyGradient },
  },
  {
    mutant: "proper for naive",
    mistake: "The naive bonus is paid for in the returns too.",
    replaces: { naivePolicyGradient: properPolicyGradient },
  },
  {
    mutant: "g without KL",
    mistake: "g_γ is taken of the plain rewards.",
    replaces: {
      visitedPolicyGradient: (problem, logPi, scores) =>
        visitedPolicyGradient({ ...problem, tau: 0 }, logPi, scores),
    },
  },
  {
    mutant: "∇KL with the wrong sign",
    mistake: "The policy gradient adds τ ∇KL: it flees the optimum.",
    replaces: {
      policyGradient: (parts) =>
        policyGradient({ ...parts, problem: { ...parts.problem, tau: -parts.problem.tau } }),
    },
  },
  {
    mutant: "features not centred",
    mistake: "∇log π is φ, without taking E_π φ off.",
    replaces: { linearScores: (features) => features },
  },
  {
    mutant: "V held in the Q fit",
    mistake: "Soft Q-learning's gradient flows into log π alone.",
    replaces: {
      softQGradient(parts) {
        const { parameters, rows } = parts.model.valueGradients;
        const valueGradients = { parameters, rows: new Float64Array(rows.length) };
        return softQGradient({ ...parts, model: { ...parts.model, valueGradients } });
      },
    },
  },
  {
    mutant: "KL left out of y",
    mistake: "The expected soft-Q target is V + Δ, without τ KL.",
    replaces: {
      expectedSoftQTargets: (problem, model, advantages) =>
        expectedSoftQTargets({ ...problem, tau: 0 }, model, advantages),
    },
  },
  {
    mutant: "Fisher of all actions alike",
    mistake: "F is averaged over actions with equal weights, not with π's.",
    replaces: {
      fisherMatrix: (scores, visits) =>
        fisherMatrix(
          scores,
          visits.map(() => 1 / visits.length),
        ),
    },
  },
  {
    mutant: "regression of all actions alike",
    mistake: "The compatible regression weighs every (s, a) alike, not as they are visited.",
    replaces: {
      naturalGradientByLeastSquares: (scores, visits, targets) =>
        naturalGradientByLeastSquares(
          scores,
          visits.map((x) => Math.sign(x)),
          targets,
        ),
    },
  },
  {
    mutant: "KL left out of the regression",
    mistake: "With KL, the natural gradient regresses on Δ alone.",
    replaces: { regressionTargets: (_problem, _logPi, advantages) => advantages },
  },
  {
    mutant: "one conjugate gradient",
    mistake: "Conjugate gradients stop after one step: a scaled plain gradient.",
    replaces: {
      naturalGradientByConjugateGradients: (scores, visits, gradient) =>
        naturalGradientByConjugateGradients(scores, visits, gradient, { iterations: 1 }),
    },
  },
  {
    mutant: "plain for natural",
    mistake: "The plain gradient is taken for the natural one.",
    replaces: { naturalGradient: (_scores, _visits, gradient) => gradient },
  },
  {
    mutant: "ε for ε/τ",
    mistake: "The damped fit steps ε times the natural gradient.",
    replaces: {
      dampedSoftQStep: (parts) => dampedSoftQStep(parts).map((x) => x * parts.problem.tau),
    },
  },
  {
    mutant: "Fisher-vector product not weighted",
    mistake: "F x sums over (s, a) without π.",
    replaces: {
      fisherVectorProduct({ parameters, rows }, visits, x) {
        const product = new Float64Array(parameters);
        visits.forEach((_, row) => {
          const psi = rows.subarray(row * parameters, (row + 1) * parameters);
          const along = psi.reduce((sum, y, k) => sum + y * x[k], 0);
          for (let k = 0; k < parameters; k++) product[k] += psi[k] * along;
        });
        return product;
      },
    },
  },
];
