import type {
  Conv2dFilterGradientKernel,
  Conv2dInputGradientKernel,
  Conv2dKernel,
  ConvolutionSizes,
  MatmulKernel,
} from "./kernel.js";

// The largest vector and panel among all targets (AVX-512), so that one plan serves every machine.
const vector = 16;
const panelColumns = 2 * vector;
const panelRows = 256;
const sweepPositions = 128;
const mostParts = 8;
const leastPartOperations = 4e6;

/** Elements of scratch that a kernel needs: an upper bound over every vector length that the kernels are built for. */
export function scratchLength(
  kernel: MatmulKernel | Conv2dKernel | Conv2dInputGradientKernel | Conv2dFilterGradientKernel,
): number {
  switch (kernel.kind) {
    case "matmul": {
      const { m, k, n } = kernel;
      // With few columns: the transposed weights, or the transposed result.
      const narrow = n < vector ? n * Math.max(m, k) : 0;
      return panelColumns * Math.min(k, panelRows) + narrow;
    }
    case "conv2d":
      return kernel.filterHeight * kernel.filterWidth * kernel.channels * roundUp(kernel.filters, vector);
    case "conv2dInputGradient": {
      const regrouped =
        kernel.filterHeight * kernel.filterWidth * kernel.filters * roundUp(kernel.channels, vector);
      return regrouped + convolutionGroup(kernel) * paddedCotangentLength(kernel);
    }
    case "conv2dFilterGradient": {
      const { height, width } = convolutionOutput(kernel);
      const positions = kernel.batch * height * width;
      const parts = Math.ceil(positions / filterGradientPart(kernel));
      const filter = kernel.filterHeight * kernel.filterWidth * kernel.channels * kernel.filters;
      return Math.min(sweepPositions, positions) * roundUp(kernel.filters, vector) + (parts - 1) * filter;
    }
  }
}

/** Samples that the input gradient of a convolution handles together: enough positions to fill tiles, few enough for the cache. */
export function convolutionGroup(sizes: ConvolutionSizes): number {
  const { height, width } = convolutionOutput(sizes);
  return Math.min(sizes.batch, Math.max(1, Math.floor(256 / (height * width))));
}

/**
 * Output positions that the filter gradient sums at a time, before it sums the sums: at most 8 parts that threads can
 * share, each worth it. It depends on sizes alone, so that the sum does not depend on threads.
 */
export function filterGradientPart(sizes: ConvolutionSizes): number {
  const { height, width } = convolutionOutput(sizes);
  const positions = sizes.batch * height * width;
  const operations = 2 * sizes.filterHeight * sizes.filterWidth * sizes.channels * sizes.filters;
  const worthwhile = Math.max(4 * sweepPositions, Math.ceil(leastPartOperations / operations));
  return roundUp(Math.max(Math.ceil(positions / mostParts), worthwhile), sweepPositions);
}

/** Height and width of conv2d's output. */
export function convolutionOutput(sizes: ConvolutionSizes): { height: number; width: number } {
  return {
    height: Math.floor((sizes.height - sizes.filterHeight) / sizes.strideY) + 1,
    width: Math.floor((sizes.width - sizes.filterWidth) / sizes.strideX) + 1,
  };
}

// One sample's cotangent with the zeros around it that the stride phases of the input gradient read.
function paddedCotangentLength(sizes: ConvolutionSizes): number {
  const height = Math.ceil(sizes.height / sizes.strideY) + Math.ceil(sizes.filterHeight / sizes.strideY) - 1;
  const width = Math.ceil(sizes.width / sizes.strideX) + Math.ceil(sizes.filterWidth / sizes.strideX) - 1;
  return height * width * sizes.filters;
}

function roundUp(n: number, multiple: number): number {
  return Math.ceil(n / multiple) * multiple;
}
