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

/** A multi-layer perceptron: dense and tanh for each hidden size. */
export function mlp(hiddenSizes: readonly number[], initialiser?: Initialiser): LayerDefinition {
  return sequential(
    flatten,
    ...hiddenSizes.flatMap((units) => [dense(units, initialiser), hyperbolicTangent]),
  );
}

/**
 * The network of Mnih et al. (2015) for [84, 84, 4] frames of bytes: pixels / 255, convolutions 32 of 8 × 8 by 4,
 * 64 of 4 × 4 by 2 and 64 of 3 × 3 by 1, then 512 units; ReLU after each. Smaller frames work too, from 36 × 36 on.
 */
export function natureCnn(): LayerDefinition {
  return sequential(
    convolution(32, 8, 4, { inputScale: 1 / 255 }),
    rectifier,
    convolution(64, 4, 2),
    rectifier,
    convolution(64, 3, 1),
    rectifier,
    flatten,
    dense(512),
    rectifier,
  );
}

/**
 * The network of Young and Tian (2019) for MinAtar's [10, 10, channels] of zeros and ones: 16 convolutions of 3 × 3
 * by 1, then 128 units; ReLU after each.
 */
export function minAtarCnn(): LayerDefinition {
  return sequential(convolution(16, 3, 1), rectifier, flatten, dense(128), rectifier);
}
