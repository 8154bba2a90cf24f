import { largest } from "../../math/statistics.js";
import { broadcastStrides, rowMajorStrides, type Shape, shapeSize } from "../shape.js";
import type { AppliedPrimitive, ElementwiseOperation } from "../tensor.js";
import { type FusedProgram, isHiddenSquare, keptSteps, type Unit } from "./fusion.js";
import type { ConvolutionSizes, Kernel, MapKernel } from "./kernel.js";
import { allocateRegisters } from "./map-registers.js";
import { type FixedMemory, kernelScratch, planMemory } from "./memory-plan.js";

/** A program as kernels over an arena. */
export interface LoweredProgram {
  readonly kernels: readonly Kernel[];
  /** The first element after the memory that the program uses. */
  readonly end: number;
}

/** Plans the temporary memory of a fused program, starting at `base`, and emits its kernels. */
export function lower(fused: FusedProgram, fixed: FixedMemory, base: number): LoweredProgram {
  const kept = keptSteps(fused.program, fused.locations);
  // Scratch depends only on sizes, so a first emission with all offsets at 0 determines it.
  const nowhere: Placement = { offset: () => 0, scratch: 0 };
  const plan = planMemory(fused, fixed, base, (unit) =>
    Math.max(0, largest(emitUnit(fused, unit, kept, nowhere).map(kernelScratch))),
  );
  const kernels = fused.units.flatMap((unit, i) =>
    emitUnit(fused, unit, kept, { offset: (location) => plan.offset(location), scratch: plan.scratch[i] }),
  );
  for (const [from, to, count] of plan.copies) kernels.push(flatCopy(from, to, count));
  return { kernels, end: plan.end };
}

interface Placement {
  offset(location: { readonly step: number; readonly offset: number }): number;
  readonly scratch: number;
}

function flatCopy(x: number, out: number, count: number): Kernel {
  return { kind: "copy", dims: [count], x, xStrides: [1], out, outStrides: [1] };
}

function emitUnit(
  fused: FusedProgram,
  unit: Unit,
  kept: ReadonlySet<number>,
  placement: Placement,
): Kernel[] {
  const map = unit.members.length === 0 ? null : emitMap(fused, unit, kept, placement);
  if (unit.head === null) return map === null ? [] : [map];
  return emitHead(fused, unit, unit.head, map, placement);
}

function emitMap(
  { program }: FusedProgram,
  unit: Unit,
  kept: ReadonlySet<number>,
  placement: Placement,
): MapKernel {
  const stored = new Set(
    unit.members.map((member) => member.step).filter((step) => step === unit.root || kept.has(step)),
  );
  const map = allocateRegisters(unit.members, stored);
  if (map === null) throw new Error("lower: a fused chain needs too many registers");
  return {
    kind: "map",
    count: shapeSize(program.steps[unit.root].tensor.shape),
    inputs: map.inputs.map(({ step, offset, mode }) => ({
      // The result of the head is stored where the last value of the chain will be.
      offset: placement.offset(step === unit.head ? { step: unit.root, offset: 0 } : { step, offset }),
      mode,
    })),
    constants: map.constants,
    steps: map.steps,
    outputs: map.outputs.map(({ register, step }) => ({
      register,
      offset: placement.offset({ step, offset: 0 }),
    })),
  };
}

function emitHead(
  { program, locations }: FusedProgram,
  unit: Unit,
  head: number,
  epilogue: MapKernel | null,
  placement: Placement,
): Kernel[] {
  const { tensor, inputs } = program.steps[head];
  const { origin, shape } = tensor;
  if (origin.kind !== "primitive") throw new Error(`lower: a ${origin.kind} has no computation`);
  const inputShapes = inputs.map((input) => program.steps[input].tensor.shape);
  const squared = isHiddenSquare({ program, locations }, inputs[0]);
  const at = inputs.map((input) => placement.offset(locations[input]));
  const out = placement.offset({ step: unit.root, offset: 0 });
  const bias = unit.bias === null ? null : placement.offset(unit.bias);
  const { scratch } = placement;
  return headKernels(origin, { shape, inputShapes, at, out, bias, scratch, epilogue, squared });
}

interface HeadPlace {
  readonly shape: Shape;
  readonly inputShapes: readonly Shape[];
  /** The offset of each input. */
  readonly at: readonly number[];
  readonly out: number;
  readonly bias: number | null;
  readonly scratch: number;
  readonly epilogue: MapKernel | null;
  /** Whether the input is the square of the numbers at `at`. */
  readonly squared: boolean;
}

