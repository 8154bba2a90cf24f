import type { Random } from "../../src/base/random.js";
import { gradient } from "../../src/tensor/gradient.js";
import * as ops from "../../src/tensor/operations.js";
import { type Shape, shapeSize } from "../../src/tensor/shape.js";
import type { PrimitiveName, Tensor } from "../../src/tensor/tensor.js";

/** A use of a primitive: the inputs to draw, and the tensor that is computed from them. */
export interface Example {
  readonly inputs: readonly { readonly shape: Shape; readonly draw: (random: Random) => number }[];
  readonly build: (inputs: readonly Tensor[]) => Tensor;
  /** The inputs that have a derivative; all by default. */
  readonly smooth?: readonly number[];
}

const any = (random: Random) => random.uniform(-2, 2);
const positive = (random: Random) => random.uniform(0.3, 2);
/** Random numbers away from 0, where |x| and relu are not differentiable. */
const cornerless = (random: Random) => (random.float() < 0.5 ? -1 : 1) * random.uniform(0.2, 2);
const integer = (n: number) => (random: Random) => random.integer(n);

const unary = (build: (x: Tensor) => Tensor, draw = any, shape: Shape = [3, 5]): Example => ({
  inputs: [{ shape, draw }],
  build: ([x]) => build(x),
});

const binary = (build: (a: Tensor, b: Tensor) => Tensor, draw = any): Example[] =>
  [
    [
      [3, 5],
      [3, 5],
    ],
    [[2, 3, 4], [4]],
    [
      [2, 1, 4],
      [3, 1],
    ],
    [[7], []],
  ].map(([a, b]) => ({
    inputs: [
      { shape: a, draw },
      { shape: b, draw },
    ],
    build: ([x, y]) => build(x, y),
  }));

const product = (a: Shape, b: Shape, transposeA: boolean, transposeB: boolean): Example => ({
  inputs: [
    { shape: a, draw: any },
    { shape: b, draw: any },
  ],
  build: ([x, y]) => ops.matmul(x, y, { transposeA, transposeB }),
});

const convolution = (input: Shape, filter: Shape, strideY: number, strideX: number): Example => ({
  inputs: [
    { shape: input, draw: any },
    { shape: filter, draw: any },
  ],
  build: ([x, w]) => ops.conv2d(x, w, { strideY, strideX }),
});

const convolutions = [
  convolution([2, 7, 6, 3], [3, 2, 3, 4], 1, 1),
  convolution([1, 9, 9, 2], [4, 4, 2, 5], 2, 2),
  convolution([2, 8, 11, 1], [3, 3, 1, 17], 3, 2),
];

const normalised = (x: Tensor) => ops.normalise(x, 0.1);

/**
 * d conv/dx and d conv/dw are primitives too; these examples reach them through the gradient of a
 * convolution.
 */
const throughGradient = (which: "conv2dInputGradient" | "conv2dFilterGradient"): Example[] =>
  convolutions.map(({ inputs, build }) => {
    const [input, filter] = inputs;
    const out = build(inputs.map(({ shape }, i) => ops.input(`probe${i}`, shape))).shape;
    const primal = which === "conv2dInputGradient" ? filter : input;
    return {
      inputs: [primal, { shape: out, draw: any }],
      build: ([p, cotangent]) => {
        const hole = ops.constant(
          new Float64Array(shapeSize(which === "conv2dInputGradient" ? input.shape : filter.shape)),
          which === "conv2dInputGradient" ? input.shape : filter.shape,
        );
        const y = which === "conv2dInputGradient" ? build([hole, p]) : build([p, hole]);
        return derivative(ops.sum(ops.mul(y, cotangent)), hole);
      },
    };
  });

function derivative(y: Tensor, x: Tensor): Tensor {
  return gradient(y, [x])[0];
}

