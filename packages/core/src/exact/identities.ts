import { backupIdentities } from "./backup-identities.js";
import { banditIdentities } from "./bandit-identities.js";
import type { Identity } from "./identity.js";
import { theoremIdentities } from "./theorem-identities.js";

/** Everything that `softrl verify` checks, in the paper's order. */
export const identities: readonly Identity[] = [
  ...banditIdentities,
  ...backupIdentities,
  ...theoremIdentities,
];
