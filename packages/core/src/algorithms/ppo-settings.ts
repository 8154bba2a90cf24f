import { fail } from "../base/errors.js";
import {
  type CurrentValues,
  choiceSetting,
  type EnvironmentFamily,
  flagSetting,
  liveSetting,
  type ValuesOf,
} from "../base/settings.js";
import type { SectionDefaults } from "./algorithm.js";
import { minibatchSettings } from "./minibatch-settings.js";
import { normalisedVectors, onPolicySettings } from "./on-policy-settings.js";
import type { SettingEffect } from "./setting-effects.js";

const cleanrl = "CleanRL's ppo.py and ppo_atari.py";
const paper = "Schulman et al. (2017)";
const byFamily = `${cleanrl}; MinAtar: gymnax-blines' Breakout`;

/** The settings of PPO. */
export const ppoSettings = {
  ...onPolicySettings,
  horizon: {
    ...onPolicySettings.horizon,
    about: "steps per environment between updates; the longest return",
    defaults: { vector: 128, table: 128, atari: 128, minatar: 128 },
    source: byFamily,
  },
  lambda: {
    ...onPolicySettings.lambda,
    defaults: { vector: 0.95, table: 0.95, atari: 0.95, minatar: 0.95 },
    source: byFamily,
  },
  tau: {
    ...onPolicySettings.tau,
    about:
      "the temperature τ: the weight of the bonus; in units of reward per nat if it is proper or advantages are not normalised, else in units of the advantages' standard deviation",
    defaults: { vector: 0.01, table: 0.01, atari: 0.01, minatar: 0.01 },
    source: byFamily,
  },
  entropyBonus: choiceSetting(["naive", "proper"], {
    about:
      "the bonus at the visited state alone (naive, as published) or inside the returns too (proper, §3.6)",
    default: "naive",
    source: paper,
  }),
  ...minibatchSettings,
  minibatches: {
    ...minibatchSettings.minibatches,
    defaults: { vector: 4, table: 4, atari: 4, minatar: 8 },
    source: byFamily,
  },
  surrogate: choiceSetting(["clipped", "penalised"], {
    about:
      "what keeps π near the policy π_old of the rollout: a clipped ratio, or the penalty β KL[π ‖ π_old]",
    default: "clipped",
    source: paper,
  }),
  clipRange: liveSetting({
    about: "ε, by which the ratio π/π_old, and with clipValues the value, may move from where it was",
    above: 0,
    defaults: { vector: 0.2, atari: 0.1, minatar: 0.2 },
    source: byFamily,
  }),
  penalty: liveSetting({
    about: "β, the weight of the penalised surrogate's KL, in units of the advantages as the loss has them",
    above: 0,
    default: 3,
    source: `${paper}, table 1`,
  }),
  normaliseAdvantages: flagSetting({
    about: "subtract the mean of each minibatch's advantages, and divide by their standard deviation",
    default: true,
    source: cleanrl,
  }),
  clipValues: flagSetting({
    about: "take the larger of two value errors: that of V, and that of V kept within ε of the rollout's",
    default: true,
    source: cleanrl,
  }),
  targetKl: liveSetting({
    about:
      "leave out the rest of the epochs once KL[π_old ‖ π] of an epoch's last minibatch exceeds this; 0 never does",
    low: 0,
    default: 0,
    source: cleanrl,
  }),
};

/** The values of the settings as they are now. */
export type PpoValues = CurrentValues<typeof ppoSettings>;

/**
 * The environments, the network and the optimiser of the settings' sources. Details are numbered as in "The 37
 * Implementation Details of Proximal Policy Optimization" (Huang et al. 2022): core 1 to 13, Atari 1 to 9.
 */
export function ppoDefaults(family: EnvironmentFamily): SectionDefaults {
  switch (family) {
    case "vector":
      return { ...normalisedVectors, environment: { count: 4 }, optimiser: annealedAdam(2.5e-4) };
    case "table":
      return {
        environment: { count: 4 },
        // Without a hidden layer, π and V of a state are parameters of their own.
        network: { inputs: "unit", hiddenSizes: [] },
        optimiser: annealedAdam(0.02),
      };
    case "minatar":
      return { environment: { count: 64 }, optimiser: annealedAdam(2e-3) };
    case "atari":
      return { environment: { count: 8 }, optimiser: annealedAdam(2.5e-4) };
  }
}

/** Core 3, Adam's ε of 1e-5; core 4, a learning rate that falls to 0; core 11, the clip of the global norm. */
const annealedAdam = (learningRate: number) => ({
  name: "adam",
  epsilon: 1e-5,
  learningRate: { from: learningRate, to: 0 },
  maxGradientNorm: 0.5,
});

/** The settings that have no effect beside some of the others. */
export function ppoEffects({
  surrogate,
  clipValues,
  epochs,
  minibatches,
}: ValuesOf<typeof ppoSettings>): readonly SettingEffect<keyof typeof ppoSettings>[] {
  const moves = epochs * minibatches > 1;
  const several = "a second step of the optimiser on the same rollout";
  const isClipped = surrogate === "clipped";
  return [
    ["surrogate", moves, several],
    ["clipValues", moves, several],
    ["clipRange", moves, several],
    ["clipRange", isClipped || clipValues, "a clipped surrogate or clipped values"],
    ["penalty", moves, several],
    ["penalty", !isClipped, "the penalised surrogate"],
    ["targetKl", epochs > 1, "a second epoch"],
  ];
}

/** @throws SoftrlError for minibatches whose advantages have no standard deviation. */
export function requirePpoSettings({ normaliseAdvantages }: PpoValues, batch: number): void {
  if (normaliseAdvantages && batch < 2) {
    fail("algorithm.normaliseAdvantages", "the advantages of one sample have no standard deviation", {
      expected: "minibatches of at least 2 samples",
      got: String(batch),
      remedy: "take fewer minibatches, or set normaliseAdvantages to false",
      setting: "normaliseAdvantages",
    });
  }
}
