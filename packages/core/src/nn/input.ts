/** What stands between an observation and a body: its scale and its layout. Neither has parameters. */
import { fail } from "../base/errors.js";
import { constant, mul, transpose } from "../tensor/operations.js";
import { formatShape, shapeSize } from "../tensor/shape.js";
import type { Tensor } from "../tensor/tensor.js";
import type { LayerDefinition } from "./layer.js";

/**
 * The body, applied to observations multiplied by `factor`: one number, or one for each element in row-major order.
 * The parameters are the body's own.
 */
export function scaledInput(body: LayerDefinition, factor: number | Float64Array): LayerDefinition {
  if (factor === 1) return body;
  return (inputShape) => {
    const layer = body(inputShape);
    if (typeof factor !== "number" && factor.length !== shapeSize(inputShape)) {
      fail("scaledInput", "the factors do not fit the input", {
        expected: `${shapeSize(inputShape)} factors`,
        got: String(factor.length),
      });
    }
    return {
      outputShape: layer.outputShape,
      parameters: layer.parameters,
      apply(x, parameters) {
        if (typeof factor !== "number") return layer.apply(mul(x, constant(factor, inputShape)), parameters);
        return layer.applyScaled?.(x, parameters, factor) ?? layer.apply(mul(x, factor), parameters);
      },
    };
  };
}

/** The body, applied to [height, width, channels] of observations that are [channels, height, width]. */
export function channelsFirstInput(body: LayerDefinition): LayerDefinition {
  return (inputShape) => {
    const [channels, height, width] = inputShape;
    if (inputShape.length !== 3) {
      fail("channelsFirstInput", "the observations are not images", {
        expected: "[channels, height, width]",
        got: formatShape(inputShape),
        remedy: "leave channels at last",
      });
    }
    if (width <= 4 && channels >= 8 && height >= 8) {
      fail("channelsFirstInput", "the frames are channels-last", {
        expected: "[channels, height, width]",
        got: formatShape(inputShape),
        remedy: "leave channels at last",
      });
    }
    const layer = body([height, width, channels]);
    const transposed = (x: Tensor) => transpose(x, [0, 2, 3, 1]);
    const { applyScaled } = layer;
    return {
      outputShape: layer.outputShape,
      parameters: layer.parameters,
      apply: (x, parameters) => layer.apply(transposed(x), parameters),
      ...(applyScaled === undefined
        ? {}
        : {
            applyScaled: (x, parameters, factor) =>
              applyScaled.call(layer, transposed(x), parameters, factor),
          }),
    };
  };
}
