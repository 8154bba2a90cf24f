import type { Random } from "../../src/base/random.js";
import type { Kernel, MapKernel } from "../../src/tensor/compiled/kernel.js";

export const arenaLength = 6000;

export const map: MapKernel = {
  kind: "map",
  count: 20,
  inputs: [
    { offset: 0, mode: "each" },
    { offset: 30, mode: "scalar" },
  ],
  constants: [0.5],
  steps: [
    { operation: "add", operands: [0, 1], target: 3 },
    { operation: "multiply", operands: [3, 2], target: 0 },
  ],
  outputs: [{ register: 0, offset: 40 }],
};

export const epilogue: MapKernel = {
  kind: "map",
  count: 12,
  inputs: [{ offset: 60, mode: "each" }],
  constants: [],
  steps: [{ operation: "relu", operands: [0], target: 1 }],
  outputs: [{ register: 1, offset: 60 }],
};

export const sizes = {
  batch: 2,
  height: 5,
  width: 4,
  channels: 3,
  filterHeight: 2,
  filterWidth: 3,
  filters: 2,
  strideY: 2,
  strideX: 1,
};

/** One kernel of every kind, followed by kernels that use other code paths. */
export const valid: readonly Kernel[] = [
  map,
  { kind: "reduce", operation: "sum", dims: [3, 4, 2], reduced: [false, true, false], x: 5, out: 40 },
  { kind: "copy", dims: [3, 4], x: 0, xStrides: [1, 3], out: 20, outStrides: [4, 1] },
  { kind: "fill", count: 7, value: 1, out: 3 },
  {
    kind: "matmul",
    m: 3,
    k: 5,
    n: 4,
    transposeA: false,
    transposeB: true,
    a: 0,
    b: 15,
    bias: 40,
    out: 60,
    scratch: 80,
    epilogue,
  },
  { ...sizes, kind: "conv2d", input: 0, filter: 130, bias: 170, out: 200, scratch: 300, epilogue: null },
  {
    ...sizes,
    kind: "conv2dInputGradient",
    cotangent: 0,
    filter: 50,
    out: 100,
    scratch: 300,
    epilogue: {
      ...epilogue,
      count: 120,
      inputs: [{ offset: 100, mode: "each" }],
      outputs: [{ register: 1, offset: 100 }],
    },
  },
  { ...sizes, kind: "conv2dFilterGradient", input: 0, cotangent: 130, out: 200, scratch: 300 },
  { kind: "gather", rows: 4, columns: 3, x: 0, index: 12, out: 20 },
  { kind: "scatter", rows: 4, columns: 3, x: 0, index: 12, out: 20 },
  { kind: "logSumExp", rows: 4, columns: 3, x: 0, out: 12 },
  { kind: "logSoftmax", rows: 4, columns: 3, x: 0, out: 0 },
  { kind: "normalise", rows: 4, columns: 3, epsilon: 1e-6, x: 0, out: 12 },
  { kind: "normaliseGradient", rows: 4, columns: 3, epsilon: 1e-6, x: 0, cotangent: 12, out: 24 },
  {
    ...map,
    steps: [
      { operation: "multiply", operands: [0, 1], target: 3 },
      { operation: "add", operands: [2, 3], target: 4 },
      { operation: "squareRoot", operands: [4], target: 5 },
      { operation: "add", operands: [5, 4], target: 0 },
    ],
  },
  { kind: "reduce", operation: "sumOfSquares", dims: [40], reduced: [true], x: 5, out: 50 },
  {
    ...sizes,
    batch: 9,
    kind: "conv2dInputGradient",
    cotangent: 0,
    filter: 80,
    out: 120,
    scratch: 700,
    epilogue: null,
  },
];

const wrongNumbers = [
  -1,
  0,
  1,
  2,
  3,
  7,
  100,
  arenaLength,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 40,
  -5,
  0.5,
  NaN,
  Infinity,
];

/** The kernel with one or two of its numbers replaced, at any depth. */
export function corrupted(kernel: Kernel, random: Random): Kernel {
  const copy: Kernel = structuredClone(kernel);
  const places: (() => void)[] = [];
  const visit = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    for (const [key, inner] of Object.entries(value)) {
      if (typeof inner === "number") {
        const near = inner + random.integer(7) - 3;
        const wrong = random.float() < 0.5 ? near : wrongNumbers[random.integer(wrongNumbers.length)];
        places.push(() => Reflect.set(value, key, wrong));
      } else if (Array.isArray(inner) && random.float() < 0.1) {
        places.push(() => inner.pop());
      }
      visit(inner);
    }
  };
  visit(copy);
  for (let i = 0; i < 1 + random.integer(2); i++) places[random.integer(places.length)]();
  return copy;
}
