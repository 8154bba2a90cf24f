import { fail } from "../base/errors.js";
import { formatShape, type Shape } from "../tensor/shape.js";
import type { Initialiser } from "./initialiser.js";
import {
  convolution,
  dense,
  flatten,
  hyperbolicTangent,
  type LayerDefinition,
  rectifier,
  sequential,
} from "./layer.js";
import { layerNorm as normalisation } from "./layer-norm.js";

/** A training step of so many layers compiles in about ten seconds; far fewer are of use. */
export const MOST_HIDDEN_LAYERS = 1024;

/** Choices that every body offers. */
export interface BodyOptions {
  /** Follows each dense layer and convolution: tanh by default in `mlp`, ReLU in the convolutional networks. */
  readonly activation?: LayerDefinition;
  /** Whether a `layerNorm` stands before each activation; false by default. */
  readonly layerNorm?: boolean;
}

export interface MlpOptions extends BodyOptions {
  /** Draws the weights of the dense layers: orthogonal with gain √2 by default. */
  readonly initialiser?: Initialiser;
}

/**
 * A multi-layer perceptron: for each size a dense layer, layer normalisation if chosen, and the activation.
 *
 * @param sizes units of each hidden layer, at most {@link MOST_HIDDEN_LAYERS}; an empty list leaves the flattened input
 * @throws SoftrlError for more layers, or a size that is not an integer of at least 1.
 */
export function mlp(
  sizes: readonly number[],
  { activation = hyperbolicTangent, layerNorm = false, initialiser }: MlpOptions = {},
): LayerDefinition {
  if (sizes.length > MOST_HIDDEN_LAYERS) {
    fail("mlp", "there are too many hidden layers", {
      expected: `at most ${MOST_HIDDEN_LAYERS}`,
      got: String(sizes.length),
    });
  }
  const activate = activations(activation, layerNorm);
  return sequential(flatten, ...sizes.flatMap((units) => [dense(units, initialiser), ...activate]));
}

/**
 * The network of Mnih et al. (2015) for [84, 84, 4] frames: convolutions 32 of 8 × 8 by 4, 64 of 4 × 4 by 2 and 64 of
 * 3 × 3 by 1, then 512 units; ReLU after each by default. Pixels in [0, 1]: `scaledInput(natureCnn(), 1 / 255)` takes
 * bytes.
 *
 * @throws SoftrlError if a frame is smaller than 36 × 36.
 */
export function natureCnn({ activation = rectifier, layerNorm = false }: BodyOptions = {}): LayerDefinition {
  const activate = activations(activation, layerNorm);
  const network = sequential(
    convolution(32, 8, 4),
    ...activate,
    convolution(64, 4, 2),
    ...activate,
    convolution(64, 3, 1),
    ...activate,
    flatten,
    dense(512),
    ...activate,
  );
  return (inputShape) => {
    const [height, width] = inputShape;
    requireChannelsLast("natureCnn", inputShape);
    if (inputShape.length === 3 && (height < 36 || width < 36)) {
      fail("natureCnn", "the frames are too small", {
        expected: "[height, width, channels] of at least 36 × 36",
        got: formatShape(inputShape),
        remedy: "use another network",
      });
    }
    return network(inputShape);
  };
}

/**
 * The network of Young and Tian (2019) for MinAtar's [10, 10, channels] of zeros and ones: 16 convolutions of 3 × 3
 * by 1, then 128 units; ReLU after each by default.
 */
export function minAtarCnn({ activation = rectifier, layerNorm = false }: BodyOptions = {}): LayerDefinition {
  const activate = activations(activation, layerNorm);
  const network = sequential(convolution(16, 3, 1), ...activate, flatten, dense(128), ...activate);
  return (inputShape) => {
    requireChannelsLast("minAtarCnn", inputShape);
    return network(inputShape);
  };
}

/** @throws SoftrlError for what must be [channels, height, width]: at most four rows of many-channelled pixels. */
function requireChannelsLast(where: string, inputShape: Shape): void {
  const [first, second, third] = inputShape;
  if (inputShape.length !== 3 || first > 4 || second < 8 || third < 8) return;
  fail(where, "the frames are channels-first", {
    expected: "[height, width, channels]",
    got: formatShape(inputShape),
    remedy: "transpose them: --channels first, or channelsFirstInput(body)",
  });
}

/** The layers that follow each dense layer and convolution. */
function activations(activation: LayerDefinition, layerNorm: boolean): LayerDefinition[] {
  return layerNorm ? [normalisation(), activation] : [activation];
}