/** The kernels of one primitive that is not elementwise; the switch is exhaustive. */
function headKernels(origin: AppliedPrimitive, place: HeadPlace): Kernel[] {
  const { shape, inputShapes, at, out, bias, scratch, epilogue, squared } = place;
  const [x, y] = at;
  const [xShape, yShape] = inputShapes;
  const size = shapeSize(shape);
  switch (origin.name) {
    case "matmul": {
      const { transposeA, transposeB } = origin.attributes;
      const k = xShape[transposeA ? 0 : 1];
      const sizes = { m: shape[0], k, n: shape[1], transposeA, transposeB };
      return [{ kind: "matmul", ...sizes, a: x, b: y, bias, out, scratch, epilogue }];
    }
    case "conv2d": {
      const sizes = convolutionSizes(xShape, yShape, origin.attributes);
      return [{ kind: "conv2d", ...sizes, input: x, filter: y, bias, out, scratch, epilogue }];
    }
    case "conv2dInputGradient": {
      const sizes = convolutionSizes(shape, yShape, origin.attributes);
      return [{ kind: "conv2dInputGradient", ...sizes, cotangent: x, filter: y, out, scratch, epilogue }];
    }
    case "conv2dFilterGradient": {
      const sizes = convolutionSizes(xShape, shape, origin.attributes);
      return [{ kind: "conv2dFilterGradient", ...sizes, input: x, cotangent: y, out, scratch }];
    }
    case "sum":
    case "max": {
      const operation = squared ? "sumOfSquares" : origin.name;
      return [{ kind: "reduce", operation, ...mergedAxes(xShape, origin.attributes.axes), x, out }];
    }
    case "broadcastTo":
      return [stridedCopy(shape, x, broadcastStrides(xShape, shape), out, rowMajorStrides(shape))];
    case "transpose": {
      const strides = rowMajorStrides(xShape);
      const permuted = origin.attributes.permutation.map((axis) => strides[axis]);
      return [stridedCopy(shape, x, permuted, out, rowMajorStrides(shape))];
    }
    case "slice": {
      const strides = rowMajorStrides(xShape);
      const from = x + innerProduct(origin.attributes.start, strides);
      return [stridedCopy(shape, from, strides, out, rowMajorStrides(shape))];
    }
    case "pad": {
      const strides = rowMajorStrides(shape);
      const to = out + innerProduct(origin.attributes.before, strides);
      return [
        { kind: "fill", count: size, value: 0, out },
        stridedCopy(xShape, x, rowMajorStrides(xShape), to, strides),
      ];
    }
    case "concat": {
      const { axis } = origin.attributes;
      const strides = rowMajorStrides(shape);
      let to = out;
      return inputShapes.flatMap((part, i) => {
        const start = to;
        to += part[axis] * strides[axis];
        return at[i] === start && size > 0 && isWhole(part, shape, axis)
          ? []
          : [stridedCopy(part, at[i], rowMajorStrides(part), start, strides)];
      });
    }
    case "gather": {
      const rows = size;
      return [{ kind: "gather", rows, columns: xShape[xShape.length - 1], x, index: y, out }];
    }
    case "scatter": {
      const { columns } = origin.attributes;
      return [{ kind: "scatter", rows: size / columns, columns, x, index: y, out }];
    }
    case "logSumExp":
    case "logSoftmax": {
      const columns = xShape[xShape.length - 1];
      return [{ kind: origin.name, rows: shapeSize(xShape) / columns, columns, x, out }];
    }
    case "normalise":
    case "normaliseGradient": {
      const columns = xShape[xShape.length - 1];
      const sizes = { rows: size / columns, columns, epsilon: origin.attributes.epsilon };
      return origin.name === "normalise"
        ? [{ kind: "normalise", ...sizes, x, out }]
        : [{ kind: "normaliseGradient", ...sizes, x, cotangent: y, out }];
    }
    case "reshape":
    case "stopGradient":
      throw new Error(`lower: ${origin.name} has its own memory`);
    default:
      throw new Error(`lower: ${origin.name satisfies ElementwiseOperation} is not fused into a chain`);
  }
}

/** Whether a part of a concatenation is contiguous in the result. */
function isWhole(part: Shape, whole: Shape, axis: number): boolean {
  return part.length === whole.length && whole.slice(0, axis).every((length) => length === 1);
}

function innerProduct(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, i) => sum + value * b[i], 0);
}

function convolutionSizes(
  input: Shape,
  filter: Shape,
  { strideY, strideX }: { readonly strideY: number; readonly strideX: number },
): ConvolutionSizes {
  const [batch, height, width, channels] = input;
  const [filterHeight, filterWidth, , filters] = filter;
  return { batch, height, width, channels, filterHeight, filterWidth, filters, strideY, strideX };
}

/** A copy in which adjacent axes are merged if both sides allow it. */
function stridedCopy(
  shape: Shape,
  x: number,
  xStrides: readonly number[],
  out: number,
  outStrides: readonly number[],
): Kernel {
  const dims: number[] = [];
  const from: number[] = [];
  const to: number[] = [];
  shape.forEach((length, axis) => {
    if (length === 1) return;
    const last = dims.length - 1;
    const joins =
      last >= 0 && from[last] === length * xStrides[axis] && to[last] === length * outStrides[axis];
    if (joins) {
      dims[last] *= length;
      from[last] = xStrides[axis];
      to[last] = outStrides[axis];
    } else {
      dims.push(length);
      from.push(xStrides[axis]);
      to.push(outStrides[axis]);
    }
  });
  if (dims.length === 0) return flatCopy(x, out, 1);
  return { kind: "copy", dims, x, xStrides: from, out, outStrides: to };
}

/** Merges adjacent axes that are all reduced or all kept. */
function mergedAxes(shape: Shape, axes: readonly number[]): { dims: number[]; reduced: boolean[] } {
  const dims: number[] = [];
  const reduced: boolean[] = [];
  shape.forEach((length, axis) => {
    if (length === 1) return;
    const isReduced = axes.includes(axis);
    if (dims.length > 0 && reduced[reduced.length - 1] === isReduced) dims[dims.length - 1] *= length;
    else {
      dims.push(length);
      reduced.push(isReduced);
    }
  });
  return dims.length === 0 ? { dims: [1], reduced: [true] } : { dims, reduced };
}
