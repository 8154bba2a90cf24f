/**
 * Lowered instructions: the form of a program for executors with compiled kernels (WebAssembly, native).
 *
 * All numbers are float32 in one arena; every offset, stride and count is in elements. Shapes are row-major,
 * images are NHWC, convolution weights are HWIO. A kernel never reads or writes outside the ranges of its
 * fields.
 */
import type { SharedAccess } from "../executor.js";
import type { ElementwiseOperation } from "../tensor.js";

/**
 * One pass over `count` elements through a small register machine. A register holds one value per element.
 * `inputs[i]` is loaded into register i: an `each` input from the position of the element, a `scalar` input
 * from its single element. Constants follow in registers inputs.length + j. Then the steps run in order, each
 * writing its `target`. A register may be reused once its value is no longer needed; scalar inputs and
 * constants are never overwritten. An output range may equal the range of an `each` input.
 */
export interface MapKernel {
  readonly kind: "map";
  readonly count: number;
  readonly inputs: readonly { readonly offset: number; readonly mode: "each" | "scalar" }[];
  readonly constants: readonly number[];
  readonly steps: readonly {
    readonly operation: ElementwiseOperation;
    readonly operands: readonly number[];
    readonly target: number;
  }[];
  readonly outputs: readonly { readonly register: number; readonly offset: number }[];
}

/** The maximum number of registers of a {@link MapKernel}. */
export const mapRegisters = 24;

/**
 * Reduces a contiguous x of shape `dims` over the axes where `reduced` is true; out is contiguous. A sum of
 * squares reduces all elements, as one axis.
 */
export interface ReduceKernel {
  readonly kind: "reduce";
  readonly operation: "sum" | "max" | "sumOfSquares";
  /** At most 6; adjacent axes of the same kind are merged. */
  readonly dims: readonly number[];
  readonly reduced: readonly boolean[];
  readonly x: number;
  readonly out: number;
}

/** Strided copy: transposition, slicing, broadcasting (stride 0) and concatenation. Ranges never overlap. */
export interface CopyKernel {
  readonly kind: "copy";
  /** At most 6. */
  readonly dims: readonly number[];
  readonly x: number;
  readonly xStrides: readonly number[];
  readonly out: number;
  readonly outStrides: readonly number[];
}

/** Sets `count` elements to `value`. */
export interface FillKernel {
  readonly kind: "fill";
  readonly count: number;
  readonly value: number;
  readonly out: number;
}

/**
 * out[m,n] = op(a)[m,k] · op(b)[k,n] (+ bias[n]), where op transposes if the flag is set (a is then stored as
 * [k,m], b as [n,k]). The optional epilogue is a map over the m·n elements of out. It runs on ranges of out
 * while they are in cache; because it is elementwise, the result is the same as running it afterwards.
 */
export interface MatmulKernel {
  readonly kind: "matmul";
  readonly m: number;
  readonly k: number;
  readonly n: number;
  readonly transposeA: boolean;
  readonly transposeB: boolean;
  readonly a: number;
  readonly b: number;
  readonly bias: number | null;
  readonly out: number;
  /** The first of `scratchLength(kernel)` elements that the kernel may overwrite. */
  readonly scratch: number;
  readonly epilogue: MapKernel | null;
}

/** Sizes of a convolution with valid padding: output height = ⌊(height − filterHeight) / strideY⌋ + 1. */
export interface ConvolutionSizes {
  readonly batch: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly filterHeight: number;
  readonly filterWidth: number;
  readonly filters: number;
  readonly strideY: number;
  readonly strideX: number;
}

/** out[b,y,x,o] = Σ input[b, y·strideY+i, x·strideX+j, c] · filter[i,j,c,o] (+ bias[o]). */
export interface Conv2dKernel extends ConvolutionSizes {
  readonly kind: "conv2d";
  readonly input: number;
  readonly filter: number;
  readonly bias: number | null;
  readonly out: number;
  readonly scratch: number;
  readonly epilogue: MapKernel | null;
}

/**
 * The adjoint of conv2d with respect to its input: out[batch,height,width,channels] from the cotangent of the
 * output.
 */
export interface Conv2dInputGradientKernel extends ConvolutionSizes {
  readonly kind: "conv2dInputGradient";
  readonly cotangent: number;
  readonly filter: number;
  readonly out: number;
  readonly scratch: number;
  readonly epilogue: MapKernel | null;
}

/** The adjoint of conv2d with respect to its filter: out[filterHeight,filterWidth,channels,filters]. */
export interface Conv2dFilterGradientKernel extends ConvolutionSizes {
  readonly kind: "conv2dFilterGradient";
  readonly input: number;
  readonly cotangent: number;
  readonly out: number;
  readonly scratch: number;
}

/** out[r] = x[r, index[r]]; NaN if the index is not an integer in [0, columns). */
export interface GatherKernel {
  readonly kind: "gather";
  readonly rows: number;
  readonly columns: number;
  readonly x: number;
  readonly index: number;
  readonly out: number;
}

/**
 * out[r, c] = x[r] where c = index[r], else 0; a row of NaN if the index is not an integer in [0, columns).
 */
export interface ScatterKernel {
  readonly kind: "scatter";
  readonly rows: number;
  readonly columns: number;
  readonly x: number;
  readonly index: number;
  readonly out: number;
}

/** Over the last axis of x[rows, columns]: out[r] = log Σ exp x[r,·], or out[r,·] = x[r,·] − log Σ exp x[r,·]. */
export interface LogSpaceKernel {
  readonly kind: "logSumExp" | "logSoftmax";
  readonly rows: number;
  readonly columns: number;
  readonly x: number;
  readonly out: number;
}

/** Over the last axis of x[rows, columns]: out[r,·] = (x[r,·] − μ) / √(σ² + ε), with the row's mean and biased variance. */
export interface NormaliseKernel {
  readonly kind: "normalise";
  readonly rows: number;
  readonly columns: number;
  readonly epsilon: number;
  readonly x: number;
  readonly out: number;
}

/** The adjoint of normalise: out[rows, columns] from x and the cotangent of the normalised rows. */
export interface NormaliseGradientKernel {
  readonly kind: "normaliseGradient";
  readonly rows: number;
  readonly columns: number;
  readonly epsilon: number;
  readonly x: number;
  readonly cotangent: number;
  readonly out: number;
}

export type Kernel =
  | MapKernel
  | ReduceKernel
  | CopyKernel
  | FillKernel
  | MatmulKernel
  | Conv2dKernel
  | Conv2dInputGradientKernel
  | Conv2dFilterGradientKernel
  | GatherKernel
  | ScatterKernel
  | LogSpaceKernel
  | NormaliseKernel
  | NormaliseGradientKernel;

/** A machine that runs encoded kernels: WebAssembly or native. */
export interface KernelMachine {
  readonly name: "wasm" | "wasm-relaxed" | "native";
  /**
   * The instruction set, where results depend on it: sums are grouped by the width of a vector, and a multiply-add rounds
   * once or twice.
   */
  readonly instructionSet?: string;
  /**
   * Allocates a zeroed arena of `arenaLength` float32 and loads the kernels of each program.
   * @throws SoftrlError with the code `out-of-memory` when there is not enough memory; with another one when a kernel
   * reaches outside the arena.
   */
  instantiate(arenaLength: number, programs: readonly (readonly Kernel[])[]): KernelInstance;
  /** That of the executor over this machine. */
  readonly sharedAccess?: SharedAccess;
}

export interface KernelInstance {
  readonly arena: Float32Array;
  /** Runs all kernels of the program with this index. */
  run(program: number): void;
}
