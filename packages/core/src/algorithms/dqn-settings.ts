import {
  type CurrentValues,
  choiceSetting,
  type EnvironmentFamily,
  flagSetting,
  integerSetting,
  liveSetting,
  numberSetting,
  type ValuesOf,
} from "../base/settings.js";
import { backups } from "../losses/q-learning.js";
import type { SectionDefaults } from "./algorithm.js";
import type { SettingEffect } from "./setting-effects.js";

const dopamine = "Dopamine's dqn_nature";
const youngAndTian = "Young and Tian (2019)";
const cleanRl = "CleanRL's dqn.py";
const bySource = `${cleanRl}; Atari: ${dopamine}; MinAtar: ${youngAndTian}`;

/** The settings of DQN. */
export const dqnSettings = {
  backup: choiceSetting(backups, {
    about:
      "what a target bootstraps from: hard, max Q; soft-entropy, τ log Σ exp(Q/τ); soft-kl, τ log Σ π̄ exp(Q/τ) with the uniform π̄; munchausen, soft-entropy with α τ log π(a|s) added to the reward",
    default: "hard",
    source: "§6.2; Munchausen: Vieillard et al. (2020)",
  }),
  tau: liveSetting({
    about: "the temperature τ of the soft backups and of the Boltzmann policy, in units of reward per nat",
    above: 0,
    defaults: { vector: 0.03, atari: 0.1 },
    source:
      "measured on CartPole and Acrobot; images: §6.2, where Vieillard et al. (2020) set 0.03 for munchausen",
  }),
  munchausenWeight: numberSetting({
    about: "α, the weight of Munchausen's log-policy in the reward",
    low: 0,
    high: 1,
    default: 0.9,
    source: "Vieillard et al. (2020)",
  }),
  munchausenFloor: numberSetting({
    about: "l₀: Munchausen's τ log π(a|s) is raised to this number where it is below",
    high: 0,
    default: -1,
    source: "Vieillard et al. (2020)",
  }),
  double: flagSetting({
    about:
      "the online network chooses the action, or the policy, whose value the target network gives; the policy of munchausen is the target network's",
    default: false,
    source: "van Hasselt et al. (2016), who set it to true",
  }),
  dueling: flagSetting({
    about: "Q = V + (A − mean A) from a head for V and one for A",
    default: false,
    source: "Wang et al. (2016), who set it to true",
  }),
  gamma: liveSetting({
    about: "the discount γ of a reward one step later",
    low: 0,
    high: 1,
    default: 0.99,
    source: "Mnih et al. (2015)",
  }),
  returnSteps: integerSetting({
    about:
      "n of the n-step returns, without a correction for actions of older policies; munchausen takes one step, since each reward has a bonus of its own",
    option: "return-steps",
    low: 1,
    high: 1000,
    defaults: { vector: 3, atari: 1 },
    source: "measured on CartPole and Acrobot; images: Mnih et al. (2015)",
  }),
  loss: choiceSetting(["huber", "squared"], {
    about: "the measure of an error δ: Huber's, whose gradient is clipped to ±1, or ½δ²",
    defaults: { vector: "squared", atari: "huber" },
    source: `${cleanRl}; images: Mnih et al. (2015)`,
  }),
  batchSize: integerSetting({
    about: "transitions of an update",
    low: 1,
    high: 65536,
    defaults: { vector: 128, atari: 32 },
    source: bySource,
  }),
  trainEvery: integerSetting({
    about: "environment steps, all environments together, between two updates",
    low: 1,
    defaults: { vector: 10, atari: 4, minatar: 1 },
    source: bySource,
  }),
  replayCapacity: integerSetting({
    about: "observations that the replay holds at most, those of all environments together",
    low: 1,
    high: 100_000_000,
    defaults: { vector: 50_000, atari: 1_000_000, minatar: 100_000 },
    source: `measured on CartPole and Acrobot; Atari: ${dopamine}; MinAtar: ${youngAndTian}`,
  }),
  replayStart: integerSetting({
    about: "environment steps before the first update; an ε-greedy policy is uniform until then",
    low: 0,
    defaults: { vector: 10_000, atari: 50_000, minatar: 5000 },
    source: bySource,
  }),
  replayFrames: choiceSetting(["whole", "stacked"], {
    about:
      "how the replay stores observations: whole, or each frame of a stack along the last axis once, which takes a quarter of the memory for four frames",
    defaults: { vector: "whole", atari: "stacked", minatar: "whole" },
    ofObservations: true,
    source: "Mnih et al. (2015)",
  }),
  saveReplay: flagSetting({
    about:
      "whether checkpoints include the replay; a run that is resumed without it fills it again and is not the run that never stopped",
    default: true,
  }),
  replay: choiceSetting(["uniform", "prioritised"], {
    about: "how transitions are drawn: all alike, or in proportion to (|δ| + 10⁻⁶)^ω",
    default: "uniform",
    source: "Mnih et al. (2015)",
  }),
  priorityExponent: numberSetting({
    about: "ω, the exponent of the priorities",
    low: 0,
    high: 1,
    default: 0.6,
    source: "Schaul et al. (2016)",
  }),
  importanceExponent: liveSetting({
    about: "β, the exponent of the weights that correct for the priorities; 1 corrects fully",
    low: 0,
    high: 1,
    default: { from: 0.4, to: 1 },
    source: "Schaul et al. (2016)",
  }),
  targetEvery: integerSetting({
    about: "updates between two updates of the target network",
    low: 1,
    defaults: { vector: 200, atari: 2500, minatar: 1000 },
    source: `measured on CartPole and Acrobot; Atari: ${dopamine}, whose 10,000 steps are 2,500 updates; MinAtar: ${youngAndTian}`,
  }),
  targetRate: numberSetting({
    about: "ρ in θ̄ ← (1 − ρ) θ̄ + ρ θ: 1 copies the network, less is Polyak averaging",
    above: 0,
    high: 1,
    default: 1,
    source: "Mnih et al. (2015)",
  }),
  behaviour: choiceSetting(["epsilon-greedy", "boltzmann"], {
    about: "the policy that collects: ε-greedy (§6.2), or the Boltzmann policy of Q at τ",
    default: "epsilon-greedy",
    source: "§6.2",
  }),
  epsilon: liveSetting({
    about: "the share ε of uniform actions, once explorationSteps have passed",
    low: 0,
    high: 1,
    defaults: { vector: 0.02, atari: 0.1 },
    source: `measured on CartPole; Atari: ${dopamine}; MinAtar: ${youngAndTian}`,
  }),
  explorationSteps: integerSetting({
    about: "environment steps after replayStart in which ε falls linearly from 1",
    low: 0,
    defaults: { vector: 150_000, atari: 1_000_000, minatar: 100_000 },
    source: `measured on CartPole; Atari: ${dopamine}; MinAtar: ${youngAndTian}`,
  }),
};

