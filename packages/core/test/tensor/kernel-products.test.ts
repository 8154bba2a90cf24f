import { describe, expect, it } from "vitest";
import { RandomStreams } from "../../src/base/random.js";
import type { ConvolutionSizes, Kernel, MapKernel } from "../../src/tensor/compiled/kernel.js";
import { scratchLength } from "../../src/tensor/compiled/kernel-scratch.js";
import { arenaAfter, kernelMachines } from "./kernel-machines.js";
import { convolutionLengths, referenceRun } from "./kernel-reference.js";

type Product = Extract<
  Kernel,
  { kind: "matmul" | "conv2d" | "conv2dInputGradient" | "conv2dFilterGradient" }
>;

const random = new RandomStreams(12).stream("products");

/** Places tensors one after another, with gaps, so that a write outside a tensor is detected. */
class Layout {
  length = 3;
  place(count: number): number {
    const offset = this.length;
    this.length += count + 1 + random.integer(4);
    return offset;
  }
}

/**
 * An epilogue that reads and writes several ranges: it masks out by another tensor and keeps a second result.
 */
function epilogueOver(out: number, count: number, layout: Layout): MapKernel {
  const mask = layout.place(count);
  const scale = layout.place(1);
  return {
    kind: "map",
    count,
    inputs: [
      { offset: out, mode: "each" },
      { offset: mask, mode: "each" },
      { offset: scale, mode: "scalar" },
    ],
    constants: [0],
    steps: [
      { operation: "greater", operands: [1, 3], target: 4 },
      { operation: "multiply", operands: [0, 4], target: 4 },
      { operation: "multiply", operands: [0, 2], target: 5 },
    ],
    outputs: [
      { register: 4, offset: out },
      { register: 5, offset: layout.place(count) },
    ],
  };
}

function matmul(m: number, k: number, n: number, variant: number, epilogue: boolean): [Product, number] {
  const layout = new Layout();
  const draft = {
    kind: "matmul" as const,
    m,
    k,
    n,
    transposeA: (variant & 1) !== 0,
    transposeB: (variant & 2) !== 0,
    a: layout.place(m * k),
    b: layout.place(k * n),
    bias: variant & 4 ? layout.place(n) : null,
    out: layout.place(m * n),
    scratch: 0,
    epilogue: null,
  };
  const map = epilogue ? epilogueOver(draft.out, m * n, layout) : null;
  const kernel: Product = { ...draft, scratch: layout.place(scratchLength(draft)), epilogue: map };
  return [kernel, layout.length];
}

function convolution(
  kind: "conv2d" | "conv2dInputGradient" | "conv2dFilterGradient",
  sizes: ConvolutionSizes,
  bias: boolean,
  epilogue: boolean,
): [Product, number] {
  const layout = new Layout();
  const lengths = convolutionLengths(sizes);
  if (kind === "conv2dFilterGradient") {
    const draft = {
      ...sizes,
      kind,
      input: layout.place(lengths.input),
      cotangent: layout.place(lengths.output),
      out: layout.place(lengths.filter),
      scratch: 0,
    };
    return [{ ...draft, scratch: layout.place(scratchLength(draft)) }, layout.length];
  }
  const filter = layout.place(lengths.filter);
  if (kind === "conv2d") {
    const draft = {
      ...sizes,
      kind,
      input: layout.place(lengths.input),
      filter,
      bias: bias ? layout.place(sizes.filters) : null,
      out: layout.place(lengths.output),
      scratch: 0,
      epilogue: null,
    };
    const map = epilogue ? epilogueOver(draft.out, lengths.output, layout) : null;
    return [{ ...draft, scratch: layout.place(scratchLength(draft)), epilogue: map }, layout.length];
  }
  const draft = {
    ...sizes,
    kind,
    cotangent: layout.place(lengths.output),
    filter,
    out: layout.place(lengths.input),
    scratch: 0,
    epilogue: null,
  };
  const map = epilogue ? epilogueOver(draft.out, lengths.input, layout) : null;
  return [{ ...draft, scratch: layout.place(scratchLength(draft)), epilogue: map }, layout.length];
}

const machines = await kernelMachines();

