import { fail } from "../../base/errors.js";
import * as logspace from "../../math/logspace.js";
import { broadcastShapes, formatShape, sameShape } from "../shape.js";
import {
  type Application,
  apply,
  type ElementwiseOperation,
  type Operand,
  type Primitive,
  type Tensor,
  toTensor,
} from "../tensor.js";
import { broadcastTo } from "./broadcasting.js";

type Derivative<Name extends ElementwiseOperation> = (
  application: Application<Name>,
  cotangent: Tensor,
) => readonly (Tensor | null)[];

/**
 * A primitive of equal shapes that computes each element from the elements of its inputs at the same
 * position.
 */
function elementwise<Name extends ElementwiseOperation>(
  name: Name,
  element: (...values: number[]) => number,
  derivative: Derivative<Name>,
): Primitive<Name> {
  return {
    name,
    shape(inputs) {
      const [first] = inputs;
      if (!inputs.every((shape) => sameShape(shape, first))) {
        fail(name, "the shapes differ", {
          expected: "equal shapes",
          got: inputs.map(formatShape).join(", "),
        });
      }
      return first;
    },
    derivative,
    kernel(out, inputs) {
      const [a, b, c] = inputs;
      for (let i = 0; i < out.length; i++) {
        out[i] =
          inputs.length === 1
            ? element(a[i])
            : inputs.length === 2
              ? element(a[i], b[i])
              : element(a[i], b[i], c[i]);
      }
    },
  };
}

const add_ = elementwise(
  "add",
  (a, b) => a + b,
  (_, g) => [g, g],
);
const subtract_ = elementwise(
  "subtract",
  (a, b) => a - b,
  (_, g) => [g, neg(g)],
);
const multiply_ = elementwise(
  "multiply",
  (a, b) => a * b,
  ({ inputs: [a, b] }, g) => [mul(g, b), mul(g, a)],
);
const divide_ = elementwise(
  "divide",
  (a, b) => a / b,
  ({ inputs: [, b], output }, g) => [div(g, b), neg(div(mul(g, output), b))],
);
// If both are equal, the first operand gets the whole gradient.
const maximum_ = elementwise(
  "maximum",
  (a, b) => Math.max(a, b),
  ({ inputs: [a, b] }, g) => [select(greaterEqual(a, b), g, 0), select(greaterEqual(a, b), 0, g)],
);
const minimum_ = elementwise(
  "minimum",
  (a, b) => Math.min(a, b),
  ({ inputs: [a, b] }, g) => [select(greaterEqual(b, a), g, 0), select(greaterEqual(b, a), 0, g)],
);
const negate_ = elementwise(
  "negate",
  (a) => -a,
  (_, g) => [neg(g)],
);
// At 0 the derivative from the right.
const absolute_ = elementwise(
  "absolute",
  (a) => Math.abs(a),
  ({ inputs: [a] }, g) => [select(greaterEqual(a, 0), g, neg(g))],
);
const exp_ = elementwise(
  "exp",
  (a) => logspace.exp(a),
  ({ output }, g) => [mul(g, output)],
);
const log_ = elementwise(
  "log",
  (a) => logspace.log(a),
  ({ inputs: [a] }, g) => [div(g, a)],
);
const tanh_ = elementwise(
  "tanh",
  (a) => Math.tanh(a),
  ({ output }, g) => [mul(g, sub(1, mul(output, output)))],
);
// The rule uses the output, so the pre-activation need not be kept.
const relu_ = elementwise(
  "relu",
  (a) => Math.max(a, 0),
  ({ output }, g) => [select(greater(output, 0), g, 0)],
);
const squareRoot_ = elementwise(
  "squareRoot",
  (a) => Math.sqrt(a),
  ({ output }, g) => [div(mul(g, 0.5), output)],
);
const greater_ = elementwise(
  "greater",
  (a, b) => (a > b ? 1 : 0),
  () => [null, null],
);
const greaterEqual_ = elementwise(
  "greaterEqual",
  (a, b) => (a >= b ? 1 : 0),
  () => [null, null],
);
const equal_ = elementwise(
  "equal",
  (a, b) => (a === b ? 1 : 0),
  () => [null, null],
);
const select_ = elementwise(
  "select",
  (condition, a, b) => (condition !== 0 ? a : b),
  ({ inputs: [condition] }, g) => [null, select(condition, g, 0), select(condition, 0, g)],
);

