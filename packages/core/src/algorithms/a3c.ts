import type { EnvironmentFamily } from "../base/settings.js";
import { a2c } from "./a2c.js";
import type { SectionDefaults } from "./algorithm.js";
import { asynchronousAlgorithm } from "./asynchronous.js";
import { onPolicyDefaults } from "./on-policy-settings.js";
import { softQLearning } from "./soft-q-learning.js";

/**
 * Both algorithms with asynchronous learners: targets and losses are those of a2c.ts and soft-q-learning.ts as they stand.
 */

/**
 * One environment for each learner, as in A3C, for tables. For vectors, four: with one, and so five samples an update, some
 * runs on CartPole end below 500 (experiments/tuning/actors). For images, A2C's sixteen: their networks are so large that
 * to share them after every rollout of one environment takes as long as to learn from it.
 */
function a3cDefaults(family: EnvironmentFamily): SectionDefaults {
  const own = onPolicyDefaults(family);
  if (family === "minatar" || family === "atari") return own;
  return { ...own, environment: { count: family === "vector" ? 4 : 1 } };
}

/** Asynchronous advantage actor-critic (Mnih et al. 2016), with either bonus. */
export const a3c = asynchronousAlgorithm({
  name: "a3c",
  title: "A3C",
  about: "A2C with asynchronous learners in threads, which share parameters without locks",
  learner: a2c,
  settings: a2c.settings,
  defaults: a3cDefaults,
});

/**
 * Asynchronous n-step soft Q-learning: the loss of §6.3 with A3C's learners. The paper's own runs are synchronous: A2C
 * against soft Q-learning.
 */
export const asyncSoftQ = asynchronousAlgorithm({
  name: "async-soft-q",
  title: "asynchronous soft Q-learning",
  about: "soft Q-learning with asynchronous learners in threads, which share parameters without locks",
  learner: softQLearning,
  settings: softQLearning.settings,
  defaults: a3cDefaults,
});
