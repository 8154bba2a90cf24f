import { fail } from "../../base/errors.js";
import type {
  Conv2dFilterGradientKernel,
  Conv2dInputGradientKernel,
  Conv2dKernel,
  ConvolutionSizes,
  CopyKernel,
  Kernel,
  MatmulKernel,
  ReduceKernel,
} from "./kernel.js";
import { encodeMap, mapSpans } from "./kernel-encoding-map.js";
import { KernelCheck, type Span } from "./kernel-ranges.js";
import { convolutionGroup, convolutionOutput, filterGradientPart, scratchLength } from "./kernel-scratch.js";

// In the order of the enumeration in kernels/interpreter.cpp.
const opcodes: Readonly<Record<Kernel["kind"], number>> = {
  map: 0,
  reduce: 1,
  copy: 2,
  fill: 3,
  matmul: 4,
  conv2d: 5,
  conv2dInputGradient: 6,
  conv2dFilterGradient: 7,
  gather: 8,
  scatter: 9,
  logSumExp: 10,
  logSoftmax: 11,
  normalise: 12,
  normaliseGradient: 13,
};

const maxAxes = 6;

/**
 * Encodes kernels as the words that the compiled code interprets: for each kernel its opcode, its length in
 * words and its fields.
 *
 * The compiled code does not check these words, so this function does: a run never reads or writes outside an
 * arena of `arenaLength` elements, and no kernel overwrites values that it still reads.
 *
 * @throws SoftrlError for a kernel that reaches outside the arena, overlaps itself, or is malformed; with the code
 * `out-of-memory` for an arena longer than the kernels' 32-bit offsets reach.
 */
export function encodeKernels(kernels: readonly Kernel[], arenaLength: number): Int32Array<ArrayBuffer> {
  if (!(Number.isInteger(arenaLength) && arenaLength >= 0 && arenaLength < 2 ** 31)) {
    const tooLong = arenaLength >= 2 ** 31;
    fail("encodeKernels", "the length of the arena is out of range", {
      expected: "an integer in [0, 2^31)",
      got: String(arenaLength),
      ...(tooLong ? { code: "out-of-memory", bytes: arenaLength * Float32Array.BYTES_PER_ELEMENT } : {}),
    });
  }
  const words: number[] = [];
  for (const [index, kernel] of kernels.entries()) {
    const check = new KernelCheck(`encodeKernels, kernel ${index} (${kernel.kind})`, arenaLength);
    const start = words.length;
    words.push(check.known("kind", kernel.kind, opcodes), 0);
    encodeFields(kernel, check, words);
    words[start + 1] = words.length - start;
  }
  return Int32Array.from(words);
}

function encodeFields(kernel: Kernel, check: KernelCheck, words: number[]): void {
  switch (kernel.kind) {
    case "map":
      encodeMap(kernel, check, words);
      return;
    case "reduce":
      encodeReduce(kernel, check, words);
      return;
    case "copy":
      encodeCopy(kernel, check, words);
      return;
    case "fill":
      check.size("count", kernel.count);
      check.span("out", kernel.out, kernel.count);
      words.push(kernel.count, floatBits(kernel.value), kernel.out);
      return;
    case "matmul":
      encodeMatmul(kernel, check, words);
      return;
    case "conv2d":
      encodeConv2d(kernel, check, words);
      return;
    case "conv2dInputGradient":
      encodeInputGradient(kernel, check, words);
      return;
    case "conv2dFilterGradient":
      encodeFilterGradient(kernel, check, words);
      return;
    case "gather":
    case "scatter": {
      const { rows, columns, x, index, out } = kernel;
      check.sizes({ rows, columns });
      const gathers = kernel.kind === "gather";
      const spans = [
        check.span("x", x, gathers ? rows * columns : rows),
        check.span("index", index, rows),
        check.span("out", out, gathers ? rows : rows * columns),
      ];
      check.separate(spans.slice(2), spans.slice(0, 2));
      words.push(rows, columns, x, index, out);
      return;
    }
    case "logSumExp":
    case "logSoftmax": {
      const { rows, columns, x, out } = kernel;
      check.sizes({ rows, columns });
      const from = check.span("x", x, rows * columns);
      const to = check.span("out", out, kernel.kind === "logSumExp" ? rows : rows * columns);
      // Each row is read completely before it is written.
      if (!(kernel.kind === "logSoftmax" && x === out)) check.separate([to], [from]);
      words.push(rows, columns, x, out);
      return;
    }
    case "normalise": {
      const { rows, columns, epsilon, x, out } = kernel;
      check.sizes({ rows, columns });
      const read = [check.span("x", x, rows * columns)];
      check.separate([check.span("out", out, rows * columns)], read);
      words.push(rows, columns, floatBits(epsilon), x, out);
      return;
    }
    case "normaliseGradient": {
      const { rows, columns, epsilon, x, cotangent, out } = kernel;
      check.sizes({ rows, columns });
      const read = [check.span("x", x, rows * columns), check.span("cotangent", cotangent, rows * columns)];
      check.separate([check.span("out", out, rows * columns)], read);
      words.push(rows, columns, floatBits(epsilon), x, cotangent, out);
      return;
    }
  }
}

