import { describe, expect, it } from "vitest";
import { SoftrlError } from "../../src/base/errors.js";
import { RandomStreams } from "../../src/base/random.js";
import type { Kernel } from "../../src/tensor/compiled/kernel.js";
import { encodeKernels } from "../../src/tensor/compiled/kernel-encoding.js";
import { arenaLength, corrupted, epilogue, map, sizes, valid } from "./corrupt-kernels.js";
import { kernelMachines } from "./kernel-machines.js";

describe("encodeKernels", () => {
  it("encodes the opcode, the length and the fields of each kernel", () => {
    const words = encodeKernels(valid, arenaLength);
    let at = 0;
    const opcodes: number[] = [];
    while (at < words.length) {
      opcodes.push(words[at]);
      at += words[at + 1];
    }
    expect(at).toBe(words.length);
    expect(opcodes).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 0, 1, 6]);
  });

  const matmul = { ...valid[4], kind: "matmul" } as Extract<Kernel, { kind: "matmul" }>;

  it.each<[string, Kernel]>([
    ["reaches outside", { ...map, outputs: [{ register: 0, offset: arenaLength - 19 }] }],
    ["overlaps", { ...map, outputs: [{ register: 0, offset: 1 }] }],
    ["overlaps inputs[1]", { ...map, inputs: [map.inputs[0], { offset: 59, mode: "scalar" }] }],
    [
      "a sum of squares must reduce all",
      { kind: "reduce", operation: "sumOfSquares", dims: [3, 4], reduced: [true, false], x: 0, out: 20 },
    ],
    ["overwrites a scalar", { ...map, steps: [{ operation: "negate", operands: [0], target: 1 }] }],
    ["has no value", { ...map, outputs: [{ register: 9, offset: 40 }] }],
    ["target", { ...map, steps: [{ operation: "negate", operands: [0], target: 24 }] }],
    ["with this number of operands", { ...map, steps: [{ operation: "add", operands: [0], target: 3 }] }],
    ["count", { ...map, count: 0 }],
    ["count", { ...map, count: Number.NaN }],
    ["m is out of range", { ...matmul, m: 1.5 }],
    ["a reaches outside", { ...matmul, m: 2 ** 31 - 1, k: 2 ** 31 - 1 }],
    ["scratch reaches outside", { ...matmul, scratch: arenaLength - 100 }],
    ["out overlaps a", { ...matmul, out: 14, epilogue: null }],
    ["out overlaps scratch", { ...matmul, scratch: 65 }],
    ["count must be the size of out", { ...matmul, epilogue: { ...epilogue, count: 11 } }],
    ["overlaps a", { ...matmul, epilogue: { ...epilogue, outputs: [{ register: 1, offset: 0 }] } }],
    [
      "overlaps inputs[0]",
      { ...matmul, epilogue: { ...epilogue, inputs: [{ offset: 61, mode: "scalar" }] } },
    ],
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

  it("are refused, or stay inside the arena", () => {
    let refused = 0;
    let ran = 0;
    const kinds = new Set<number>();
    for (let trial = 0; trial < 6000; trial++) {
      const kernel = corrupted(valid[trial % valid.length], random);
      let words: Int32Array;
      try {
        words = encodeKernels([kernel], arenaLength);
      } catch (error) {
        expect(error).toBeInstanceOf(SoftrlError);
        refused++;
        continue;
      }
      if (random.float() < 0.75) continue;
      kinds.add(trial % valid.length);
      // The code is stored before the arena, and the rest of the last page after it.
      const { arena, run } = machine.instantiate(arenaLength, [[kernel]]);
      const behind = new Uint8Array(arena.buffer, arena.byteOffset + arena.byteLength).fill(0xa5);
      const codeBytes = Math.ceil(words.byteLength / 64) * 64;
      const before = new Int32Array(arena.buffer, arena.byteOffset - codeBytes, words.length);
      run(0);
      ran++;
      if (behind.some((byte) => byte !== 0xa5))
        expect.fail(`wrote after the arena: ${JSON.stringify(kernel)}`);
      if (before.some((word, i) => word !== words[i]))
        expect.fail(`wrote before the arena: ${JSON.stringify(kernel)}`);
    }
    expect(refused).toBeGreaterThan(1000);
    expect(ran).toBeGreaterThan(200);
    expect(kinds.size).toBe(valid.length);
  });
});
