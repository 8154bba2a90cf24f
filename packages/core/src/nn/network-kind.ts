import {
  choiceSetting,
  flagSetting,
  integersSetting,
  type Settings,
  type ValuesOf,
} from "../base/settings.js";
import { type Activation, minAtarCnn, mlp, natureCnn } from "./body.js";
import type { LayerDefinition } from "./layer.js";

/** A network that a run can choose by name: the body below an algorithm's heads, and its settings. */
export interface NetworkKind<S extends Settings = Settings> {
  /** The name on the command line and in config.json. */
  readonly name: string;
  /** One line for help and documentation. */
  readonly about: string;
  readonly settings: S;
  /** The layers from an observation to the features that the heads read. */
  body(settings: ValuesOf<S>): LayerDefinition;
}

/** Defines a network: its settings are typed in {@link NetworkKind.body}. */
export const networkKind = <const S extends Settings>(definition: NetworkKind<S>): NetworkKind<S> => definition;

const activations: readonly Activation[] = ["tanh", "relu", "silu"];

/** The networks that softrl ships. */
export const builtInNetworks: readonly NetworkKind[] = [
  networkKind({
    name: "mlp",
    about: "a multi-layer perceptron",
    settings: {
      hiddenSizes: integersSetting({
        about: "units of each hidden layer, separated by commas",
        low: 1,
        default: [64, 64],
        source: "stable-baselines3's MlpPolicy",
      }),
      activation: choiceSetting(activations, {
        about: "the activation after each hidden layer",
        default: "tanh",
        source: "stable-baselines3's MlpPolicy",
      }),
      layerNorm: flagSetting({
        about: "whether each hidden layer is normalised before its activation",
        default: false,
      }),
    },
    body: ({ hiddenSizes, activation, layerNorm }) => mlp({ sizes: hiddenSizes, activation, layerNorm }),
  }),
  networkKind({
    name: "nature-cnn",
    about: "the convolutional network of Mnih et al. (2015), for frames of bytes",
    settings: {},
    body: () => natureCnn(),
  }),
  networkKind({
    name: "minatar-cnn",
    about: "the convolutional network of Young and Tian (2019), for MinAtar's boards",
    settings: {},
    body: () => minAtarCnn(),
  }),
];
