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

/** Mistakes in the exact theory: values, gradients and the natural gradient. */
export const theoryMutants: readonly Mutant[] = [
  {
    mutant: "π̄ omitted from ∇η",
    mistake: "The gradient of the bandit has −τ log π instead of −τ log(π/π̄).",
    replaces: {
      banditGradient: (bandit, logPi) =>
        banditGradient({ ...bandit, logPrior: logPrior(new Float64Array(logPi.length)) }, logPi),
    },
  },
  {
    mutant: "τ ignored in the optimum",
    mistake: "The optimum of the bandit is π̄ exp(r̄), as if τ were 1.",
    replaces: { banditOptimum: (bandit) => banditOptimum({ ...bandit, tau: 1 }) },
  },
  {
    mutant: "KL subtracted twice",
    mistake: "T_π subtracts 2τ KL.",
    replaces: {
      policyBackup: (problem, logPi, v) => policyBackup({ ...problem, tau: 2 * problem.tau }, logPi, v),
    },
  },
  {
    mutant: "T not discounted",
    mistake: "The optimality backup adds V(s') without the factor γ.",
    replaces: { optimalityBackup: (problem, q) => optimalityBackup({ ...problem, gamma: 1 }, q) },
  },
  {
    mutant: "the same gap for all actions",
    mistake: "The gap between soft Q-learning and the policy gradient is always that of action 0.",
    replaces: {
      theoremGap: (terms) => theoremGap({ ...terms, actions: mul(0, terms.actions) }),
    },
  },
  {
    mutant: "τ clamped",
    mistake: "Temperatures below 0.01 are replaced by 0.01 to avoid overflow.",
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
    mistake: "The occupancy gives every visit weight 1.",
    replaces: { occupancy: (problem, logPi) => occupancy(problem, logPi, 1) },
  },
  {
    mutant: "KL_0 counted in Q",
    mistake: "Q_π(s,a) includes −τ KL(s).",
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
    mutant: "one backup too few",
    mistake: "T_π^n applies n − 1 backups.",
    replaces: {
      nStepBackup: (problem, logPi, v, n) => nStepBackup(problem, logPi, v, n - 1),
    },
  },
  {
    mutant: "λ² for λ",
    mistake: "The closed forms for λ use λ² in place of λ.",
    replaces: {
      lambdaBackup: (problem, logPi, v, lambda) => lambdaBackup(problem, logPi, v, lambda ** 2),
      lambdaBackupOfQ: (problem, logPi, q, lambda) => lambdaBackupOfQ(problem, logPi, q, lambda ** 2),
    },
  },
  {
    mutant: "stopped at a small change",
    mistake: "Value iteration stops at a change of 0.1, as if the change were the error.",
    replaces: {
      softValueIteration: (problem, options) => softValueIteration(problem, { ...options, tolerance: 1 }),
    },
  },
  {
    mutant: "KL with its arguments swapped",
    mistake: "KL[π̄‖π] replaces KL[π‖π̄].",
    replaces: {
      klDivergence: (logPi, prior, offset = 0, count = logPi.length - offset, priorOffset = 0) =>
        klDivergence(
          logProbabilities(prior.slice(priorOffset, priorOffset + count)),
          logPrior(logPi.slice(offset, offset + count)),
        ),
    },
  },
  {
    mutant: "naive gradient for the proper one",
    mistake: "The advantages of the policy gradient omit the KL of later states.",
    replaces: { properPolicyGradient: naivePolicyGradient },
  },
  {
    mutant: "proper gradient for the naive one",
    mistake: "The returns of the naive variant include the bonus.",
    replaces: { naivePolicyGradient: properPolicyGradient },
  },
  {
    mutant: "g without KL",
    mistake: "g_γ is computed from the plain rewards.",
    replaces: {
      visitedPolicyGradient: (problem, logPi, scores) =>
        visitedPolicyGradient({ ...problem, tau: 0 }, logPi, scores),
    },
  },
  {
    mutant: "∇KL with the wrong sign",
    mistake: "The policy gradient adds τ ∇KL instead of subtracting it.",
    replaces: {
      policyGradient: (parts) =>
        policyGradient({ ...parts, problem: { ...parts.problem, tau: -parts.problem.tau } }),
    },
  },
  {
    mutant: "features not centred",
    mistake: "∇log π is φ instead of φ − E_π φ.",
    replaces: { linearScores: (features) => features },
  },
  {
    mutant: "V held in the Q fit",
    mistake: "The gradient of soft Q-learning flows only into log π, not into V.",
    replaces: {
      softQGradient(parts) {
        const { parameters, rows } = parts.model.valueGradients;
        const valueGradients = { parameters, rows: new Float64Array(rows.length) };
        return softQGradient({ ...parts, model: { ...parts.model, valueGradients } });
      },
    },
  },
  {
    mutant: "KL omitted from y",
    mistake: "The expected soft-Q target is V + Δ, without τ KL.",
    replaces: {
      expectedSoftQTargets: (problem, model, advantages) =>
        expectedSoftQTargets({ ...problem, tau: 0 }, model, advantages),
    },
  },
  {
    mutant: "Fisher matrix not weighted by π",
    mistake: "F is averaged over actions with equal weights instead of π.",
    replaces: {
      fisherMatrix: (scores, visits) =>
        fisherMatrix(
          scores,
          visits.map(() => 1 / visits.length),
        ),
    },
  },
  {
    mutant: "regression not weighted by visits",
    mistake: "The compatible regression gives every (s, a) the same weight.",
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
    mutant: "KL omitted from the regression",
    mistake: "With KL, the regression target of the natural gradient is Δ alone.",
    replaces: { regressionTargets: (_problem, _logPi, advantages) => advantages },
  },
  {
    mutant: "a single conjugate-gradient step",
    mistake: "Conjugate gradients stop after one step, which gives a scaled plain gradient.",
    replaces: {
      naturalGradientByConjugateGradients: (scores, visits, gradient) =>
        naturalGradientByConjugateGradients(scores, visits, gradient, { iterations: 1 }),
    },
  },
  {
    mutant: "plain gradient for the natural one",
    mistake: "The plain gradient replaces the natural gradient.",
    replaces: { naturalGradient: (_scores, _visits, gradient) => gradient },
  },
  {
    mutant: "ε instead of ε/τ",
    mistake: "The damped fit takes a step of ε times the natural gradient.",
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