function encodeReduce(kernel: ReduceKernel, check: KernelCheck, words: number[]): void {
  const { dims, reduced, x, out } = kernel;
  check.axes("dims", dims.length, maxAxes);
  if (reduced.length !== dims.length)
    check.refuse("reduced must name every axis", dims.length, reduced.length);
  let length = 1;
  let kept = 1;
  for (const [axis, size] of dims.entries()) {
    check.size(`dims[${axis}]`, size);
    length *= size;
    if (!reduced[axis]) kept *= size;
  }
  const from = check.span("x", x, length);
  check.separate([check.span("out", out, kept)], [from]);
  const operation = check.known("operation", kernel.operation, { sum: 0, max: 1, sumOfSquares: 2 });
  if (kernel.operation === "sumOfSquares" && !(dims.length === 1 && reduced[0] === true))
    check.refuse("a sum of squares must reduce all elements", "one axis, reduced", dims.length);
  words.push(operation, dims.length, x, out);
  for (const [axis, size] of dims.entries()) words.push(size, reduced[axis] ? 1 : 0);
}

function encodeCopy(kernel: CopyKernel, check: KernelCheck, words: number[]): void {
  const { dims, xStrides, outStrides } = kernel;
  check.axes("dims", dims.length, maxAxes);
  for (const [name, strides] of Object.entries({ xStrides, outStrides })) {
    if (strides.length !== dims.length)
      check.refuse(`${name} must name every axis`, dims.length, strides.length);
  }
  for (const [axis, size] of dims.entries()) check.size(`dims[${axis}]`, size);
  const from = check.stridedSpan("x", kernel.x, dims, xStrides);
  check.separate([check.stridedSpan("out", kernel.out, dims, outStrides)], [from]);
  const axes = copyAxes(kernel);
  words.push(axes.length, kernel.x, kernel.out);
  for (const axis of axes) words.push(axis.size, axis.x, axis.out);
}

/** The same copy with as few axes as possible; the axis with the smallest stride in out comes last. */
function copyAxes(kernel: CopyKernel): { size: number; x: number; out: number }[] {
  const axes = kernel.dims
    .map((size, axis) => ({ size, x: kernel.xStrides[axis] ?? 0, out: kernel.outStrides[axis] ?? 0 }))
    .filter(({ size }) => size > 1)
    .sort((a, b) => Math.abs(b.out) - Math.abs(a.out));
  const merged: { size: number; x: number; out: number }[] = [];
  for (const axis of axes) {
    const outer = merged.at(-1);
    if (outer !== undefined && outer.x === axis.x * axis.size && outer.out === axis.out * axis.size) {
      merged[merged.length - 1] = { size: outer.size * axis.size, x: axis.x, out: axis.out };
    } else {
      merged.push(axis);
    }
  }
  return merged.length > 0 ? merged : [{ size: 1, x: 1, out: 1 }];
}

function encodeMatmul(kernel: MatmulKernel, check: KernelCheck, words: number[]): void {
  const { m, k, n, a, b, bias, out, scratch } = kernel;
  check.sizes({ m, k, n });
  const read = [check.span("a", a, m * k), check.span("b", b, k * n)];
  if (bias !== null) read.push(check.span("bias", bias, n));
  words.push(m, k, n, kernel.transposeA ? 1 : 0, kernel.transposeB ? 1 : 0, a, b, bias ?? -1, out, scratch);
  encodeProduct(kernel, m * n, read, check, words);
}

