import {
  choiceSetting,
  type EnvironmentFamily,
  flagSetting,
  integerSetting,
  liveSetting,
} from "../base/settings.js";
import type { SectionDefaults } from "./algorithm.js";

/** The settings of every algorithm that learns from n-step returns with a bonus −τ KL[π ‖ π̄]. */
export const returnSettings = {
  horizon: integerSetting({
    about: "steps per environment between updates; also n of the n-step returns",
    low: 1,
    high: 65536,
    default: 5,
    source: "the A2C that the paper used (§6.3)",
  }),
  gamma: liveSetting({
    about: "the discount γ of a reward one step later",
    low: 0,
    high: 1,
    default: 0.99,
    source: "the A2C that the paper used (§6.1)",
  }),
  lambda: liveSetting({
    about:
      "λ of the returns: 1 sums all n steps of a rollout, 0 takes one, between them TD(λ) weighs both (GAE)",
    low: 0,
    high: 1,
    default: 1,
    source: "§3.4; 1: the A2C that the paper used (§6.3)",
  }),
  tau: liveSetting({
    about: "the temperature τ: the weight of the KL bonus, in units of reward per nat",
    above: 0,
    defaults: { vector: 0.001, atari: 0.01 },
    source: "Atari: §6.1; vectors: measured on CartPole",
  }),
  reference: choiceSetting(["entropy", "uniform"], {
    about:
      "the reference policy π̄: the counting measure, whose −KL is the entropy (§6.3), or the uniform distribution",
    default: "entropy",
    source: "§6.3",
  }),
  normaliseReturns: flagSetting({
    about:
      "divide rewards by the running standard deviation of the discounted return, and clip them to ±10; V, Q and τ are then in units of that deviation",
    defaults: { vector: true, table: false, atari: false },
    source: "stable-baselines3's VecNormalize; vectors: experiments/tuning",
  }),
};

/** The settings that all on-policy algorithms made by {@link onPolicyAlgorithm} share. */
export const onPolicySettings = {
  ...returnSettings,
  horizon: {
    ...returnSettings.horizon,
    defaults: { vector: 5, table: 5, atari: 5, minatar: 10 },
    source: "the A2C that the paper used (§6.3); MinAtar: experiments/tuning",
  },
  lambda: {
    ...returnSettings.lambda,
    defaults: { vector: 1, table: 1, atari: 1, minatar: 0.8 },
    source: "the A2C that the paper used (§6.3); MinAtar: experiments/tuning",
  },
  valueCoefficient: liveSetting({
    about: "the weight c of the value error ½(V − V̂)²",
    low: 0,
    default: 0.5,
    source: "§6.3",
  }),
  bodies: choiceSetting(["shared", "separate"], {
    about: "whether policy and value share one body, or have a body each",
    defaults: { vector: "separate", atari: "shared" },
    source: "images: the A2C that the paper used (§6.1); vectors: stable-baselines3's MlpPolicy",
  }),
};

/** The setting of algorithms whose loss is a regression. */
export const epochSettings = {
  epochs: integerSetting({
    about: "steps of the optimiser for each rollout, all towards the same targets",
    low: 1,
    high: 1000,
    default: 1,
    source: "§6.3",
  }),
};

/**
 * The defaults of all on-policy algorithms for other sections. Those of vectors, tables and MinAtar were tuned for A2C
 * with the naive bonus alone: experiments/tuning. Those of Atari are the A2C's that the paper used, but for its learning rate,
 * which falls to 0 over 80M steps. Over 10M, one that falls is too small before Pong is learned (experiments/pong), so it is
 * constant, as in stable-baselines3's zoo.
 */
export function onPolicyDefaults(family: EnvironmentFamily): SectionDefaults {
  switch (family) {
    case "vector":
      return { ...normalisedVectors, optimiser: fallingAdam(7e-4) };
    case "table":
      return { ...tables, optimiser: fallingAdam(0.02) };
    case "minatar":
      return { optimiser: fallingAdam(3e-3) };
    case "atari":
      return { optimiser: { learningRate: 7e-4 } };
  }
}

const fallingAdam = (learningRate: number) => ({ name: "adam", learningRate: { from: learningRate, to: 0 } });

/** The elements of a vector differ in scale, and their bounds do not show it: experiments/classic. */
export const normalisedVectors: SectionDefaults = { network: { inputs: "normalised" } };

/** Without a hidden layer, a network of one-hot states is a table: π and V of a state are parameters of their own. */
const tables: SectionDefaults = { network: { inputs: "unit", hiddenSizes: [] } };
