import { fail, requireInteger } from "../base/errors.js";
import {
  add,
  conv2d,
  div,
  exp,
  matmul,
  maximum,
  mul,
  neg,
  relu,
  reshape,
  tanh,
} from "../tensor/operations.js";
import { formatShape, type Shape, shapeSize } from "../tensor/shape.js";
import type { Tensor } from "../tensor/tensor.js";
import { type Initialiser, orthogonal, zeros } from "./initialiser.js";
import type { ParameterSpec } from "./parameters.js";

/** A function of an input and of parameters, for one input shape. Shapes omit the batch axis. */
export interface Layer {
  readonly outputShape: Shape;
  readonly parameters: readonly ParameterSpec[];
  /**
   * @param x [B, ...inputShape]
   * @param parameters one tensor per entry of `parameters`, in that order
   * @returns [B, ...outputShape]
   */
  apply(x: Tensor, parameters: readonly Tensor[]): Tensor;
  /** {@link apply} of x · factor, where the layer can do it without a pass over x. */
  applyScaled?(x: Tensor, parameters: readonly Tensor[], factor: number): Tensor;
}

/** Makes a layer for a given input shape. */
export type LayerDefinition = (inputShape: Shape) => Layer;

/**
 * x W + b. Weights start orthogonal with gain √2 by default, biases at zero.
 * @throws SoftrlError if the input is not a vector.
 */
export function dense(units: number, initialiser: Initialiser = orthogonal(Math.SQRT2)): LayerDefinition {
  requireInteger("dense", "units", units, 1);
  return (inputShape) => {
    if (inputShape.length !== 1) {
      fail("dense", "the input is not a vector", {
        expected: "[features]",
        got: formatShape(inputShape),
        remedy: "put `flatten` before the dense layer",
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

/** Optional parts of a convolution. */
export interface ConvolutionOptions {
  /** Orthogonal with gain √2 by default. */
  readonly initialiser?: Initialiser;
}

/**
 * A convolution with bias: [height, width, channels] → [height', width', filters], without padding.
 *
 * @param size height and width of the filters; @param stride in both directions
 * @throws SoftrlError if the input is not [height, width, channels] or is smaller than a filter.
 */
export function convolution(
  filters: number,
  size: number,
  stride: number,
  { initialiser = orthogonal(Math.SQRT2) }: ConvolutionOptions = {},
): LayerDefinition {
  requireInteger("convolution", "filters", filters, 1);
  requireInteger("convolution", "size", size, 1);
  requireInteger("convolution", "stride", stride, 1);
  return (inputShape) => {
    const [height, width, channels] = inputShape;
    if (inputShape.length !== 3 || height < size || width < size) {
      fail("convolution", "the input does not fit", {
        expected: `[height, width, channels] of at least ${size} × ${size}`,
        got: formatShape(inputShape),
        remedy:
          inputShape.length === 3 ? "use smaller filters or larger inputs" : "use dense layers for vectors",
      });
    }
    const length = (input: number) => Math.floor((input - size) / stride) + 1;
    return {
      outputShape: [length(height), length(width), filters],
      parameters: [
        { name: "weight", shape: [size, size, channels, filters], initialiser },
        { name: "bias", shape: [filters], initialiser: zeros },
      ],
      apply: (x, parameters) => apply(x, parameters, 1),
      // The weights are fewer than the pixels.
      applyScaled: apply,
    };
  };

  function apply(x: Tensor, [weight, bias]: readonly Tensor[], factor: number): Tensor {
    const scaled = factor === 1 ? weight : mul(weight, factor);
    return add(conv2d(x, scaled, { strideY: stride, strideX: stride }), bias);
  }
}

/** An element-by-element function as a layer. */
const elementwise =
  (formula: (x: Tensor) => Tensor): LayerDefinition =>
  (inputShape) => ({ outputShape: inputShape, parameters: [], apply: formula });

/** ReLU: max(x, 0) */
export const rectifier: LayerDefinition = elementwise(relu);
/** tanh x */
export const hyperbolicTangent: LayerDefinition = elementwise(tanh);
/**
 * SiLU, also called swish: x σ(x) = x / (1 + e⁻ˣ) (Elfwing et al. 2018).
 *
 * Below x = −40, where SiLU is −1.7 · 10⁻¹⁶, e⁻ˣ keeps its value e⁴⁰: neither it nor its derivatives overflow float32.
 */
export const silu: LayerDefinition = elementwise((x) => div(x, add(1, exp(neg(maximum(x, -40))))));
/** x · factor */
export const scale = (factor: number): LayerDefinition => elementwise((x) => mul(x, factor));

/** Reshapes [B, ...inputShape] to [B, size]. */
export const flatten: LayerDefinition = (inputShape) => ({
  outputShape: [shapeSize(inputShape)],
  parameters: [],
  apply: (x) => reshape(x, [x.shape[0], shapeSize(inputShape)]),
});

/** Applies layers one after another. Parameters are named `position.name`, positions count from 0. */
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
      apply: (x, parameters) => applyAll(layers, x, parameters, 1),
      ...(layers[0]?.applyScaled === undefined
        ? {}
        : { applyScaled: (x, parameters, factor) => applyAll(layers, x, parameters, factor) }),
    };
  };
}

/** The layers one after another, on x · factor. */
function applyAll(
  layers: readonly Layer[],
  x: Tensor,
  parameters: readonly Tensor[],
  factor: number,
): Tensor {
  let next = 0;
  return layers.reduce((value, layer, i) => {
    const own = parameters.slice(next, next + layer.parameters.length);
    next += own.length;
    const scaled = i === 0 && factor !== 1 ? layer.applyScaled?.(value, own, factor) : undefined;
    return scaled ?? layer.apply(value, own);
  }, x);
}
