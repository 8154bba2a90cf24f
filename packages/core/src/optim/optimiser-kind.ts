import type { LiveSettings } from "../base/live-settings.js";
import {
  type CurrentValues,
  choiceSetting,
  flagSetting,
  integerSetting,
  liveSetting,
  numberSetting,
  requireSettingNames,
  type Settings,
  type ValuesOf,
} from "../base/settings.js";
import { adam } from "./adam.js";
import type { Optimiser } from "./optimiser.js";
import { radam } from "./radam.js";
import { rmsprop } from "./rmsprop.js";
import { sgd } from "./sgd.js";

/** An optimiser that a run can choose by name, and the settings that it adds to {@link stepSettings}. */
export interface OptimiserKind<S extends Settings = Settings> {
  /** The name on the command line and in config.json. */
  readonly name: string;
  /** One line for help and documentation. */
  readonly about: string;
  readonly settings: S;
  make(settings: ValuesOf<S>): Optimiser;
}

/** Defines an optimiser: its settings are typed in {@link OptimiserKind.make}. */
export function optimiserKind<const S extends Settings>(definition: OptimiserKind<S>): OptimiserKind<S> {
  requireSettingNames("optimiserKind", definition.settings);
  return definition;
}

/** The settings that every optimiser has. */
export const stepSettings = {
  learningRate: liveSetting({
    about: "the step size: one number for the whole run, or 0.002:0 for a linear fall to zero",
    low: 0,
    defaults: { vector: { from: 2e-3, to: 0 }, atari: { from: 7e-4, to: 0 } },
    source: "Atari: the A2C that the paper used (§6.1); vectors: measured on CartPole",
  }),
  maxGradientNorm: liveSetting({
    about: "clip the gradient to this global norm, after all other scaling",
    above: 0,
    default: 0.5,
    source: "the A2C that the paper used (§6.1)",
  }),
};

/** The optimisers that softrl ships. */
export const builtInOptimisers: readonly OptimiserKind[] = [
  optimiserKind({
    name: "rmsprop",
    about: "divides the gradient by a running root mean square (Tieleman and Hinton 2012)",
    settings: {
      decay: numberSetting({
        about: "RMSProp's α, the share of the mean square that an update keeps",
        option: "rmsprop-decay",
        low: 0,
        below: 1,
        default: 0.99,
        source: "the A2C that the paper used (§6.1)",
      }),
      epsilon: numberSetting({
        about: "RMSProp's ε",
        option: "rmsprop-epsilon",
        above: 0,
        default: 1e-5,
        source: "the A2C that the paper used (§6.1)",
      }),
      epsilonPlace: choiceSetting(["inside", "outside"], {
        about: "where RMSProp adds ε: inside the square root, as in TensorFlow, or outside, as in PyTorch",
        option: "rmsprop-epsilon-place",
        default: "inside",
        source: "the A2C that the paper used (§6.1)",
      }),
      initialMeanSquare: integerSetting({
        about: "the mean square before the first update: 0, or TensorFlow's 1",
        option: "rmsprop-initial-mean-square",
        low: 0,
        high: 1,
        default: 0,
        source: "PyTorch",
      }),
      centred: flagSetting({
        about:
          "divide by the gradient's running standard deviation, not by its root mean square (Graves 2013)",
        option: "rmsprop-centred",
        default: false,
        source: "the A2C that the paper used (§6.1)",
      }),
    },
    make: ({ initialMeanSquare, ...options }) =>
      rmsprop({ ...options, initialMeanSquare: initialMeanSquare === 1 ? 1 : 0 }),
  }),
  optimiserKind({
    name: "adam",
    about: "adaptive moments (Kingma and Ba 2015)",
    settings: adamSettings("adam"),
    make: adam,
  }),
  optimiserKind({
    name: "radam",
    about: "Adam with a rectified variance (Liu et al. 2020)",
    settings: adamSettings("radam"),
    make: radam,
  }),
  optimiserKind({
    name: "sgd",
    about: "gradient descent with optional momentum",
    settings: {
      momentum: numberSetting({
        about: "the share of the last step that the next one keeps",
        option: "sgd-momentum",
        low: 0,
        below: 1,
        default: 0,
      }),
    },
    make: sgd,
  }),
];

function adamSettings(name: string) {
  const source = "the published algorithm";
  return {
    beta1: numberSetting({
      about: "β₁, the share of the first moment that an update keeps",
      option: `${name}-beta1`,
      low: 0,
      below: 1,
      default: 0.9,
      source,
    }),
    beta2: numberSetting({
      about: "β₂, the share of the second moment that an update keeps",
      option: `${name}-beta2`,
      low: 0,
      below: 1,
      default: 0.999,
      source,
    }),
    epsilon: numberSetting({
      about: "ε, added to the root of the second moment",
      option: `${name}-epsilon`,
      above: 0,
      default: 1e-8,
      source,
    }),
  };
}

/** An optimiser with the numbers of its next step. */
export interface StepRule extends CurrentValues<typeof stepSettings> {
  readonly optimiser: Optimiser;
  /** x · lr / lr₀: a number that falls as the learning rate does from the first of its schedule. */
  fallingWithLearningRate(x: number): number;
}

/** The step rule of a run, from its settings. */
export function stepRule(
  optimiser: Optimiser,
  values: ValuesOf<typeof stepSettings>,
  live: LiveSettings,
): StepRule {
  const current = live.add(stepSettings, values);
  return {
    optimiser,
    get learningRate() {
      return current.learningRate;
    },
    get maxGradientNorm() {
      return current.maxGradientNorm;
    },
    fallingWithLearningRate: (x) => live.fallingWith("learningRate", x),
  };
}
