import { describe, expect, it } from "vitest";
import { type Random, RandomStreams } from "../../src/base/random.js";
import { minAtarCnn, natureCnn } from "../../src/nn/body.js";
import { channelsFirstInput, scaledInput } from "../../src/nn/input.js";
import {
  convolution,
  dense,
  flatten,
  type LayerDefinition,
  rectifier,
  sequential,
} from "../../src/nn/layer.js";
import { builtInNetworks, networkBody } from "../../src/nn/network-kind.js";
import { Parameters } from "../../src/nn/parameters.js";
import { createWasmExecutor } from "../../src/tensor/compiled/wasm-executor.js";
import { createReferenceExecutor } from "../../src/tensor/reference-executor.js";
import { type Shape, shapeSize } from "../../src/tensor/shape.js";
import { relativeDifference } from "../tensor/run.js";
import { layerDerivatives } from "./layer-derivatives.js";

const BATCH = 3;
const IMAGE: Shape = [6, 5, 2];

const reference = createReferenceExecutor();
const executors = [
  ["reference", reference, 1e-13],
  ["WebAssembly", await createWasmExecutor(), 1e-5],
] as const;

const convolutional = sequential(convolution(4, 3, 1), rectifier, flatten, dense(3));
const vectorial = sequential(flatten, dense(4), rectifier, dense(3));
const random = () => new RandomStreams(5).stream("input");
const draw = (length: number, stream: Random) => Float64Array.from({ length }, () => stream.uniform(-1, 1));

/** θ of the body, and its output and derivatives by x and θ at x, all from one seed. */
function evaluate(
  body: LayerDefinition,
  shape: Shape,
  x: Float64Array,
  executor: typeof reference = reference,
) {
  const layer = body(shape);
  const stream = random();
  const theta = new Parameters(layer.parameters).initial(stream);
  const point = [...x, ...theta];
  const weights = draw(BATCH * shapeSize(layer.outputShape), stream);
  const direction = draw(point.length, stream);
  const { y, gradient } = layerDerivatives(executor, layer, shape, BATCH)(point, weights, direction);
  return { y, byX: gradient.slice(0, x.length), byTheta: gradient.slice(x.length) };
}

/** [B, height, width, channels] as [B, channels, height, width]. */
function channelsFirst(x: Float64Array, [height, width, channels]: Shape): Float64Array {
  const size = height * width * channels;
  return x.map((_, at) => {
    const [pixel, channel] = [at % (height * width), Math.floor((at % size) / (height * width))];
    return x[Math.floor(at / size) * size + pixel * channels + channel];
  });
}

describe.each(executors)("scaledInput, %s", (_, executor, bound) => {
  it.each([
    ["a convolution, whose weights are scaled", convolutional, IMAGE],
    ["a dense layer, whose input is scaled", vectorial, IMAGE],
    ["a channels-first convolution", channelsFirstInput(convolutional), [2, 6, 5]],
  ] as const)("computes what the body computes for the scaled observation: %s", (_name, body, shape) => {
    const x = draw(BATCH * shapeSize(IMAGE), random()).map((value) => 255 * value);
    const direct = evaluate(
      body,
      shape,
      x.map((value) => value / 255),
      executor,
    );
    const scaled = evaluate(scaledInput(body, 1 / 255), shape, x, executor);
    expect(relativeDifference(scaled.y, direct.y)).toBeLessThan(bound);
    expect(relativeDifference(scaled.byTheta, direct.byTheta)).toBeLessThan(bound);
    const chained = direct.byX.map((value) => value / 255);
    expect(relativeDifference(scaled.byX, chained)).toBeLessThan(bound);
  });

  it("has a factor for each element", () => {
    const x = draw(BATCH * shapeSize(IMAGE), random());
    const factors = draw(shapeSize(IMAGE), random());
    const direct = evaluate(
      convolutional,
      IMAGE,
      x.map((value, i) => value * factors[i % factors.length]),
      executor,
    );
    const scaled = evaluate(scaledInput(convolutional, factors), IMAGE, x, executor);
    expect(relativeDifference(scaled.y, direct.y)).toBeLessThan(bound);
    expect(relativeDifference(scaled.byTheta, direct.byTheta)).toBeLessThan(bound);
  });
});

describe("scaledInput", () => {
  it("is the body itself where the factor is 1", () => {
    expect(scaledInput(convolutional, 1)).toBe(convolutional);
  });

  it("has the body's parameters", () => {
    expect(scaledInput(convolutional, 0.5)(IMAGE).parameters.map(({ name }) => name)).toEqual(
      convolutional(IMAGE).parameters.map(({ name }) => name),
    );
  });

  it("refuses factors that do not fit the input", () => {
    expect(() => scaledInput(vectorial, new Float64Array(3))([4])).toThrow(
      "scaledInput: the factors do not fit the input, expected 4 factors, got 3.",
    );
  });
});

describe.each(executors)("channelsFirstInput, %s", (_, executor, bound) => {
  it("computes what the body computes for the transposed image", () => {
    const x = draw(BATCH * shapeSize(IMAGE), random());
    const [height, width, channels] = IMAGE;
    const last = evaluate(convolutional, IMAGE, x, executor);
    const first = evaluate(
      channelsFirstInput(convolutional),
      [channels, height, width],
      channelsFirst(x, IMAGE),
      executor,
    );
    expect(relativeDifference(first.y, last.y)).toBeLessThan(bound);
    expect(relativeDifference(first.byTheta, last.byTheta)).toBeLessThan(bound);
    expect(relativeDifference(first.byX, channelsFirst(last.byX, IMAGE))).toBeLessThan(bound);
  });
});

describe("channels-first frames", () => {
  it("are refused by a convolutional network without the option", () => {
    expect(() => natureCnn()([4, 84, 84])).toThrow(
      "natureCnn: the frames are channels-first, expected [height, width, channels], got [4, 84, 84]; transpose them: --channels first",
    );
    expect(() => minAtarCnn()([4, 10, 10])).toThrow(
      "minAtarCnn: the frames are channels-first, expected [height, width, channels], got [4, 10, 10]",
    );
    for (const kind of builtInNetworks) {
      if (kind.name === "mlp") continue;
      const settings = Object.fromEntries(
        Object.entries(kind.settings).map(([name, setting]) => [name, setting.defaults.vector]),
      );
      const body = (channels: "first" | "last") =>
        networkBody(kind, settings, { inputs: "unit", channels }, 1 / 255)([4, 84, 84]);
      expect(() => body("last")).toThrow("the frames are channels-first");
      expect(body("first").outputShape).toEqual([kind.name === "nature-cnn" ? 512 : 128]);
    }
  });

  it("are images", () => {
    expect(() => channelsFirstInput(vectorial)([4])).toThrow(
      "channelsFirstInput: the observations are not images, expected [channels, height, width], got [4]; leave channels at last.",
    );
  });
});

describe("networkBody", () => {
  const [mlp] = builtInNetworks;
  const settings = { hiddenSizes: [3], activation: "tanh", layerNorm: false };
  const x = draw(BATCH * 2, random());
  const output = (inputs: "unit" | "raw") =>
    evaluate(networkBody(mlp, settings, { inputs, channels: "last" }, Float64Array.of(0.5, 2)), [2], x).y;

  it("scales unit inputs, and leaves raw ones", () => {
    const raw = evaluate(mlp.body(settings), [2], x).y;
    expect(output("raw")).toEqual(raw);
    const scaled = x.map((value, i) => value * [0.5, 2][i % 2]);
    expect(output("unit")).toEqual(evaluate(mlp.body(settings), [2], scaled).y);
  });
});
