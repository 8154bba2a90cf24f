import { describe, expect, it } from "vitest";
import { RandomStreams } from "../../src/base/random.js";
import { gradient } from "../../src/tensor/gradient.js";
import { abs, constant, input, mul, sum } from "../../src/tensor/operations.js";
import { primitives } from "../../src/tensor/primitives/table.js";
import { program } from "../../src/tensor/program.js";
import { createReferenceExecutor } from "../../src/tensor/reference-executor.js";
import type { PrimitiveName, Tensor } from "../../src/tensor/tensor.js";
import { drawInputs, type Example, examples } from "./primitive-examples.js";
import { evaluateTensor, relativeDifference, runOnce } from "./run.js";
import { expectSpecialNumbers } from "./special-numbers.js";
import { wasmExecutors } from "./wasm-builds.js";

const reference = createReferenceExecutor();
const streams = new RandomStreams(7);

const named = (values: readonly Float64Array[]) => Object.fromEntries(values.map((v, i) => [`x${i}`, v]));

/** Reduces a tensor to a scalar with random weights, so that the derivative of every element is checked. */
function weighted(y: Tensor, seed: number): Tensor {
  const random = new RandomStreams(seed).stream("weights");
  return sum(
    mul(
      y,
      constant(
        Float64Array.from({ length: y.size }, () => random.uniform(-1, 1)),
        y.shape,
      ),
    ),
  );
}

/** Central differences of a scalar with respect to one input. */
function finiteDifferences(y: Tensor, values: readonly Float64Array[], which: number): Float64Array {
  const { only } = reference.load({ only: program({ outputs: { y } }) }).programs;
  const at = (input: number) =>
    program({ outputs: { y } }).inputs.has(`x${input}`) ? only.input(`x${input}`) : null;
  values.forEach((v, i) => {
    at(i)?.set(v);
  });
  const h = 1e-5;
  return values[which].map((x, i) => {
    const buffer = at(which);
    if (buffer === null) return 0;
    const value = (moved: number) => {
      buffer[i] = moved;
      only.run();
      return only.output("y")[0];
    };
    const difference = (value(x + h) - value(x - h)) / (2 * h);
    buffer[i] = x;
    return difference;
  });
}

function eachExample(check: (name: PrimitiveName, example: Example, seed: number) => void): void {
  for (const name of Object.keys(examples) as PrimitiveName[]) {
    examples[name].forEach((example, seed) => {
      check(name, example, seed);
    });
  }
}

describe("every primitive", () => {
  it("has an example that uses it", () => {
    for (const name of Object.keys(primitives) as PrimitiveName[]) {
      const used = examples[name].some((example) => {
        const { tensors } = drawInputs(example, streams.stream(name));
        return program({ outputs: { y: example.build(tensors) } }).steps.some(
          ({ tensor }) => tensor.origin.kind === "primitive" && tensor.origin.name === name,
        );
      });
      expect(used, name).toBe(true);
    }
  });

  it("has a derivative that matches finite differences in float64", () => {
    eachExample((name, example, seed) => {
      const { tensors, values } = drawInputs(example, streams.stream(name, seed));
      const y = weighted(example.build(tensors), seed);
      const smooth = example.smooth ?? tensors.map((_, i) => i);
      const derivatives = gradient(y, tensors);
      tensors.forEach((_, i) => {
        const traced = evaluateTensor(reference, derivatives[i], named(values));
        const expected = smooth.includes(i)
          ? finiteDifferences(y, values, i)
          : new Float64Array(traced.length);
        expect(relativeDifference(traced, expected), `${name} ${seed}, input ${i}`).toBeLessThan(1e-8);
      });
    });
  });

  it("has a second derivative that matches finite differences of the first", () => {
    eachExample((name, example, seed) => {
      const { tensors, values } = drawInputs(example, streams.stream(name, seed, "second"));
      // Squared, so that linear primitives also have a second derivative.
      const built = example.build(tensors);
      const y = weighted(mul(built, built), seed);
      const smooth = example.smooth ?? tensors.map((_, i) => i);
      for (const i of smooth) {
        const first = weighted(gradient(y, [tensors[i]])[0], seed + 1);
        for (const j of smooth) {
          const traced = evaluateTensor(reference, gradient(first, [tensors[j]])[0], named(values));
          const expected = finiteDifferences(first, values, j);
          expect(relativeDifference(traced, expected), `${name} ${seed}, inputs ${i} and ${j}`).toBeLessThan(
            1e-7,
          );
        }
      }
    });
  });

  it.each(wasmExecutors)("matches the reference under $name, forward and gradient", (wasm) => {
    eachExample((name, example, seed) => {
      const { tensors, values } = drawInputs(example, streams.stream(name, seed, "wasm"));
      const rounded = values.map((v) => Float64Array.from(Float32Array.from(v)));
      const y = example.build(tensors);
      const gradients = gradient(weighted(y, seed), tensors);
      const traced = program({
        outputs: { y, ...Object.fromEntries(gradients.map((g, i) => [`g${i}`, g])) },
      });
      const expected = runOnce(reference, traced, named(rounded));
      const got = runOnce(wasm, traced, named(rounded));
      for (const output of Object.keys(expected)) {
        expect(relativeDifference(got[output], expected[output]), `${name} ${seed}, ${output}`).toBeLessThan(
          2e-6,
        );
      }
    });
  });
});