// All machines share one comparison, because the float64 loops take most of the time.
describe(`products on ${machines.length} machines`, () => {
  /**
   * Compares the whole arena: results within an error bound for float32 sums, everything else bit for bit.
   */
  function expectRight([kernel, length]: [Product, number]): void {
    const before = new Float32Array(length).map(() => (random.float() - 0.5) * 2);
    // Results must not depend on the previous contents, not even on a NaN.
    const scratch = scratchLength(kernel);
    before.fill(NaN, kernel.scratch, kernel.scratch + scratch);
    const want = Float64Array.from(before);
    want.fill(NaN, kernel.out, kernel.out + 1);
    referenceRun(kernel, want);
    const bound = new Float64Array(before).map(Math.abs);
    referenceRun(kernel, bound);
    const dirty = before.slice();
    dirty.fill(NaN, kernel.out, kernel.out + 1);
    for (const machine of machines) {
      const got = arenaAfter(machine, [kernel], dirty);
      const wrong = got.findIndex((value, i) => {
        if (i >= kernel.scratch && i < kernel.scratch + scratch) return false;
        const wanted = want[i] ?? NaN;
        if (Object.is(value, Math.fround(wanted))) return false;
        // Neither computation wrote here: one result may equal what was there before by chance.
        if (wanted === before[i] && bound[i] === Math.abs(wanted)) return true;
        return !(Math.abs(value - wanted) <= 4e-6 * (bound[i] ?? 0));
      });
      expect(
        wrong < 0
          ? "right"
          : JSON.stringify({ ...kernel, machine: machine.name, wrong, got: got[wrong], want: want[wrong] }),
      ).toBe("right");
      const again = arenaAfter(machine, [kernel], dirty);
      expect(Buffer.compare(Buffer.from(again.buffer), Buffer.from(got.buffer))).toBe(0);
    }
  }

  it("multiply matrices of any size, transposed or not, with bias and epilogue", () => {
    for (let trial = 0; trial < 400; trial++) {
      const size = (most: number): number => 1 + random.integer(random.float() < 0.5 ? 8 : most);
      expectRight(matmul(size(50), size(90), size(80), trial % 8, random.float() < 0.5));
    }
  });

  it("multiply matrices of sizes that use other code paths", () => {
    for (let variant = 0; variant < 8; variant++) {
      for (const [m, k, n] of [
        [1, 300, 70],
        [32, 64, 64],
        [32, 64, 2],
        [64, 32, 2],
        [200, 600, 40],
        [90, 520, 64],
        [130, 3, 513],
        [7, 513, 1],
        [700, 20, 130],
        [40, 64, 5],
        [50, 128, 9],
        [1, 64, 64],
        [2, 40, 200],
        [12, 700, 390],
        [32, 128, 200],
        [20, 100, 133],
        [17, 256, 90],
        [32, 1024, 128],
        [40, 700, 224],
        [37, 3000, 64],
      ] as const) {
        expectRight(matmul(m, k, n, variant, m * n < 9000));
      }
    }
  });

  const kinds = ["conv2d", "conv2dInputGradient", "conv2dFilterGradient"] as const;

  it.each(kinds)("handle any size and stride: %s", (kind) => {
    for (let trial = 0; trial < 150; trial++) {
      const filterHeight = 1 + random.integer(4);
      const filterWidth = 1 + random.integer(4);
      const sizes = {
        batch: trial % 3 === 0 ? 4 + random.integer(20) : 1 + random.integer(3),
        height: filterHeight + random.integer(8),
        width: filterWidth + random.integer(8),
        channels: 1 + random.integer(random.float() < 0.5 ? 4 : 36),
        filterHeight,
        filterWidth,
        filters: 1 + random.integer(random.float() < 0.5 ? 6 : 40),
        strideY: 1 + random.integer(5),
        strideX: 1 + random.integer(5),
      };
      expectRight(convolution(kind, sizes, random.float() < 0.5, random.float() < 0.5));
    }
  });

  it.each(kinds)("handle the layers of the Atari and MinAtar networks: %s", (kind) => {
    const shapes: readonly ConvolutionSizes[] = [
      {
        batch: 1,
        height: 84,
        width: 84,
        channels: 4,
        filterHeight: 8,
        filterWidth: 8,
        filters: 32,
        strideY: 4,
        strideX: 4,
      },
      {
        batch: 2,
        height: 20,
        width: 20,
        channels: 32,
        filterHeight: 4,
        filterWidth: 4,
        filters: 64,
        strideY: 2,
        strideX: 2,
      },
      {
        batch: 3,
        height: 9,
        width: 9,
        channels: 64,
        filterHeight: 3,
        filterWidth: 3,
        filters: 64,
        strideY: 1,
        strideX: 1,
      },
      {
        batch: 9,
        height: 10,
        width: 10,
        channels: 4,
        filterHeight: 3,
        filterWidth: 3,
        filters: 16,
        strideY: 1,
        strideX: 1,
      },
      // Rows of eight positions, which have a kernel of their own.
      ...[1, 2, 3, 5, 6, 7].map((channels) => ({
        batch: 2,
        height: 6,
        width: channels === 7 ? 18 : 10,
        channels,
        filterHeight: channels === 5 ? 2 : 3,
        filterWidth: 3,
        filters: channels < 6 ? 16 : 11,
        strideY: channels === 3 ? 2 : 1,
        strideX: 1,
      })),
    ];
    for (const sizes of shapes) expectRight(convolution(kind, sizes, true, true));
  });

  it("propagate a NaN only to the results that depend on it", () => {
    const [kernel, length] = matmul(3, 20, 5, 0, false);
    if (kernel.kind !== "matmul") throw new Error("not a matrix product");
    const before = new Float32Array(length).fill(1);
    before[kernel.a + 20] = NaN;
    for (const machine of machines) {
      const got = arenaAfter(machine, [kernel], before);
      const rows = [0, 1, 2].map((r) => [...got.slice(kernel.out + 5 * r, kernel.out + 5 * r + 5)]);
      expect(rows).toEqual([Array(5).fill(20), Array(5).fill(NaN), Array(5).fill(20)]);
    }
  });

  it("do not apply an infinite weight to inputs that it is not multiplied with, for few and many samples", () => {
    for (const batch of [1, 2, 5, 12]) {
      const sizes = { batch, height: 7, width: 8, channels: 3, filterHeight: 3, filterWidth: 2, filters: 5 };
      const [kernel, length] = convolution(
        "conv2dInputGradient",
        { ...sizes, strideY: 2, strideX: 1 },
        false,
        false,
      );
      if (kernel.kind !== "conv2dInputGradient") throw new Error("not an input gradient");
      const before = new Float32Array(length).fill(1);
      before[kernel.filter + 4] = Infinity;
      const want = Float64Array.from(before);
      referenceRun(kernel, want);
      for (const machine of machines) {
        const got = arenaAfter(machine, [kernel], before);
        const end = kernel.out + batch * 7 * 8 * 3;
        expect([...got.slice(kernel.out, end)]).toEqual([...want.slice(kernel.out, end)]);
      }
    }
  });
});