function unary<Name extends ElementwiseOperation>(primitive: Primitive<Name>, a: Tensor): Tensor {
  return apply(primitive, [a], {});
}

function binary<Name extends ElementwiseOperation>(
  primitive: Primitive<Name>,
  a: Operand,
  b: Operand,
): Tensor {
  const x = toTensor(a);
  const y = toTensor(b);
  const shape = broadcastShapes(primitive.name, x.shape, y.shape);
  return apply(primitive, [broadcastTo(x, shape), broadcastTo(y, shape)], {});
}

/** a + b, broadcast as in NumPy; all binary operations here broadcast. */
export const add = (a: Operand, b: Operand): Tensor => binary(add_, a, b);
/** a − b */
export const sub = (a: Operand, b: Operand): Tensor => binary(subtract_, a, b);
/** a · b, elementwise */
export const mul = (a: Operand, b: Operand): Tensor => binary(multiply_, a, b);
/** a / b */
export const div = (a: Operand, b: Operand): Tensor => binary(divide_, a, b);
/** max(a, b); NaN if either is NaN. If they are equal, the gradient goes to a. */
export const maximum = (a: Operand, b: Operand): Tensor => binary(maximum_, a, b);
/** min(a, b); NaN if either is NaN. If they are equal, the gradient goes to a. */
export const minimum = (a: Operand, b: Operand): Tensor => binary(minimum_, a, b);
/** −a */
export const neg = (a: Tensor): Tensor => unary(negate_, a);
/** |a|. The derivative at 0 and at −0 is 1, the one from the right, as in JAX; PyTorch has 0 there. */
export const abs = (a: Tensor): Tensor => unary(absolute_, a);
/** eᵃ */
export const exp = (a: Tensor): Tensor => unary(exp_, a);
/** ln a */
export const log = (a: Tensor): Tensor => unary(log_, a);
/** tanh a */
export const tanh = (a: Tensor): Tensor => unary(tanh_, a);
/** max(a, 0) */
export const relu = (a: Tensor): Tensor => unary(relu_, a);
/** √a */
export const sqrt = (a: Tensor): Tensor => unary(squareRoot_, a);
/** a² */
export const square = (a: Tensor): Tensor => mul(a, a);
/** 1 where a > b, else 0 (comparisons with NaN give 0); no gradient. */
export const greater = (a: Operand, b: Operand): Tensor => binary(greater_, a, b);
/** 1 where a ≥ b, else 0; no gradient. */
export const greaterEqual = (a: Operand, b: Operand): Tensor => binary(greaterEqual_, a, b);
/** 1 where a = b, else 0; no gradient. */
export const equal = (a: Operand, b: Operand): Tensor => binary(equal_, a, b);

/** a where condition ≠ 0, else b; all three broadcast. */
export function select(condition: Tensor, a: Operand, b: Operand): Tensor {
  const x = toTensor(a);
  const y = toTensor(b);
  const shape = broadcastShapes("select", condition.shape, broadcastShapes("select", x.shape, y.shape));
  return apply(select_, [broadcastTo(condition, shape), broadcastTo(x, shape), broadcastTo(y, shape)], {});
}

export const elementwisePrimitives = {
  add: add_,
  subtract: subtract_,
  multiply: multiply_,
  divide: divide_,
  maximum: maximum_,
  minimum: minimum_,
  negate: negate_,
  absolute: absolute_,
  exp: exp_,
  log: log_,
  tanh: tanh_,
  relu: relu_,
  squareRoot: squareRoot_,
  greater: greater_,
  greaterEqual: greaterEqual_,
  equal: equal_,
  select: select_,
};
