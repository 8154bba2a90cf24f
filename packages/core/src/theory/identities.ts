import { backupIdentities } from "./backup-identities.js";
import { banditIdentities } from "./bandit-identities.js";
import { gradientIdentities } from "./gradient-identities.js";
import type { Identity } from "./identity.js";
import { lambdaTargetIdentities } from "./lambda-target-identities.js";
import { naturalGradientIdentities } from "./natural-gradient-identities.js";
import { ppoIdentities } from "./ppo-identities.js";
import { qLearningIdentities } from "./q-learning-identities.js";
import { theoremIdentities } from "./theorem-identities.js";
import { valueIdentities } from "./value-identities.js";

/** All identities that `softrl verify` checks, in the order of the paper. */
export const identities: readonly Identity[] = [
  ...banditIdentities,
  ...backupIdentities,
  ...valueIdentities,
  ...gradientIdentities,
  ...theoremIdentities,
  ...naturalGradientIdentities,
  ...ppoIdentities,
  ...qLearningIdentities,
  ...lambdaTargetIdentities,
];