/**
 * The optimiser, the network and the environments that fit: those of the settings' sources. On vectors, CleanRL has a
 * learning rate of 2.5e-4 throughout and no LayerNorm; LayerNorm is Gallici et al.'s (2024), and keeps CartPole's runs from
 * losing what they learned (experiments/tuning/q-learning).
 */
export function dqnDefaults(family: EnvironmentFamily): SectionDefaults {
  switch (family) {
    case "vector":
      return {
        environment: { count: 1 },
        network: { inputs: "raw", hiddenSizes: [120, 84], activation: "relu", layerNorm: true },
        optimiser: { name: "adam", learningRate: { from: 4e-4, to: 0 }, maxGradientNorm: unclipped },
      };
    case "table":
      return {
        environment: { count: 1 },
        network: { inputs: "unit", hiddenSizes: [] },
        optimiser: { name: "adam", learningRate: 0.02, maxGradientNorm: unclipped },
      };
    case "minatar":
      return {
        environment: { count: 1 },
        optimiser: { ...centredRmsprop, epsilon: 0.01, epsilonPlace: "outside" },
      };
    case "atari":
      // Dopamine's optimiser is TensorFlow's, whose mean square starts at 1.
      return {
        environment: { count: 4 },
        optimiser: { ...centredRmsprop, epsilon: 1e-5, initialMeanSquare: 1 },
      };
  }
}

/** No source clips the gradient. */
const unclipped = 1e6;

const centredRmsprop = {
  name: "rmsprop",
  learningRate: 2.5e-4,
  decay: 0.95,
  centred: true,
  maxGradientNorm: unclipped,
};

/** The values of {@link dqnSettings} at one step. */
export type DqnValues = CurrentValues<typeof dqnSettings>;

/** The settings that have no effect beside some of the others, or cannot work with them. */
export function dqnEffects({
  backup,
  behaviour,
  munchausenWeight,
  priorityExponent,
  replay,
}: ValuesOf<typeof dqnSettings>): readonly SettingEffect<keyof typeof dqnSettings>[] {
  return [
    ["tau", backup !== "hard" || behaviour === "boltzmann", "a soft backup or the behaviour boltzmann"],
    ["munchausenWeight", backup === "munchausen", "the backup munchausen"],
    [
      "munchausenFloor",
      backup === "munchausen" && munchausenWeight > 0,
      "the backup munchausen with a munchausenWeight above 0",
    ],
    ["priorityExponent", replay === "prioritised", "a prioritised replay"],
    [
      "importanceExponent",
      replay === "prioritised" && priorityExponent > 0,
      "a prioritised replay with a priorityExponent above 0",
    ],
    ["epsilon", behaviour === "epsilon-greedy", "the behaviour epsilon-greedy"],
    ["explorationSteps", behaviour === "epsilon-greedy", "the behaviour epsilon-greedy"],
    ["double", backup !== "munchausen", "another backup than munchausen"],
    ["returnSteps", backup !== "munchausen", "another backup than munchausen"],
  ];
}
