import type { LiveNumber } from "../base/schedule.js";
import {
  type CurrentValues,
  choiceSetting,
  type EnvironmentFamily,
  integerSetting,
  liveSetting,
  type ValuesOf,
} from "../base/settings.js";
import type { SectionDefaults } from "./algorithm.js";
import { minibatchSettings } from "./minibatch-settings.js";
import type { SettingEffect } from "./setting-effects.js";

const gallici = "Gallici et al. (2024)";

/** The settings of PQN. */
export const pqnSettings = {
  backup: choiceSetting(["hard", "soft-entropy", "soft-kl"], {
    about:
      "what a target bootstraps from: hard, max Q, collecting with the ε-greedy policy; soft-entropy, τ log Σ exp(Q/τ), and soft-kl, τ log Σ π̄ exp(Q/τ) with the uniform π̄, collecting with the Boltzmann policy",
    default: "hard",
    source: `hard: ${gallici}; soft: §3.5`,
  }),
  horizon: integerSetting({
    about: "steps per environment between updates",
    low: 1,
    high: 65536,
    defaults: { vector: 64, atari: 32 },
    source: gallici,
  }),
  gamma: liveSetting({
    about: "the discount γ of a reward one step later",
    low: 0,
    high: 1,
    default: 0.99,
    source: gallici,
  }),
  lambda: liveSetting({
    about: "λ of the targets: 0 takes one step, 1 sums all steps of a rollout",
    low: 0,
    high: 1,
    defaults: { vector: 0.95, atari: 0.65 },
    source: gallici,
  }),
  epochs: {
    ...minibatchSettings.epochs,
    defaults: { vector: 4, table: 4, atari: 2, minatar: 2 },
    source: gallici,
  },
  minibatches: {
    ...minibatchSettings.minibatches,
    defaults: { vector: 16, table: 16, atari: 32, minatar: 32 },
    source: gallici,
  },
  epsilon: liveSetting({
    about: "the share ε of uniform actions with the hard backup",
    low: 0,
    high: 1,
    defaults: {
      vector: { from: 1, to: 0.02, over: 0.5 },
      atari: { from: 1, to: 0.001, over: 0.1 },
      minatar: { from: 1, to: 0.05, over: 0.1 },
    },
    source: `measured on CartPole and Acrobot; images: ${gallici}`,
  }),
  tau: liveSetting({
    about: "the temperature τ of the soft backups and of their Boltzmann policy, in units of reward per nat",
    above: 0,
    defaults: { vector: { from: 1, to: 0.1 }, atari: 0.1, minatar: 0.003 },
    source:
      "§6.2, not measured on Atari; the start of vectors: measured on CartPole, where 0.1 from the start explores too little; MinAtar: measured on its five games",
  }),
};

/**
 * The network, the optimiser and the environments of the settings' sources. On vectors the rollouts are those of Gallici et
 * al.'s configuration for CartPole, the network that of CleanRL, whose rollouts of 4 · 128 steps lost 1 run in 3 on
 * CartPole near its end. The learning rate and the end of ε were tuned on CartPole and Acrobot (experiments/tuning/q-learning).
 */
export function pqnDefaults(family: EnvironmentFamily): SectionDefaults {
  switch (family) {
    case "vector":
      return {
        environment: { count: 32 },
        network: { hiddenSizes: [120, 84], activation: "relu", layerNorm: true },
        optimiser: radam(falling(1e-3)),
      };
    case "table":
      return {
        environment: { count: 32 },
        // Without a hidden layer, Q of a state and an action is a parameter of its own.
        network: { inputs: "unit", hiddenSizes: [] },
        optimiser: radam(falling(0.02)),
      };
    case "minatar":
      return { environment: { count: 128 }, network: { layerNorm: true }, optimiser: radam(falling(5e-4)) };
    case "atari":
      return { environment: { count: 128 }, network: { layerNorm: true }, optimiser: radam(2.5e-4) };
  }
}

const radam = (learningRate: LiveNumber) => ({ name: "radam", learningRate, maxGradientNorm: 10 });

const falling = (from: number) => ({ from, to: 0 });

/** The values of the settings as they are now. */
export type PqnValues = CurrentValues<typeof pqnSettings>;

/** The settings that some backups, or rollouts of one step, do not read. */
export function pqnEffects({
  backup,
  horizon,
}: ValuesOf<typeof pqnSettings>): readonly SettingEffect<keyof typeof pqnSettings>[] {
  const isHard = backup === "hard";
  return [
    ["tau", !isHard, "a soft backup"],
    ["epsilon", isHard, "the backup hard"],
    ["lambda", horizon > 1, "a horizon of more than 1"],
  ];
}
