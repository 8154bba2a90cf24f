import { fail } from "../base/errors.js";
import { add, conv2d, matmul, mul, relu, reshape, tanh } from "../tensor/operations.js";
import { formatShape, type Shape, shapeSize } from "../tensor/shape.js";
import type { Tensor } from "../tensor/tensor.js";
import { type Initialiser, orthogonal, zeros } from "./initialiser.js";
import type { ParameterSpec } from "./parameters.js";

/** A function of an input and of parameters, for one input shape. Shapes leave the batch axis out. */
export interface Layer {
  readonly outputShape: Shape;
  readonly parameters: readonly ParameterSpec[];
  /** @param x [B, ...input shape]; @param parameters as listed; @returns [B, ...outputShape] */
  apply(x: Tensor, parameters: readonly Tensor[]): Tensor;
}

/** A layer that is yet to see its input shape. */
export type LayerDefinition = (inputShape: Shape) => Layer;

/** x W + b. Orthogonal weights of gain √2 and zero biases, unless said otherwise. */
export function dense(units: number, initialiser: Initialiser = orthogonal(Math.SQRT2)): LayerDefinition {
  return (inputShape) => {
    if (inputShape.length !== 1) {
      fail("dense", "the input is not a vector", {
        expected: "[features]",
        got: formatShape(inputShape),
        remedy: "put flatten() before it",
      });
    }
    return {
      outputShape: [units],
      parameters: [
        { name: "weight", shape: [inputShape[0], units], initialiser },
        { name: "bias", shape: [units], initialiser: zeros },
      ],
      apply: (x, [weight, bias]) => add(matmul(x, weight), bias),
    };
  };
}

/** What a convolution may have besides its sizes. */
export interface ConvolutionOptions {
  /** Orthogonal of gain √2 by default. */
  readonly initialiser?: Initialiser;
  /** Factor on the input, for instance 1/255 for bytes. It is put on the weights, which are fewer. */
  readonly inputScale?: number;
}

/** A convolution [height, width, channels] → [height', width', filters], valid padding, square filter and stride. */
export function convolution(
  filters: number,
  size: number,
  stride: number,
  { initialiser = orthogonal(Math.SQRT2), inputScale = 1 }: ConvolutionOptions = {},
): LayerDefinition {
  return (inputShape) => {
    const [height, width, channels] = inputShape;
    if (inputShape.length !== 3 || height < size || width < size) {
      fail("convolution", "the input does not fit", {
        expected: `[height, width, channels] of at least ${size} × ${size}`,
        got: formatShape(inputShape),
      });
    }
    const length = (input: number) => Math.floor((input - size) / stride) + 1;
    return {
      outputShape: [length(height), length(width), filters],
      parameters: [
        { name: "weight", shape: [size, size, channels, filters], initialiser },
        { name: "bias", shape: [filters], initialiser: zeros },
      ],
      apply(x, [weight, bias]) {
        const scaled = inputScale === 1 ? weight : mul(weight, inputScale);
        return add(conv2d(x, scaled, { strideY: stride, strideX: stride }), bias);
      },
    };
  };
}

/** A layer without parameters that keeps the shape. */
const elementwise =
  (formula: (x: Tensor) => Tensor): LayerDefinition =>
  (inputShape) => ({ outputShape: inputShape, parameters: [], apply: formula });

/** max(x, 0) */
export const rectifier: LayerDefinition = elementwise(relu);
/** tanh x */
export const hyperbolicTangent: LayerDefinition = elementwise(tanh);
/** x · factor */
export const scale = (factor: number): LayerDefinition => elementwise((x) => mul(x, factor));

/** All axes but the batch as one. */
export const flatten: LayerDefinition = (inputShape) => ({
  outputShape: [shapeSize(inputShape)],
  parameters: [],
  apply: (x) => reshape(x, [x.shape[0], shapeSize(inputShape)]),
});

/** Layers one after another; parameters are named `position.name`. */
export function sequential(...definitions: readonly LayerDefinition[]): LayerDefinition {
  return (inputShape) => {
    const layers: Layer[] = [];
    let shape = inputShape;
    for (const definition of definitions) {
      const layer = definition(shape);
      layers.push(layer);
      shape = layer.outputShape;
    }
    return {
      outputShape: shape,
      parameters: layers.flatMap((layer, i) =>
        layer.parameters.map((spec) => ({ ...spec, name: `${i}.${spec.name}` })),
      ),
      apply(x, parameters) {
        let next = 0;
        return layers.reduce((value, layer) => {
          const own = parameters.slice(next, next + layer.parameters.length);
          next += own.length;
          return layer.apply(value, own);
        }, x);
      },
    };
  };
}
