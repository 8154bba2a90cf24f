import { fail } from "../../base/errors.js";
import { formatShape, type Shape } from "../shape.js";
import { apply, type ConvolutionStrides, type Primitive, type Tensor } from "../tensor.js";

// A convolution is bilinear in input and filter; together with its two adjoints it is closed under
// differentiation.

function outputLength(length: number, filter: number, stride: number): number {
  return Math.floor((length - filter) / stride) + 1;
}

function requireConvolution(
  where: string,
  input: Shape,
  filter: Shape,
  { strideY, strideX }: ConvolutionStrides,
): void {
  const fits =
    input.length === 4 &&
    filter.length === 4 &&
    input[3] === filter[2] &&
    filter[0] <= input[1] &&
    filter[1] <= input[2] &&
    Number.isInteger(strideY) &&
    Number.isInteger(strideX) &&
    strideY >= 1 &&
    strideX >= 1;
  if (!fits) {
    fail(where, "the shapes do not fit", {
      expected:
        "an input [batch, height, width, channels], a filter [height, width, channels, filters] that is not larger, and strides of at least 1",
      got: `${formatShape(input)}, ${formatShape(filter)}, strides ${strideY} and ${strideX}`,
    });
  }
}

/** Calls `visit(input offset, filter offset, output offset)` for every product of the convolution. */
function visitProducts(
  input: Shape,
  filter: Shape,
  { strideY, strideX }: ConvolutionStrides,
  visit: (input: number, filter: number, output: number) => void,
): void {
  const [batch, height, width, channels] = input;
  const [filterHeight, filterWidth, , filters] = filter;
  const outHeight = outputLength(height, filterHeight, strideY);
  const outWidth = outputLength(width, filterWidth, strideX);
  for (let b = 0; b < batch; b++)
    for (let y = 0; y < outHeight; y++)
      for (let x = 0; x < outWidth; x++)
        for (let i = 0; i < filterHeight; i++)
          for (let j = 0; j < filterWidth; j++)
            for (let c = 0; c < channels; c++) {
              const from = ((b * height + y * strideY + i) * width + x * strideX + j) * channels + c;
              const weight = ((i * filterWidth + j) * channels + c) * filters;
              const to = ((b * outHeight + y) * outWidth + x) * filters;
              for (let o = 0; o < filters; o++) visit(from, weight + o, to + o);
            }
}

const conv2dPrimitive: Primitive<"conv2d"> = {
  name: "conv2d",
  shape([input, filter], strides) {
    requireConvolution("conv2d", input, filter, strides);
    return [
      input[0],
      outputLength(input[1], filter[0], strides.strideY),
      outputLength(input[2], filter[1], strides.strideX),
      filter[3],
    ];
  },
  derivative({ inputs: [input, filter], attributes }, g) {
    return [
      inputGradient(g, filter, input.shape, attributes),
      filterGradient(input, g, filter.shape, attributes),
    ];
  },
  kernel(out, [input, filter], shapes, strides) {
    const total = new Float64Array(out.length);
    visitProducts(shapes.inputs[0], shapes.inputs[1], strides, (x, w, y) => {
      total[y] += input[x] * filter[w];
    });
    out.set(total);
  },
};

function requireCotangent(
  where: string,
  cotangent: Shape,
  input: Shape,
  filter: Shape,
  strides: ConvolutionStrides,
): void {
  requireConvolution(where, input, filter, strides);
  const expected = conv2dPrimitive.shape([input, filter], strides);
  if (formatShape(expected) !== formatShape(cotangent)) {
    fail(where, "the cotangent does not fit", {
      expected: formatShape(expected),
      got: formatShape(cotangent),
    });
  }
}

const inputGradientPrimitive: Primitive<"conv2dInputGradient"> = {
  name: "conv2dInputGradient",
  shape([cotangent, filter], attributes) {
    const shape = [cotangent[0], attributes.height, attributes.width, filter[2]];
    requireCotangent("conv2dInputGradient", cotangent, shape, filter, attributes);
    return shape;
  },
  derivative({ inputs: [cotangent, filter], attributes }, g) {
    return [conv2d(g, filter, attributes), filterGradient(g, cotangent, filter.shape, attributes)];
  },
  kernel(out, [cotangent, filter], shapes, attributes) {
    const total = new Float64Array(out.length);
    visitProducts(shapes.out, shapes.inputs[1], attributes, (x, w, y) => {
      total[x] += cotangent[y] * filter[w];
    });
    out.set(total);
  },
};

const filterGradientPrimitive: Primitive<"conv2dFilterGradient"> = {
  name: "conv2dFilterGradient",
  shape([input, cotangent], attributes) {
    const shape = [attributes.filterHeight, attributes.filterWidth, input[3], cotangent[3]];
    requireCotangent("conv2dFilterGradient", cotangent, input, shape, attributes);
    return shape;
  },
  derivative({ inputs: [input, cotangent], attributes }, g) {
    return [inputGradient(cotangent, g, input.shape, attributes), conv2d(input, g, attributes)];
  },
  kernel(out, [input, cotangent], shapes, attributes) {
    const total = new Float64Array(out.length);
    visitProducts(shapes.inputs[0], shapes.out, attributes, (x, w, y) => {
      total[w] += input[x] * cotangent[y];
    });
    out.set(total);
  },
};

function inputGradient(
  cotangent: Tensor,
  filter: Tensor,
  input: Shape,
  { strideY, strideX }: ConvolutionStrides,
): Tensor {
  const attributes = { strideY, strideX, height: input[1], width: input[2] };
  return apply(inputGradientPrimitive, [cotangent, filter], attributes);
}

function filterGradient(
  input: Tensor,
  cotangent: Tensor,
  filter: Shape,
  { strideY, strideX }: ConvolutionStrides,
): Tensor {
  const attributes = { strideY, strideX, filterHeight: filter[0], filterWidth: filter[1] };
  return apply(filterGradientPrimitive, [input, cotangent], attributes);
}

/**
 * Convolution with valid padding: out[b,y,x,o] = Σ input[b, y·strideY+i, x·strideX+j, c] · filter[i,j,c,o].
 *
 * @param input [batch, height, width, channels]
 * @param filter [height, width, channels, filters]
 */
export function conv2d(input: Tensor, filter: Tensor, { strideY, strideX }: ConvolutionStrides): Tensor {
  return apply(conv2dPrimitive, [input, filter], { strideY, strideX });
}

export const convolutionPrimitives = {
  conv2d: conv2dPrimitive,
  conv2dInputGradient: inputGradientPrimitive,
  conv2dFilterGradient: filterGradientPrimitive,
};
