/** Observations normalised by their running mean and deviation, which are part of θ but not learned. */
import { fail } from "../base/errors.js";
import { maximum, minimum, mul, stopGradient, sub } from "../tensor/operations.js";
import { shapeSize } from "../tensor/shape.js";
import { zeros } from "./initialiser.js";
import type { LayerDefinition } from "./layer.js";

/** What a normalised element is clipped to: ±10, as in stable-baselines3's VecNormalize. */
export const INPUT_LIMIT = 10;

/**
 * The body, applied to clip((x − mean) · inverseDeviation, ±10), element by element.
 *
 * `inputs.mean` and `inputs.inverseDeviation` are the first of its parameters. No gradient flows into them: a learner
 * writes them between rollouts (see `PolicyValueLearner`). They start as 0 and `initialScale`.
 *
 * @param initialScale one number, or one for each element in row-major order
 */
export function normalisedInput(
  body: LayerDefinition,
  initialScale: number | Float64Array = 1,
): LayerDefinition {
  return (inputShape) => {
    const size = shapeSize(inputShape);
    if (typeof initialScale !== "number" && initialScale.length !== size) {
      fail("normalisedInput", "the initial scale does not fit the input", {
        expected: `${size} factors`,
        got: String(initialScale.length),
      });
    }
    const layer = body(inputShape);
    const scale =
      typeof initialScale === "number" ? new Float64Array(size).fill(initialScale) : initialScale.slice();
    return {
      outputShape: layer.outputShape,
      parameters: [
        { name: "inputs.mean", shape: inputShape, initialiser: zeros, statistic: "mean" },
        {
          name: "inputs.inverseDeviation",
          shape: inputShape,
          initialiser: () => scale.slice(),
          statistic: "inverseDeviation",
        },
        ...layer.parameters,
      ],
      apply(x, [mean, inverseDeviation, ...own]) {
        const normalised = mul(sub(x, stopGradient(mean)), stopGradient(inverseDeviation));
        return layer.apply(minimum(maximum(normalised, -INPUT_LIMIT), INPUT_LIMIT), own);
      },
    };
  };
}