/** Examples of every primitive; a primitive without examples does not compile. */
export const examples: { readonly [Name in PrimitiveName]: readonly Example[] } = {
  add: binary(ops.add),
  subtract: binary(ops.sub),
  multiply: binary(ops.mul),
  divide: binary(ops.div, positive),
  maximum: binary(ops.maximum),
  minimum: binary(ops.minimum),
  negate: [unary(ops.neg)],
  absolute: [unary(ops.abs, cornerless)],
  exp: [unary(ops.exp)],
  log: [unary(ops.log, positive)],
  tanh: [unary(ops.tanh), unary(ops.tanh, (random) => random.uniform(-6, 6))],
  relu: [unary(ops.relu, cornerless)],
  squareRoot: [unary(ops.sqrt, positive)],
  greater: binary(ops.greater),
  greaterEqual: binary(ops.greaterEqual),
  equal: binary(ops.equal, integer(3)),
  select: [
    {
      inputs: [
        { shape: [3, 4], draw: integer(2) },
        { shape: [3, 4], draw: any },
        { shape: [4], draw: any },
      ],
      build: ([c, a, b]) => ops.select(c, a, b),
      smooth: [1, 2],
    },
  ],
  reshape: [unary((x) => ops.reshape(x, [5, 3])), unary((x) => ops.reshape(x, [-1]))],
  transpose: [
    unary((x) => ops.transpose(x)),
    unary((x) => ops.transpose(x, [2, 0, 3, 1]), any, [2, 3, 4, 5]),
  ],
  slice: [
    unary((x) => ops.slice(x, [1, 1], [3, 4])),
    unary((x) => ops.slice(x, [1, 0], [3, 5])),
    unary((x) => ops.slice(x, [0, 2, 1], [2, 3, 3]), any, [2, 4, 3]),
  ],
  pad: [unary((x) => ops.pad(x, [1, 0], [0, 2])), unary((x) => ops.pad(x, [2, 3], [1, 1]))],
  concat: [
    {
      inputs: [
        { shape: [2, 3], draw: any },
        { shape: [2, 1], draw: any },
        { shape: [2, 4], draw: any },
      ],
      build: (parts) => ops.concat(parts, 1),
    },
    {
      inputs: [
        { shape: [3], draw: any },
        { shape: [4], draw: any },
      ],
      build: ([a, b]) => ops.concat([a, ops.tanh(b), a, ops.exp(a)]),
    },
  ],
  broadcastTo: [
    unary((x) => ops.broadcastTo(x, [4, 3, 5])),
    unary((x) => ops.broadcastTo(x, [2, 3, 4]), any, [3, 1]),
    unary((x) => ops.broadcastTo(x, [6, 2]), any, []),
  ],
  sum: [
    unary((x) => ops.sum(x)),
    unary((x) => ops.sum(x, 0)),
    unary((x) => ops.sum(x, -1, true)),
    unary((x) => ops.sum(x, [0, 2]), any, [3, 4, 5, 2]),
    unary((x) => ops.mean(x, [1, 3]), any, [3, 4, 5, 2]),
    unary((x) => ops.sum(x, 0), any, [300, 7]),
    unary((x) => ops.sum(x, 1), any, [3, 700]),
  ],
  max: [
    unary((x) => ops.max(x)),
    unary((x) => ops.max(x, 0)),
    unary((x) => ops.max(x, [0, 2]), any, [3, 4, 5]),
  ],
  matmul: [
    product([3, 4], [4, 5], false, false),
    product([4, 3], [4, 5], true, false),
    product([3, 4], [5, 4], false, true),
    product([4, 3], [5, 4], true, true),
    product([1, 1], [1, 1], false, false),
    product([33, 20], [20, 1], false, false),
    product([9, 37], [37, 34], false, false),
  ],
  conv2d: convolutions,
  conv2dInputGradient: throughGradient("conv2dInputGradient"),
  conv2dFilterGradient: throughGradient("conv2dFilterGradient"),
  gather: [
    {
      inputs: [
        { shape: [2, 3, 4], draw: any },
        { shape: [2, 3], draw: integer(4) },
      ],
      build: ([x, index]) => ops.gather(x, index),
      smooth: [0],
    },
  ],
  scatter: [
    {
      inputs: [
        { shape: [5], draw: any },
        { shape: [5], draw: integer(3) },
      ],
      build: ([x, index]) => ops.scatter(x, index, 3),
      smooth: [0],
    },
  ],
  logSumExp: [unary(ops.logSumExp), unary(ops.logSumExp, any, [2, 3, 33])],
  logSoftmax: [unary(ops.logSoftmax), unary(ops.logSoftmax, any, [2, 3, 33])],
  normalise: [unary(normalised), unary(normalised, any, [2, 3, 33]), unary(normalised, any, [4, 1])],
  normaliseGradient: [
    [3, 5],
    [2, 3, 33],
    [4, 1],
  ].map((shape) => ({
    inputs: [
      { shape, draw: any },
      { shape, draw: any },
    ],
    build: ([x, cotangent]) => gradient(ops.sum(ops.mul(normalised(x), ops.stopGradient(cotangent))), [x])[0],
    smooth: [0],
  })),
  stopGradient: [{ ...unary(ops.stopGradient), smooth: [] }],
};

/** Inputs named x0, x1, …, and their values. */
export function drawInputs(example: Example, random: Random): { tensors: Tensor[]; values: Float64Array[] } {
  return {
    tensors: example.inputs.map(({ shape }, i) => ops.input(`x${i}`, shape)),
    values: example.inputs.map(({ shape, draw }) =>
      Float64Array.from({ length: shapeSize(shape) }, () => draw(random)),
    ),
  };
}
