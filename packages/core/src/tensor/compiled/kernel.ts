/**
 * Lowered instructions: what a program becomes for executors that run compiled kernels (WebAssembly, native).
 *
 * All numbers are float32 in one arena; every offset, stride and count is in elements. Shapes are row-major, images
 * are NHWC, convolution weights are HWIO. A kernel never reads or writes outside the ranges that its fields span.
 */
import type { ElementwiseOperation } from "../tensor.js";

/**
 * One pass over `count` elements through a small register machine. Registers hold one value an element.
 * `inputs[i]` is loaded into register i (an `each` input at the element's position, a `scalar` input from its single
 * element); constants follow in registers inputs.length + j; then steps run in order, each into its `target`.
 * Registers may be written again once their value is no longer needed; inputs that are scalar and constants are
 * never overwritten. An output may be the very range of an `each` input.
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

/** Most registers that a {@link MapKernel} may use. */
export const mapRegisters = 24;

/**
 * Reduces a contiguous x of shape `dims` over the axes where `reduced` is true; out is contiguous.
 * A sum of squares goes over all elements, as one axis.
 */
export interface ReduceKernel {
  readonly kind: "reduce";
  readonly operation: "sum" | "max" | "sumOfSquares";
  /** At most 6, adjacent axes of the same kind already merged. */
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
 * out[m,n] = op(a)[m,k] · op(b)[k,n] (+ bias[n]), with op a transposition where the flag is set (a is then stored
 * [k,m], b [n,k]). The epilogue, if any, is a map over out's m·n elements that is run on ranges of out while
 * they are still in cache; elementwise it means the same as running it afterwards.
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
  /** First element of `scratchLength(kernel)` elements that the kernel may overwrite. */
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

/** The adjoint of conv2d in its input: out[batch,height,width,channels] from the cotangent of conv2d's output. */
export interface Conv2dInputGradientKernel extends ConvolutionSizes {
  readonly kind: "conv2dInputGradient";
  readonly cotangent: number;
  readonly filter: number;
  readonly out: number;
  readonly scratch: number;
  readonly epilogue: MapKernel | null;
}

/** The adjoint of conv2d in its filter: out[filterHeight,filterWidth,channels,filters]. */
export interface Conv2dFilterGradientKernel extends ConvolutionSizes {
  readonly kind: "conv2dFilterGradient";
  readonly input: number;
  readonly cotangent: number;
  readonly out: number;
  readonly scratch: number;
}

/** out[r] = x[r, index[r]]; NaN where the index is no integer in [0, columns). */
export interface GatherKernel {
  readonly kind: "gather";
  readonly rows: number;
  readonly columns: number;
  readonly x: number;
  readonly index: number;
  readonly out: number;
}

/** out[r, c] = x[r] where c = index[r], else 0; a row of NaN where the index is no integer in [0, columns). */
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
  | LogSpaceKernel;

/** A machine that runs encoded kernels: WebAssembly or native. */
export interface KernelMachine {
  readonly name: "wasm" | "native";
  /**
   * Allocates one zeroed arena of `arenaLength` float32 and takes the kernels of each program.
   * @throws SoftrlError with the code `out-of-memory` when there is not enough memory; any other when a kernel reaches
   * outside the arena.
   */
  instantiate(arenaLength: number, programs: readonly (readonly Kernel[])[]): KernelInstance;
}

export interface KernelInstance {
  readonly arena: Float32Array;
  /** Runs the program of this index from its first kernel to its last. */
  run(program: number): void;
}