describe("where there is no derivative", () => {
  it("|x| has the one from the right: 1 at 0 and at −0", () => {
    const x = input("x0", [4]);
    const [derivative] = gradient(sum(abs(x)), [x]);
    for (const executor of [reference, ...wasmExecutors]) {
      const values = evaluateTensor(executor, derivative, { x0: [-2, -0, 0, 2] });
      expect(Array.from(values)).toEqual([-1, 1, 1, 1]);
    }
  });
});

describe.each(wasmExecutors)("NaN and infinity under $name", (wasm) => {
  it("appear in the results of every primitive exactly where the reference has them, forward and gradient", () => {
    expectSpecialNumbers(wasm, 23);
  });

  it("appear in the results of elementwise primitives exactly where the reference has them", () => {
    const special = [Number.NaN, Infinity, -Infinity, 0, -0, 1, -1, 3.4e38, -3.4e38, 1e-42, 100, -100];
    const pairs = special.flatMap((a) => special.map((b) => [a, b] as const));
    const values = {
      x0: pairs.map(([a]) => a),
      x1: pairs.map(([, b]) => b),
      x2: pairs.map(([a, b]) => a + b),
    };
    const rounded = Object.fromEntries(Object.entries(values).map(([k, v]) => [k, Float32Array.from(v)]));
    const float32 = createReferenceExecutor({ precision: "float32" });
    for (const name of Object.keys(examples) as PrimitiveName[]) {
      const [example] = examples[name];
      const isElementwise =
        example.inputs.length <= 3 &&
        [
          "add",
          "subtract",
          "multiply",
          "divide",
          "maximum",
          "minimum",
          "negate",
          "absolute",
          "exp",
          "log",
          "tanh",
          "relu",
          "squareRoot",
          "greater",
          "greaterEqual",
          "equal",
          "select",
        ].includes(name);
      if (!isElementwise) continue;
      const tensors = example.inputs.map((_, i) => inputOf(i, pairs.length));
      const y = example.build(tensors);
      const expected = evaluateTensor(float32, y, rounded);
      const got = evaluateTensor(wasm, y, rounded);
      for (let i = 0; i < expected.length; i++) {
        const label = `${name}(${pairs[i].join(", ")}): ${got[i]} for ${expected[i]}`;
        if (Number.isFinite(expected[i])) {
          const scale = Math.max(1e-37, Math.abs(expected[i]));
          expect(Math.abs(got[i] - expected[i]) / scale, label).toBeLessThan(1e-6);
        } else expect(Object.is(got[i], expected[i]), label).toBe(true);
      }
    }
  });
});

function inputOf(i: number, length: number): Tensor {
  return input(`x${i}`, [length]);
}
