import { add, constant, conv2d, input, normalise, program, reshape, sum } from "softrl";
import { describe, expect, test } from "vitest";
import { type OnnxGraph, onnxGraph } from "../src/exports/onnx-graph.js";
import type { PolicySteps } from "../src/exports/policy-steps.js";

/** A convolution, a normalisation and two sums of images [4, 4, 1], with these names of its three parameters. */
function stepsWith([filter, bias, scale]: readonly string[]): PolicySteps {
  const numbers = (...shape: number[]) =>
    constant(
      Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i),
      shape,
    );
  const [w, b, c, fixed] = [numbers(3, 3, 1, 2), numbers(2), numbers(8), numbers(1)];
  const parameters = new Map([
    [w, filter],
    [b, bias],
    [c, scale],
  ]);
  const features = normalise(
    reshape(add(conv2d(input("x", [2, 4, 4, 1]), w, { strideY: 1, strideX: 1 }), b), [2, 8]),
    1e-5,
  );
  const logPi = add(add(features, c), fixed);
  const { steps, outputs } = program({ outputs: { logPi, v: sum(logPi, [1]) } });
  return {
    steps: steps.map(({ tensor, inputs }) => {
      const { origin, shape } = tensor;
      return {
        tensor,
        inputs,
        shape: origin.kind === "constant" ? shape : [{ perObservation: 1 }, ...shape.slice(1)],
        known: origin.kind === "constant" ? Float64Array.from(origin.values) : null,
        parameter: parameters.get(tensor) ?? null,
      };
    }),
    outputs: new Map((["logPi", "v"] as const).map((name) => [name, outputs.get(name) ?? -1])),
  };
}

const plain = ["filter", "bias", "scale"];
const graphOf = (parameters: readonly string[]) => onnxGraph("here", stepsWith(parameters), "uint8");

/** Everything that has a name, in order. */
const namesOf = ({ inputs, tensors, nodes }: OnnxGraph): readonly string[] => [
  ...inputs.map(({ name }) => name),
  ...tensors.map(({ name }) => name),
  ...nodes.map(({ output }) => output),
];

/** What is computed from what, without names. */
function structureOf(graph: OnnxGraph) {
  const names = namesOf(graph);
  return {
    tensors: graph.tensors.map(({ shape, values }) => ({ shape, values })),
    nodes: graph.nodes.map(({ operator, inputs, attributes }) => ({
      operator,
      inputs: inputs.map((name) => names.indexOf(name)),
      attributes,
    })),
    outputs: graph.outputs.map(({ name }) => names.indexOf(name)),
  };
}

describe("the names of an ONNX graph", () => {
  const graph = graphOf(plain);

  test("parameters keep theirs, the input and the outputs have those that are documented", () => {
    expect(namesOf(graph)).toEqual(expect.arrayContaining(["filter.channelsFirst", "bias", "scale"]));
    expect(graph.inputs.map(({ name }) => name)).toEqual(["observations"]);
    expect(graph.outputs.map(({ name }) => name)).toEqual(["logPi", "v"]);
  });

  const own = namesOf(graph).filter((name) => !plain.includes(name));
  test.each(own)("a parameter that is named %s gets in the way of no other value", (name) => {
    for (const [i] of plain.entries()) {
      const clashing = graphOf(plain.map((usual, j) => (i === j ? name : usual)));
      const names = namesOf(clashing);
      expect(new Set(names).size).toBe(names.length);
      expect(structureOf(clashing)).toEqual(structureOf(graph));
      expect(clashing.inputs.map((value) => value.name)).toEqual(["observations"]);
      expect(clashing.outputs.map((value) => value.name)).toEqual(["logPi", "v"]);
    }
  });
});
