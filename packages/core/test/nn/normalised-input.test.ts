import {
  channelsFirstInput,
  constant,
  createReferenceExecutor,
  gradientVector,
  minAtarCnn,
  mlp,
  normalisedInput,
  Parameters,
  RandomStreams,
  square,
  sum,
} from "softrl";
import { describe, expect, it } from "vitest";
import { evaluateTensor } from "../tensor/run.js";

const reference = createReferenceExecutor();
const random = () => new RandomStreams(1).stream("parameters");

describe("normalisedInput", () => {
  it("applies the body to clip((x − mean) · inverseDeviation, ±10)", () => {
    const layer = normalisedInput(mlp([]))([3]);
    expect(layer.outputShape).toEqual([3]);
    const y = layer.apply(constant([1, 2, 3, 100, -100, 3], [2, 3]), [
      constant([1, 0, 2]),
      constant([1, 0.5, 4]),
    ]);
    expect(Array.from(evaluateTensor(reference, y))).toEqual([0, 1, 4, 10, -10, 4]);
  });

  it("starts with mean 0 and the initial scale, without a draw from the stream", () => {
    const initial = (scale: number | Float64Array) =>
      Array.from(new Parameters(normalisedInput(mlp([]), scale)([2]).parameters).initial(random()));
    expect(initial(1)).toEqual([0, 0, 1, 1]);
    expect(initial(0.5)).toEqual([0, 0, 0.5, 0.5]);
    expect(initial(Float64Array.of(0.5, 2))).toEqual([0, 0, 0.5, 2]);
    const body = new Parameters(mlp([3])([2]).parameters).initial(random());
    const whole = new Parameters(normalisedInput(mlp([3]))([2]).parameters).initial(random());
    expect(whole.subarray(4)).toEqual(body);
    expect(() => normalisedInput(mlp([3]), Float64Array.of(1))([2])).toThrow(
      "normalisedInput: the initial scale does not fit the input, expected 2 factors, got 1.",
    );
  });

  it("has statistics for parameters that no gradient reaches", () => {
    const layer = normalisedInput(mlp([3]))([2]);
    expect(layer.parameters.map(({ name, shape, statistic }) => [name, shape, statistic])).toEqual([
      ["inputs.mean", [2], "mean"],
      ["inputs.inverseDeviation", [2], "inverseDeviation"],
      ["1.weight", [2, 3], undefined],
      ["1.bias", [3], undefined],
    ]);
    const parameters = new Parameters(layer.parameters);
    const views = parameters.views(constant(parameters.initial(random())));
    const y = sum(square(layer.apply(constant([0.3, -2], [1, 2]), views)));
    const gradient = Array.from(evaluateTensor(reference, gradientVector(y, views)));
    expect(gradient.slice(0, 4)).toEqual([0, 0, 0, 0]);
    expect(gradient.slice(4).some((x) => x !== 0)).toBe(true);
  });

  it("has a statistic per pixel, in the layout of the observation", () => {
    const layer = normalisedInput(channelsFirstInput(minAtarCnn()))([4, 10, 10]);
    expect(layer.parameters[0].shape).toEqual([4, 10, 10]);
    const parameters = new Parameters(layer.parameters);
    const views = parameters.views(constant(parameters.initial(random())));
    const x = constant(new Float64Array(800).fill(1), [2, 4, 10, 10]);
    expect(layer.apply(x, views).shape).toEqual([2, 128]);
  });
});
