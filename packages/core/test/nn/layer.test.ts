import { describe, expect, it } from "vitest";
import { RandomStreams } from "../../src/base/random.js";
import { ones } from "../../src/nn/initialiser.js";
import { scaledInput } from "../../src/nn/input.js";
import {
  convolution,
  dense,
  flatten,
  hyperbolicTangent,
  type LayerDefinition,
  rectifier,
  sequential,
  silu,
} from "../../src/nn/layer.js";
import { layerNorm } from "../../src/nn/layer-norm.js";
import { Parameters } from "../../src/nn/parameters.js";
import { createReferenceExecutor } from "../../src/tensor/reference-executor.js";
import type { Shape } from "../../src/tensor/shape.js";
import { relativeDifference } from "../tensor/run.js";
import { wasmExecutors } from "../tensor/wasm-builds.js";
import { layerDerivatives } from "./layer-derivatives.js";

const reference = createReferenceExecutor();
const [wasm] = wasmExecutors;
const executors = [
  ["float64", reference, 1e-14],
  ...wasmExecutors.map((executor) => [executor.name, executor, 1e-6] as const),
] as const;

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
const activations: Record<
  string,
  { layer: LayerDefinition; f: (x: number) => number; slope: typeof Math.abs }
> = {
  tanh: { layer: hyperbolicTangent, f: Math.tanh, slope: (x) => 1 / Math.cosh(x) ** 2 },
  ReLU: { layer: rectifier, f: (x) => Math.max(x, 0), slope: (x) => (x > 0 ? 1 : 0) },
  SiLU: {
    layer: silu,
    f: (x) => x * sigmoid(x),
    slope: (x) => sigmoid(x) * (1 + x * sigmoid(-x)),
  },
};

describe.each(Object.entries(activations))("%s", (_, { layer, f, slope }) => {
  it.each(executors)("has its formula's values and derivatives in %s", (_name, executor, bound) => {
    const x = Float64Array.from({ length: 161 }, (_, i) => (i - 80) / 8);
    const at = layerDerivatives(executor, layer([1]), [1], x.length);
    const { y, gradient } = at(
      x,
      x.map(() => 1),
      x,
    );
    expect(relativeDifference(y, x.map(f))).toBeLessThan(bound);
    expect(relativeDifference(gradient, x.map(slope))).toBeLessThan(bound);
  });

  it.each(executors)("neither overflows nor loses its gradient up to ±1e4 in %s", (_name, executor) => {
    const x = Float64Array.from([-1e4, -1e3, -100, -88, -40, 40, 88, 100, 1e3, 1e4]);
    const at = layerDerivatives(executor, layer([1]), [1], x.length);
    const { y, gradient, hessianProduct } = at(
      x,
      x.map(() => 1),
      x.map(() => 1),
    );
    x.forEach((value, i) => {
      expect(Math.abs(y[i] - f(value)), `f(${value})`).toBeLessThanOrEqual(1e-12 * Math.abs(value));
      expect(Math.abs(gradient[i] - slope(value)), `f′(${value})`).toBeLessThan(1e-12);
      expect(Math.abs(hessianProduct[i]), `f″(${value})`).toBeLessThan(1e-12);
    });
  });

  it("lets NaN through", () => {
    const at = layerDerivatives(wasm, layer([1]), [1], 1);
    expect(at([Number.NaN], [1], [1]).y[0]).toBeNaN();
  });
});

describe("SiLU", () => {
  it.each(executors)(
    "keeps its digits for negative inputs, where it is small, in %s",
    (_name, executor, bound) => {
      const x = Float64Array.from({ length: 76 }, (_, i) => -2 - i / 2);
      const at = layerDerivatives(executor, silu([1]), [1], x.length);
      const { y, gradient } = at(
        x,
        x.map(() => 1),
        x,
      );
      x.forEach((value, i) => {
        const exact = value * sigmoid(value);
        expect(Math.abs(y[i] / exact - 1), `silu(${value})`).toBeLessThan(bound);
        const exactSlope = sigmoid(value) * (1 + value * sigmoid(-value));
        expect(Math.abs(gradient[i] / exactSlope - 1), `slope at ${value}`).toBeLessThan(8 * bound);
      });
    },
  );
});

