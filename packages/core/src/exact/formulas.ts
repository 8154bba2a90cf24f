import { klToPrior, policyFromQ, qFromValueAndPolicy, valueFromQ } from "../losses/boltzmann.js";
import { policyGradientLoss } from "../losses/policy-gradient.js";
import { a2cStreamScales, softQLoss, softQStreamsLoss } from "../losses/soft-q.js";
import { theoremGap } from "../losses/theorem-gap.js";
import { valueLoss } from "../losses/value.js";
import { boltzmannPolicy, qFromPolicy, softValue } from "../math/boltzmann.js";
import { klDivergence } from "../math/categorical.js";
import {
  lambdaAdvantagesInto,
  nStepAdvantagesInto,
  softQTargetsInto,
  softTemporalDifferencesInto,
  valueTargetsInto,
} from "../math/returns.js";
import { banditObjective, banditObjectiveFromOptimum, banditOptimum } from "./bandit.js";
import { optimalityBackup, policyBackup, policyBackupOfQ, policyValues } from "./operators.js";

/** The library's own formulas, those that the identities check: a mutant replaces one of them. */
export const formulas = {
  softValue,
  boltzmannPolicy,
  qFromPolicy,
  klDivergence,
  softTemporalDifferencesInto,
  nStepAdvantagesInto,
  lambdaAdvantagesInto,
  valueTargetsInto,
  softQTargetsInto,
  valueFromQ,
  policyFromQ,
  qFromValueAndPolicy,
  klToPrior,
  policyGradientLoss,
  valueLoss,
  softQLoss,
  softQStreamsLoss,
  a2cStreamScales,
  theoremGap,
  banditObjective,
  banditObjectiveFromOptimum,
  banditOptimum,
  policyBackup,
  policyBackupOfQ,
  optimalityBackup,
  policyValues,
};

/** Formulas by name. */
export type Formulas = typeof formulas;
