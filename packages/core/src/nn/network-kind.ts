import {
  choiceSetting,
  flagSetting,
  integersSetting,
  requireSettingNames,
  type Settings,
  type ValuesOf,
} from "../base/settings.js";
import { MOST_HIDDEN_LAYERS, minAtarCnn, mlp, natureCnn } from "./body.js";
import { channelsFirstInput, scaledInput } from "./input.js";
import { hyperbolicTangent, type LayerDefinition, rectifier, silu } from "./layer.js";
import { normalisedInput } from "./normalised-input.js";

/** A network that a run can choose by name: the body below an algorithm's heads, and its settings. */
export interface NetworkKind<S extends Settings = Settings> {
  /** The name on the command line and in config.json. */
  readonly name: string;
  /** One line for help and documentation. */
  readonly about: string;
  readonly settings: S;
  /**
   * What it is made for, since a learning rate fits a network: the optimiser's defaults are then those of vectors or of
   * images. Those of the environment if left out.
   */
  readonly reads?: "vectors" | "images";
  /** The layers from an observation to the features that the heads read. */
  body(settings: ValuesOf<S>): LayerDefinition;
}

/** The settings that every network has: how it reads an observation. */
export const inputSettings = {
  inputs: choiceSetting(["unit", "raw", "normalised"], {
    about:
      "how observations are scaled: unit divides bounded elements by their largest absolute value (bytes by 255), raw leaves them, normalised subtracts each element's running mean and divides by its running standard deviation",
    default: "unit",
    source: "pixels: Mnih et al. (2015)",
  }),
  channels: choiceSetting(["last", "first"], {
    about: "the place of the channels in images: last, or first, which are transposed",
    default: "last",
    source: "Gymnasium",
  }),
};

/**
 * The body of a kind below its inputs' scale and layout.
 * @param unitScale the factors that bring an observation to unit scale
 */
export function networkBody<S extends Settings>(
  kind: NetworkKind<S>,
  values: ValuesOf<S>,
  { inputs, channels }: ValuesOf<typeof inputSettings>,
  unitScale: number | Float64Array,
): LayerDefinition {
  const body = kind.body(values);
  const placed = channels === "first" ? channelsFirstInput(body) : body;
  switch (inputs) {
    case "unit":
      return scaledInput(placed, unitScale);
    case "normalised":
      return normalisedInput(placed, unitScale);
    case "raw":
      return placed;
  }
}

/** Defines a network: its settings are typed in {@link NetworkKind.body}. */
export function networkKind<const S extends Settings>(definition: NetworkKind<S>): NetworkKind<S> {
  requireSettingNames("networkKind", definition.settings, Object.keys(inputSettings));
  return definition;
}

const activations: Readonly<Record<"tanh" | "relu" | "silu", LayerDefinition>> = {
  tanh: hyperbolicTangent,
  relu: rectifier,
  silu,
};

/** The settings of every body: what follows each dense layer and convolution. */
function bodySettings(activation: keyof typeof activations, source: string) {
  return {
    activation: choiceSetting(["tanh", "relu", "silu"], {
      about: "the activation after each hidden layer",
      default: activation,
      source,
    }),
    layerNorm: flagSetting({
      about: "apply LayerNorm before each activation",
      default: false,
      source,
    }),
  };
}

/** The networks that softrl ships. */
export const builtInNetworks: readonly NetworkKind[] = [
  networkKind({
    name: "mlp",
    about: "a multi-layer perceptron",
    reads: "vectors",
    settings: {
      hiddenSizes: integersSetting({
        about: "units of each hidden layer, separated by commas; at most 1024 layers",
        low: 1,
        longest: MOST_HIDDEN_LAYERS,
        default: [64, 64],
        source: "stable-baselines3's MlpPolicy",
      }),
      ...bodySettings("tanh", "stable-baselines3's MlpPolicy"),
    },
    body: ({ hiddenSizes, activation, layerNorm }) =>
      mlp(hiddenSizes, { activation: activations[activation], layerNorm }),
  }),
  networkKind({
    name: "nature-cnn",
    about: "the convolutional network of Mnih et al. (2015), for frames of at least 36 × 36",
    reads: "images",
    settings: bodySettings("relu", "Mnih et al. (2015)"),
    body: ({ activation, layerNorm }) => natureCnn({ activation: activations[activation], layerNorm }),
  }),
  networkKind({
    name: "minatar-cnn",
    about: "the convolutional network of Young and Tian (2019), for MinAtar's boards",
    reads: "images",
    settings: bodySettings("relu", "Young and Tian (2019)"),
    body: ({ activation, layerNorm }) => minAtarCnn({ activation: activations[activation], layerNorm }),
  }),
];
