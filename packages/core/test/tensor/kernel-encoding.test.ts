import { describe, expect, it } from "vitest";
import { SoftrlError } from "../../src/base/errors.js";
import { RandomStreams } from "../../src/base/random.js";
import type { Kernel, MapKernel } from "../../src/tensor/compiled/kernel.js";
import { encodeKernels } from "../../src/tensor/compiled/kernel-encoding.js";
import { kernelMachines } from "./kernel-machines.js";

const arenaLength = 6000;

const map: MapKernel = {
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

const epilogue: MapKernel = {
  kind: "map",
  count: 12,
  inputs: [{ offset: 60, mode: "each" }],
  constants: [],
  steps: [{ operation: "relu", operands: [0], target: 1 }],
  outputs: [{ register: 1, offset: 60 }],
};

const sizes = {
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

const valid: readonly Kernel[] = [
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
];

describe("encodeKernels", () => {
  it("writes opcode, length and fields of each kernel", () => {
    const words = encodeKernels(valid, arenaLength);
    let at = 0;
    const opcodes: number[] = [];
    while (at < words.length) {
      opcodes.push(words[at]);
      at += words[at + 1];
    }
    expect(at).toBe(words.length);
    expect(opcodes).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  });

  const matmul = { ...valid[4], kind: "matmul" } as Extract<Kernel, { kind: "matmul" }>;

  it.each<[string, Kernel]>([
    ["reaches outside", { ...map, outputs: [{ register: 0, offset: arenaLength - 19 }] }],
    ["overlaps", { ...map, outputs: [{ register: 0, offset: 1 }] }],
    ["overwrites a scalar", { ...map, steps: [{ operation: "negate", operands: [0], target: 1 }] }],
    ["has no value", { ...map, outputs: [{ register: 9, offset: 40 }] }],
    ["target", { ...map, steps: [{ operation: "negate", operands: [0], target: 24 }] }],
    ["so many operands", { ...map, steps: [{ operation: "add", operands: [0], target: 3 }] }],
    ["count", { ...map, count: 0 }],
    ["count", { ...map, count: Number.NaN }],
    ["m is out of range", { ...matmul, m: 1.5 }],
    ["a reaches outside", { ...matmul, m: 2 ** 31 - 1, k: 2 ** 31 - 1 }],
    ["scratch reaches outside", { ...matmul, scratch: arenaLength - 100 }],
    ["out overlaps a", { ...matmul, out: 14, epilogue: null }],
    ["out overlaps scratch", { ...matmul, scratch: 65 }],
    ["count must be that of out", { ...matmul, epilogue: { ...epilogue, count: 11 } }],
    ["overlaps a", { ...matmul, epilogue: { ...epilogue, outputs: [{ register: 1, offset: 0 }] } }],
    ["overlaps out", { ...matmul, epilogue: { ...epilogue, inputs: [{ offset: 61, mode: "scalar" }] } }],
    [
      "filter is larger",
      { ...sizes, height: 1, kind: "conv2dFilterGradient", input: 0, cotangent: 130, out: 200, scratch: 300 },
    ],
    ["too few or too many axes", { kind: "reduce", operation: "sum", dims: [], reduced: [], x: 0, out: 9 }],
    [
      "xStrides must name every axis",
      { kind: "copy", dims: [3, 4], x: 0, xStrides: [1], out: 20, outStrides: [4, 1] },
    ],
    ["x reaches outside", { kind: "copy", dims: [3], x: 1, xStrides: [-1], out: 20, outStrides: [1] }],
  ])("refuses: %s", (message, kernel) => {
    expect(() => encodeKernels([kernel], arenaLength)).toThrow(SoftrlError);
    expect(() => encodeKernels([kernel], arenaLength)).toThrow(message);
  });
});

describe.each(await kernelMachines())("corrupt kernels on $name", (machine) => {
  const random = new RandomStreams(14).stream("corrupt");

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

  /** The kernel with one or two of its numbers, anywhere inside, replaced. */
  function corrupted(kernel: Kernel): Kernel {
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

  it("are refused, or stay inside the arena", () => {
    let refused = 0;
    let ran = 0;
    for (let trial = 0; trial < 6000; trial++) {
      const kernel = corrupted(valid[trial % valid.length]);
      let words: Int32Array;
      try {
        words = encodeKernels([kernel], arenaLength);
      } catch (error) {
        expect(error).toBeInstanceOf(SoftrlError);
        refused++;
        continue;
      }
      if (trial % 4 !== 0) continue;
      // The code lies before the arena, and the rest of the last page behind it.
      const { arena, run } = machine.instantiate(arenaLength, [[kernel]]);
      const behind = new Uint8Array(arena.buffer, arena.byteOffset + arena.byteLength).fill(0xa5);
      const codeBytes = Math.ceil(words.byteLength / 64) * 64;
      const before = new Int32Array(arena.buffer, arena.byteOffset - codeBytes, words.length);
      run(0);
      ran++;
      if (behind.some((byte) => byte !== 0xa5)) expect.fail(`wrote behind: ${JSON.stringify(kernel)}`);
      if (before.some((word, i) => word !== words[i])) expect.fail(`wrote before: ${JSON.stringify(kernel)}`);
    }
    expect(refused).toBeGreaterThan(1000);
    expect(ran).toBeGreaterThan(200);
  });
});
