import type {
  Conv2dFilterGradientKernel,
  Conv2dInputGradientKernel,
  Conv2dKernel,
  ConvolutionSizes,
  MatmulKernel,
} from "./kernel.js";

// The largest vector and panel of all targets (AVX-512), so that one plan works on every machine.
const vector = 16;
const panelColumns = 2 * vector;
const panelRows = 256;
const sweepPositions = 128;
const maxParts = 8;
const minPartOperations = 4e6;

/**
 * The number of scratch elements that a kernel needs: an upper bound over all vector lengths that the kernels
 * are compiled for.
 */
export function scratchLength(
  kernel: MatmulKernel | Conv2dKernel | Conv2dInputGradientKernel | Conv2dFilterGradientKernel,
): number {
  switch (kernel.kind) {
    case "matmul": {
      const { m, k, n } = kernel;
      // With few columns, the transposed weights or the transposed result.
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

/**
 * The number of samples that the input gradient of a convolution processes together: enough positions to fill
 * tiles, and few enough for the cache.
 */
export function convolutionGroup(sizes: ConvolutionSizes): number {
  const { height, width } = convolutionOutput(sizes);
  return Math.min(sizes.batch, Math.max(1, Math.floor(256 / (height * width))));
}

/**
 * The number of output positions per part of the filter gradient. The parts are summed separately and then
 * added: at most 8 parts, which threads can share, each large enough to be worth it. The number depends only
 * on sizes, so the result does not depend on threads.
 */
export function filterGradientPart(sizes: ConvolutionSizes): number {
  const { height, width } = convolutionOutput(sizes);
  const positions = sizes.batch * height * width;
  const operations = 2 * sizes.filterHeight * sizes.filterWidth * sizes.channels * sizes.filters;
  const worthwhile = Math.max(4 * sweepPositions, Math.ceil(minPartOperations / operations));
  return roundUp(Math.max(Math.ceil(positions / maxParts), worthwhile), sweepPositions);
}

/** The height and width of the output of conv2d. */
export function convolutionOutput(sizes: ConvolutionSizes): { height: number; width: number } {
  return {
    height: Math.floor((sizes.height - sizes.filterHeight) / sizes.strideY) + 1,
    width: Math.floor((sizes.width - sizes.filterWidth) / sizes.strideX) + 1,
  };
}

// The cotangent of one sample, padded with the zeros that the stride phases of the input gradient read.
function paddedCotangentLength(sizes: ConvolutionSizes): number {
  const height = Math.ceil(sizes.height / sizes.strideY) + Math.ceil(sizes.filterHeight / sizes.strideY) - 1;
  const width = Math.ceil(sizes.width / sizes.strideX) + Math.ceil(sizes.filterWidth / sizes.strideX) - 1;
  return height * width * sizes.filters;
}

function roundUp(n: number, multiple: number): number {
  return Math.ceil(n / multiple) * multiple;
}