function encodeConv2d(kernel: Conv2dKernel, check: KernelCheck, words: number[]): void {
  const lengths = encodeConvolution(kernel, check, words);
  const { input, filter, bias, out, scratch } = kernel;
  const read = [check.span("input", input, lengths.input), check.span("filter", filter, lengths.filter)];
  if (bias !== null) read.push(check.span("bias", bias, kernel.filters));
  words.push(input, filter, bias ?? -1, out, scratch);
  encodeProduct(kernel, lengths.output, read, check, words);
}

function encodeInputGradient(kernel: Conv2dInputGradientKernel, check: KernelCheck, words: number[]): void {
  const lengths = encodeConvolution(kernel, check, words);
  const { cotangent, filter, out, scratch } = kernel;
  const read = [
    check.span("cotangent", cotangent, lengths.output),
    check.span("filter", filter, lengths.filter),
  ];
  words.push(cotangent, filter, out, scratch);
  encodeProduct(kernel, lengths.input, read, check, words);
}

function encodeFilterGradient(kernel: Conv2dFilterGradientKernel, check: KernelCheck, words: number[]): void {
  const lengths = encodeConvolution(kernel, check, words);
  const { input, cotangent, out, scratch } = kernel;
  const read = [
    check.span("input", input, lengths.input),
    check.span("cotangent", cotangent, lengths.output),
  ];
  const written = [
    check.span("out", out, lengths.filter),
    check.span("scratch", scratch, scratchLength(kernel)),
  ];
  check.separate(written, [...read, ...written]);
  words.push(input, cotangent, out, scratch, filterGradientPart(kernel));
}

function encodeConvolution(
  kernel: ConvolutionSizes,
  check: KernelCheck,
  words: number[],
): { input: number; filter: number; output: number } {
  const { batch, height, width, channels, filterHeight, filterWidth, filters, strideY, strideX } = kernel;
  check.sizes({ batch, height, width, channels, filterHeight, filterWidth, filters, strideY, strideX });
  if (filterHeight > height || filterWidth > width) {
    check.refuse(
      "the filter is larger than the image",
      `at most ${height}×${width}`,
      `${filterHeight}×${filterWidth}`,
    );
  }
  words.push(batch, height, width, channels, filterHeight, filterWidth, filters);
  // A stride beyond the image is equivalent to the size of the image; with this limit, no product of sizes
  // overflows.
  words.push(Math.min(strideY, height), Math.min(strideX, width));
  words.push(convolutionGroup(kernel));
  const out = convolutionOutput(kernel);
  return {
    input: batch * height * width * channels,
    filter: filterHeight * filterWidth * channels * filters,
    output: batch * out.height * out.width * filters,
  };
}

/**
 * Checks the output, scratch and epilogue of a product against the ranges that it reads, and appends the
 * epilogue.
 */
function encodeProduct(
  kernel: MatmulKernel | Conv2dKernel | Conv2dInputGradientKernel,
  outLength: number,
  read: readonly Span[],
  check: KernelCheck,
  words: number[],
): void {
  const out = check.span("out", kernel.out, outLength);
  const scratch = check.span("scratch", kernel.scratch, scratchLength(kernel));
  check.separate([out, scratch], [...read, out, scratch]);
  const { epilogue } = kernel;
  words.push(epilogue === null ? 0 : 1);
  if (epilogue === null) return;
  const inside = check.inside("epilogue");
  if (epilogue.count !== outLength) inside.refuse("count must be the size of out", outLength, epilogue.count);
  encodeMap(epilogue, inside, words);
  // The epilogue runs on parts of out while the product is still being computed. So it must not write what
  // the product reads, must not read single elements of out, and must read and write out only at the same
  // positions.
  const spans = mapSpans(epilogue, inside);
  inside.separate([...spans.written, ...spans.scalars, ...spans.each], [scratch]);
  inside.separate(spans.written, read);
  inside.separate(spans.scalars, [out]);
  for (const span of [...spans.each, ...spans.written]) {
    if (span.start !== out.start) inside.separate([span], [out]);
  }
}

function floatBits(value: number): number {
  floatWord[0] = value;
  return intWord[0] ?? 0;
}

const floatWord = new Float32Array(1);
const intWord = new Int32Array(floatWord.buffer);
