import { apply, type Primitive, type Tensor } from "../tensor.js";

const stopGradientPrimitive: Primitive<"stopGradient"> = {
  name: "stopGradient",
  shape: ([x]) => x,
  derivative: () => [null],
  kernel(out, [x]) {
    out.set(x);
  },
};

/** The value of x, through which no gradient flows. */
export function stopGradient(x: Tensor): Tensor {
  return apply(stopGradientPrimitive, [x], {});
}

export const stopGradientPrimitives = { stopGradient: stopGradientPrimitive };
