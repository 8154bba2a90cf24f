import { fail } from "../../base/errors.js";
import * as logspace from "../../math/logspace.js";
import type { Shape } from "../shape.js";
import { apply, type Primitive, type Tensor } from "../tensor.js";
import { sum } from "./broadcasting.js";
import { exp, mul, sub } from "./elementwise.js";
import { reshape } from "./layout.js";

function requireRows(where: string, x: Shape): void {
  if (x.length === 0) fail(where, "a scalar has no last axis", { expected: "at least one axis" });
}

const logSumExpPrimitive: Primitive<"logSumExp"> = {
  name: "logSumExp",
  shape([x]) {
    requireRows("logSumExp", x);
    return x.slice(0, -1);
  },
  derivative({ inputs: [x], output }, g) {
    const column = [...output.shape, 1];
    return [mul(reshape(g, column), exp(sub(x, reshape(output, column))))];
  },
  kernel(out, [x]) {
    const columns = x.length / out.length;
    for (let row = 0; row < out.length; row++) out[row] = logspace.logSumExp(x, row * columns, columns);
  },
};

const logSoftmaxPrimitive: Primitive<"logSoftmax"> = {
  name: "logSoftmax",
  shape([x]) {
    requireRows("logSoftmax", x);
    return x;
  },
  derivative: ({ output }, g) => [sub(g, mul(exp(output), sum(g, -1, true)))],
  kernel(out, [x], shapes) {
    const columns = shapes.out[shapes.out.length - 1];
    for (let start = 0; start < x.length; start += columns) logspace.logSoftmaxInto(x, out, start, columns);
  },
};

/** log Σ exp over the last axis, without overflow. */
export function logSumExp(x: Tensor): Tensor {
  return apply(logSumExpPrimitive, [x], {});
}

/** x − log Σ exp x over the last axis: log-probabilities from logits. */
export function logSoftmax(x: Tensor): Tensor {
  return apply(logSoftmaxPrimitive, [x], {});
}

export const softmaxPrimitives = { logSumExp: logSumExpPrimitive, logSoftmax: logSoftmaxPrimitive };
