import { a2c } from "./a2c.js";
import { a3c, asyncSoftQ } from "./a3c.js";
import type { AlgorithmKind } from "./algorithm.js";
import { dqn } from "./dqn.js";
import { naturalPolicyGradient } from "./natural-policy-gradient.js";
import { ppo } from "./ppo.js";
import { pqn } from "./pqn.js";
import { softQLearning } from "./soft-q-learning.js";

/** The algorithms that softrl ships; docs/algorithms.md has a chapter for each. */
export const builtInAlgorithms: readonly AlgorithmKind[] = [
  a2c,
  softQLearning,
  naturalPolicyGradient,
  ppo,
  a3c,
  asyncSoftQ,
  dqn,
  pqn,
];
