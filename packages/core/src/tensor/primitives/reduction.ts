import { apply, type Primitive, type Tensor } from "../tensor.js";
import { broadcastTo, keptShape, reducedShape, reductionAxes, sum, visitReduction } from "./broadcasting.js";
import { div, equal, mul } from "./elementwise.js";
import { reshape } from "./layout.js";

const maxPrimitive: Primitive<"max"> = {
  name: "max",
  shape: ([x], { axes }) => reducedShape("max", x, axes),
  // Elements that are equal to the maximum share the gradient equally.
  derivative({ inputs: [x], output, attributes: { axes } }, g) {
    const kept = keptShape(x, axes);
    const largest = equal(x, reshape(output, kept));
    const ties = sum(largest, axes, true);
    return [mul(largest, broadcastTo(div(reshape(g, kept), ties), x.shape))];
  },
  kernel(out, [x], shapes, { axes }) {
    out.fill(-Infinity);
    visitReduction(shapes.inputs[0], axes, (from, to) => {
      out[to] = Math.max(out[to], x[from]);
    });
  },
};

/** The maximum over `axes` (all by default); NaN if an element is NaN. Equal maxima share the gradient. */
export function max(x: Tensor, axes?: number | readonly number[], keepDims = false): Tensor {
  const resolved = reductionAxes("max", x, axes);
  const largest = resolved.length === 0 ? x : apply(maxPrimitive, [x], { axes: resolved });
  return keepDims ? reshape(largest, keptShape(x, resolved)) : largest;
}

/** The mean over `axes` (all by default). */
export function mean(x: Tensor, axes?: number | readonly number[], keepDims = false): Tensor {
  const total = sum(x, axes, keepDims);
  return mul(total, total.size / x.size);
}

export const reductionPrimitives = { max: maxPrimitive };
