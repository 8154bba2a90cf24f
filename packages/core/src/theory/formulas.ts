import { klToPrior, policyFromQ, qFromValueAndPolicy, valueFromQ } from "../losses/boltzmann.js";
import { policyGradientLoss } from "../losses/policy-gradient.js";
import { clippedSurrogateLoss, penalisedSurrogateLoss } from "../losses/ppo.js";
import { bootstrapValue, munchausenBonus, qLearningLoss, qTargets } from "../losses/q-learning.js";
import { traceQUpdate } from "../losses/q-update.js";
import { a2cStreamScales, softQLoss, softQStreamsLoss } from "../losses/soft-q.js";
import { theoremGap } from "../losses/theorem-gap.js";
import { valueLoss } from "../losses/value.js";
import { boltzmannPolicy, qFromPolicy, softValue } from "../math/boltzmann.js";
import { klDivergence } from "../math/categorical.js";
import {
  lambdaAdvantagesInto,
  lambdaTargetsInto,
  nStepAdvantagesInto,
  softQTargetsInto,
  softTemporalDifferencesInto,
  valueTargetsInto,
} from "../math/returns.js";
import { banditGradient, banditObjective, banditObjectiveFromOptimum, banditOptimum } from "../mdp/bandit.js";
import {
  dampedSoftQStep,
  fisherMatrix,
  fisherVectorProduct,
  naturalGradient,
  naturalGradientByConjugateGradients,
  naturalGradientByLeastSquares,
  regressionTargets,
} from "../mdp/natural-gradient.js";
import { occupancy } from "../mdp/occupancy.js";
import {
  lambdaBackup,
  lambdaBackupOfQ,
  nStepBackup,
  optimalityBackup,
  policyBackup,
  policyBackupOfQ,
  policyQ,
  policyValues,
} from "../mdp/operators.js";
import {
  expectedSoftQTargets,
  naivePolicyGradient,
  nStepAdvantages,
  policyAdvantages,
  policyGradient,
  properPolicyGradient,
  softQGradient,
  valueGradient,
  visitedPolicyGradient,
} from "../mdp/policy-gradient.js";
import { linearQ, linearScores } from "../mdp/scores.js";
import { softPolicyIteration, softValueIteration } from "../mdp/solvers.js";

/** The formulas of the library that the identities check; a mutant replaces some of them. */
export const formulas = {
  softValue,
  boltzmannPolicy,
  qFromPolicy,
  klDivergence,
  softTemporalDifferencesInto,
  nStepAdvantagesInto,
  lambdaAdvantagesInto,
  lambdaTargetsInto,
  valueTargetsInto,
  softQTargetsInto,
  valueFromQ,
  policyFromQ,
  qFromValueAndPolicy,
  klToPrior,
  policyGradientLoss,
  clippedSurrogateLoss,
  penalisedSurrogateLoss,
  valueLoss,
  softQLoss,
  softQStreamsLoss,
  a2cStreamScales: (tau: number, valueWeight: number) => a2cStreamScales(tau, valueWeight),
  theoremGap,
  banditObjective,
  banditObjectiveFromOptimum,
  banditOptimum,
  policyBackup,
  policyBackupOfQ,
  optimalityBackup,
  policyValues,
  banditGradient,
  policyQ,
  nStepBackup,
  lambdaBackup,
  lambdaBackupOfQ,
  softValueIteration,
  softPolicyIteration,
  occupancy,
  linearScores,
  linearQ,
  policyAdvantages,
  nStepAdvantages,
  policyGradient,
  properPolicyGradient,
  naivePolicyGradient,
  visitedPolicyGradient,
  softQGradient,
  valueGradient,
  expectedSoftQTargets,
  fisherMatrix,
  fisherVectorProduct,
  naturalGradient,
  naturalGradientByConjugateGradients,
  naturalGradientByLeastSquares,
  regressionTargets,
  dampedSoftQStep,
  bootstrapValue,
  munchausenBonus,
  qTargets,
  qLearningLoss,
  traceQUpdate,
};

/** The formulas, by name. */
export type Formulas = typeof formulas;
