import { expect } from "vitest";
import { RandomStreams } from "../../src/base/random.js";
import type { Executor } from "../../src/tensor/executor.js";
import { gradient } from "../../src/tensor/gradient.js";
import { constant, mul, sum } from "../../src/tensor/operations.js";
import { program } from "../../src/tensor/program.js";
import { createReferenceExecutor } from "../../src/tensor/reference-executor.js";
import type { PrimitiveName } from "../../src/tensor/tensor.js";
import { drawInputs, examples } from "./primitive-examples.js";
import { runOnce } from "./run.js";

const reference = createReferenceExecutor({ precision: "float32" });

const special = [Number.NaN, Infinity, -Infinity, 0, -0, 1e-42, 100, -100];
/** Sums of these overflow in some orders and precisions, and not in others. */
const largest = [3.4e38, -3.4e38];
const summing = [
  "matmul",
  "conv2d",
  "conv2dInputGradient",
  "conv2dFilterGradient",
  "sum",
  "normalise",
  "normaliseGradient",
];

/**
 * Puts NaN, infinities and other special numbers at random positions into the inputs of every primitive.
 * Requires NaN and infinities exactly where the reference has them, forward and gradient.
 */
export function expectSpecialNumbers(executor: Executor, seed: number): void {
  const streams = new RandomStreams(seed);
  let seen = 0;
  for (const name of Object.keys(examples) as PrimitiveName[]) {
    examples[name].forEach((example, which) => {
      for (let trial = 0; trial < 20; trial++) {
        const random = streams.stream(name, which, trial);
        const { tensors, values } = drawInputs(example, random);
        const y = example.build(tensors);
        const weights = Float64Array.from({ length: y.size }, () => random.uniform(-1, 1));
        const gradients = gradient(sum(mul(y, constant(weights, y.shape))), tensors);
        const forward = { y };
        const backward = Object.fromEntries(gradients.map((g, i) => [`gradient ${i}`, g]));
        // The gradient of a broadcast is a sum, whatever the primitive.
        const isSum = trial % 2 === 1 || summing.includes(name);
        const numbers = isSum ? special : [...special, ...largest];
        // Special numbers must be rare, otherwise all results are NaN.
        const rare = trial % 4 < 2 ? 0.1 : 0.02;
        const inputs = Object.fromEntries(
          values.map((v, i) => [
            `x${i}`,
            Float32Array.from(v, (x) =>
              random.float() < rare ? numbers[random.integer(numbers.length)] : x,
            ),
          ]),
        );
        const traced = program({ outputs: trial % 2 === 1 ? { ...forward, ...backward } : forward });
        const expected = runOnce(reference, traced, inputs);
        const got = runOnce(executor, traced, inputs);
        for (const [output, wanted] of Object.entries(expected)) {
          for (const [i, want] of wanted.entries()) {
            const value = got[output][i];
            const same = Number.isFinite(want) ? Number.isFinite(value) : Object.is(value, want);
            seen += Number.isFinite(want) ? 0 : 1;
            if (!same)
              expect.fail(`${name} ${which}, trial ${trial}, ${output}, element ${i}: ${value} for ${want}`);
          }
        }
      }
    });
  }
  expect(seen).toBeGreaterThan(1000);
}
