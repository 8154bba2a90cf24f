import { apply, type Primitive, type Tensor } from "../tensor.js";

const stopGradientPrimitive: Primitive<"stopGradient"> = {
  name: "stopGradient",
  shape: ([x]) => x,
  derivative: () => [null],
  kernel(out, [x]) {
    out.set(x);
  },
};

/** x as a value: no gradient flows through it. */
export function stopGradient(x: Tensor): Tensor {
  return apply(stopGradientPrimitive, [x], {});
}

export const stopGradientPrimitives = { stopGradient: stopGradientPrimitive };