const layers: Record<string, { definition: LayerDefinition; shape: Shape }> = {
  dense: { definition: dense(3), shape: [4] },
  convolution: { definition: scaledInput(convolution(2, 2, 1), 0.5), shape: [3, 4, 2] },
  tanh: { definition: hyperbolicTangent, shape: [5] },
  SiLU: { definition: silu, shape: [5] },
  "layerNorm of a vector": { definition: layerNorm(), shape: [5] },
  "layerNorm of an image": { definition: layerNorm({ epsilon: 1e-3 }), shape: [2, 3, 4] },
  "a chain of them": {
    definition: sequential(convolution(3, 2, 1), layerNorm(), silu, flatten, dense(4), layerNorm(), silu),
    shape: [3, 3, 2],
  },
};

describe.each(Object.entries(layers))("%s", (_, { definition, shape }) => {
  const batch = 3;
  const layer = definition(shape);
  const random = new RandomStreams(6).stream("point");
  const theta = new Parameters(layer.parameters)
    .initial(random)
    .map((value) => value + random.uniform(-0.3, 0.3));
  const draw = (length: number) => Float64Array.from({ length }, () => random.uniform(-2, 2));
  const point = Float64Array.from([...draw(batch * shape.reduce((a, b) => a * b, 1)), ...theta]);
  const weights = draw(batch * layer.outputShape.reduce((a, b) => a * b, 1));
  const direction = draw(point.length);
  const at = layerDerivatives(reference, layer, shape, batch);
  const exact = at(point, weights, direction);

  it("has the gradient, and the gradient of the gradient, of finite differences", () => {
    const h = 1e-5;
    const total = (values: Float64Array, factors: Float64Array) =>
      values.reduce((result, value, i) => result + value * factors[i], 0);
    const slopes = (value: (shifted: Float64Array) => number) =>
      point.map((_, i) => {
        const shifted = (by: number) => point.map((p, j) => (i === j ? p + by : p));
        return (value(shifted(h)) - value(shifted(-h))) / (2 * h);
      });
    const first = slopes((p) => total(at(p, weights, direction).y, weights));
    const second = slopes((p) => total(at(p, weights, direction).gradient, direction));
    expect(relativeDifference(exact.gradient, first)).toBeLessThan(1e-8);
    expect(relativeDifference(exact.hessianProduct, second)).toBeLessThan(1e-7);
  });

  it.each(wasmExecutors)("computes the same on $name", (executor) => {
    const fast = layerDerivatives(executor, layer, shape, batch)(point, weights, direction);
    expect(relativeDifference(fast.y, exact.y)).toBeLessThan(2e-6);
    expect(relativeDifference(fast.gradient, exact.gradient)).toBeLessThan(1e-5);
    expect(relativeDifference(fast.hessianProduct, exact.hessianProduct)).toBeLessThan(1e-5);
  });
});

/** (x − μ) / √(σ² + ε) · scale + bias of each group of `features` numbers, in float64. */
function normalised(
  x: ArrayLike<number>,
  scale: ArrayLike<number>,
  bias: ArrayLike<number>,
  epsilon: number,
): Float64Array {
  const features = scale.length;
  const y = new Float64Array(x.length);
  for (let first = 0; first < x.length; first += features) {
    let mean = 0;
    for (let f = 0; f < features; f++) mean += x[first + f] / features;
    let variance = 0;
    for (let f = 0; f < features; f++) variance += (x[first + f] - mean) ** 2 / features;
    for (let f = 0; f < features; f++) {
      y[first + f] = ((x[first + f] - mean) / Math.sqrt(variance + epsilon)) * scale[f] + bias[f];
    }
  }
  return y;
}

