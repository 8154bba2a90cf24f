import type { SettingValue } from "../base/settings.js";

/** Published settings of DQN: the name of an optimiser, and settings by section, as `train` and `createTrainer` take them. */
export interface DqnPreset {
  /** Where they are published. */
  readonly source: string;
  readonly optimiser: string;
  readonly settings: {
    readonly environment: Readonly<Record<string, SettingValue>>;
    readonly optimiser: Readonly<Record<string, SettingValue>>;
    readonly algorithm: Readonly<Record<string, SettingValue>>;
  };
}

const unclipped = 1e6;
const adam = (learningRate: number, epsilon: number) => ({
  learningRate,
  epsilon,
  maxGradientNorm: unclipped,
});
const centredRmsprop = { learningRate: 2.5e-4, decay: 0.95, centred: true, maxGradientNorm: unclipped };
const frames = { replayFrames: "stacked", replayCapacity: 1_000_000, batchSize: 32, trainEvery: 4 };

/**
 * Sources that disagree, by name. dqn's defaults are `young-tian` on MinAtar, and `dopamine-nature` with four environments
 * on Atari. `targetEvery` counts updates where some sources count steps.
 *
 * ```ts
 * const { optimiser, settings } = dqnPresets["munchausen-atari"];
 * await train({ algorithm: dqn, environment, executor, optimiser, settings });
 * ```
 */
export const dqnPresets = {
  "young-tian": {
    source: "Young and Tian (2019), dqn.py, for MinAtar",
    optimiser: "rmsprop",
    settings: {
      environment: { count: 1 },
      optimiser: { ...centredRmsprop, epsilon: 0.01, epsilonPlace: "outside" },
      algorithm: {
        loss: "huber",
        batchSize: 32,
        trainEvery: 1,
        replayFrames: "whole",
        replayCapacity: 100_000,
        replayStart: 5000,
        targetEvery: 1000,
        epsilon: 0.1,
        explorationSteps: 100_000,
      },
    },
  },
  "revisiting-rainbow": {
    source: "Obando-Ceron and Castro (2021), for MinAtar; Asterix with Huber's loss",
    optimiser: "adam",
    settings: {
      environment: { count: 1 },
      optimiser: adam(2.5e-4, 3.125e-4),
      algorithm: {
        loss: "squared",
        batchSize: 32,
        trainEvery: 4,
        replayFrames: "whole",
        replayCapacity: 100_000,
        replayStart: 1000,
        targetEvery: 250,
        epsilon: 0.01,
        explorationSteps: 250_000,
      },
    },
  },
  "dopamine-nature": {
    source: "Dopamine's dqn_nature, for Atari",
    optimiser: "rmsprop",
    settings: {
      environment: { count: 1 },
      optimiser: { ...centredRmsprop, epsilon: 1e-5, epsilonPlace: "inside", initialMeanSquare: 1 },
      algorithm: {
        ...frames,
        loss: "huber",
        replayStart: 50_000,
        targetEvery: 2500,
        epsilon: 0.1,
        explorationSteps: 1_000_000,
      },
    },
  },
  "cleanrl-atari": {
    source: "CleanRL's dqn_atari.py",
    optimiser: "adam",
    settings: {
      environment: { count: 1 },
      optimiser: adam(1e-4, 1e-8),
      algorithm: {
        ...frames,
        loss: "squared",
        replayStart: 80_000,
        targetEvery: 250,
        epsilon: 0.01,
        // ε falls from the first step on there, to 0.01 at 1M steps; here it is 1 up to replayStart.
        explorationSteps: 920_000,
      },
    },
  },
  "munchausen-atari": {
    source: "Vieillard et al. (2020), for Atari",
    optimiser: "adam",
    settings: {
      environment: { count: 1, atariProtocol: "sticky" },
      optimiser: adam(5e-5, 3.125e-4),
      algorithm: {
        ...frames,
        backup: "munchausen",
        tau: 0.03,
        munchausenWeight: 0.9,
        munchausenFloor: -1,
        loss: "huber",
        replayStart: 20_000,
        targetEvery: 2000,
        epsilon: 0.01,
        explorationSteps: 250_000,
      },
    },
  },
} as const satisfies Readonly<Record<string, DqnPreset>>;
