import { fail, requireNumber } from "../base/errors.js";
import { add, mul, normalise } from "../tensor/operations.js";
import { ones, zeros } from "./initialiser.js";
import type { LayerDefinition } from "./layer.js";

export interface LayerNormOptions {
  /** ε, added to the variance: 1e-6 by default, as in flax. */
  readonly epsilon?: number;
}

/**
 * Layer normalisation (Ba et al. 2016) over the last axis: scale · (x − μ) / √(σ² + ε) + bias.
 *
 * μ and σ² are the mean and the (biased) variance of one vector [F], so the layer does the same in every batch. The
 * learned scale [F] starts at one, the bias [F] at zero. The last axis of a convolution's output is its channels: each
 * position is normalised separately, as by the default of flax.linen.LayerNorm, which PQN uses (Gallici et al. 2024).
 * Normalise after `flatten` to use the whole image.
 *
 * @throws SoftrlError if the input is a scalar.
 */
export function layerNorm({ epsilon = 1e-6 }: LayerNormOptions = {}): LayerDefinition {
  requireNumber("layerNorm", "epsilon", epsilon, 0, Number.MAX_VALUE);
  return (inputShape) => {
    const features = inputShape.at(-1);
    if (features === undefined) {
      return fail("layerNorm", "the input is a scalar", { expected: "[..., features]", got: "[]" });
    }
    return {
      outputShape: inputShape,
      parameters: [
        { name: "scale", shape: [features], initialiser: ones },
        { name: "bias", shape: [features], initialiser: zeros },
      ],
      apply: (x, [scale, bias]) => add(mul(normalise(x, epsilon), scale), bias),
    };
  };
}