describe("layerNorm", () => {
  const random = new RandomStreams(9).stream("inputs");
  const draw = (length: number, low: number, high: number) =>
    Float32Array.from({ length }, () => random.uniform(low, high));

  it.each(
    executors.flatMap(([name, executor, bound]) =>
      [[7], [64], [3, 2, 5]].map((shape) => [JSON.stringify(shape), name, shape, executor, bound] as const),
    ),
  )("normalises the last axis of %s in %s", (_shape, _name, shape, executor, bound) => {
    const features = shape[shape.length - 1];
    const size = 4 * shape.reduce((a, b) => a * b, 1);
    const x = draw(size, -3, 5);
    const scale = draw(features, 0.5, 2);
    const bias = draw(features, -1, 1);
    const at = layerDerivatives(executor, layerNorm()(shape), shape, 4);
    const { y } = at(
      [...x, ...scale, ...bias],
      new Float64Array(size),
      new Float64Array(size + 2 * features),
    );
    expect(relativeDifference(y, normalised(x, scale, bias, 1e-6))).toBeLessThan(bound);
  });

  it("keeps its digits where the mean is far larger than the deviation", () => {
    const x = draw(4 * 32, 1e4, 1e4 + 4);
    const [scale, bias] = [new Float32Array(32).fill(1), new Float32Array(32)];
    const at = layerDerivatives(wasm, layerNorm()([32]), [32], 4);
    const { y } = at([...x, ...scale, ...bias], new Float64Array(128), new Float64Array(128 + 64));
    expect(relativeDifference(y, normalised(x, scale, bias, 1e-6))).toBeLessThan(1e-3);
  });

  it("gives the bias, and finite derivatives, where all features are equal", () => {
    const at = layerDerivatives(wasm, layerNorm()([3]), [3], 2);
    const { y, gradient } = at(
      [5, 5, 5, 0, 0, 0, 2, 2, 2, 1, -1, 0.5],
      [1, 2, 3, 4, 5, 6],
      new Float64Array(12),
    );
    expect(Array.from(y)).toEqual([1, -1, 0.5, 1, -1, 0.5]);
    for (const slope of gradient) expect(Number.isFinite(slope)).toBe(true);
  });

  it("starts with scale 1 and bias 0", () => {
    const { parameters } = layerNorm()([4, 4, 2]);
    expect(parameters.map(({ name, shape }) => [name, shape])).toEqual([
      ["scale", [2]],
      ["bias", [2]],
    ]);
    expect(Array.from(new Parameters(parameters).initial(random))).toEqual([1, 1, 0, 0]);
    expect(Array.from(ones([2, 2], random))).toEqual([1, 1, 1, 1]);
  });
});

describe("a layer that does not fit", () => {
  it.each<[string, () => unknown, string]>([
    [
      "dense on an image",
      () => dense(4)([8, 8, 3]),
      "dense: the input is not a vector, expected [features], got [8, 8, 3]; put `flatten` before the dense layer.",
    ],
    [
      "a convolution larger than its input",
      () => convolution(8, 8, 4)([6, 10, 1]),
      "convolution: the input does not fit, expected [height, width, channels] of at least 8 × 8, got [6, 10, 1]; use smaller filters or larger inputs.",
    ],
    [
      "a convolution of a vector",
      () => convolution(8, 3, 1)([4]),
      "convolution: the input does not fit, expected [height, width, channels] of at least 3 × 3, got [4]; use dense layers for vectors.",
    ],
    [
      "layerNorm of a scalar",
      () => layerNorm()([]),
      "layerNorm: the input is a scalar, expected [..., features], got [].",
    ],
    ["a negative ε", () => layerNorm({ epsilon: -1 }), "layerNorm: epsilon is out of range"],
    ["no units", () => dense(0), "dense: units is out of range, expected an integer of at least 1, got 0."],
    ["half a filter", () => convolution(0.5, 3, 1), "convolution: filters is out of range"],
    ["a stride of zero", () => convolution(8, 3, 0), "convolution: stride is out of range"],
  ])("refuses %s", (_, make, message) => {
    expect(make).toThrow(message);
  });
});
