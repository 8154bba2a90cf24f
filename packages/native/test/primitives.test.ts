import { createNativeExecutor } from "@softrl/native";
import { constant, createReferenceExecutor, gradient, mul, program, RandomStreams, sum } from "softrl";
import { expect, it } from "vitest";
import { drawInputs, examples } from "../../core/test/tensor/primitive-examples.js";
import { relativeDifference, runOnce } from "../../core/test/tensor/run.js";
import { describeNative, variants } from "./native-machines.js";

const reference = createReferenceExecutor();
const float32Reference = createReferenceExecutor({ precision: "float32" });
const streams = new RandomStreams(21);

const cases = Object.entries(examples).flatMap(([name, list]) =>
  list.map((example, index) => ({ name: `${name} ${index}`, primitive: name, example })),
);

/** Kernels of these pad with zeros, and zero times infinity is NaN. */
const padded = ["conv2dInputGradient"];
/** Sums of the largest numbers overflow in one order and precision, and not in another. */
const summing = ["matmul", "conv2d", "conv2dInputGradient", "conv2dFilterGradient", "sum"];
const special = [Number.NaN, Infinity, -Infinity, 0, -0, 1e-42, 100, -100];
const largest = [3.4e38, -3.4e38];

describeNative("every primitive", () => {
  it.each(variants)("gives what the reference gives, forward and gradient (%s)", (_, options) => {
    const native = createNativeExecutor(options);
    for (const { name, example } of cases) {
      const { tensors, values } = drawInputs(example, streams.stream(name));
      const y = example.build(tensors);
      const random = streams.stream(name, "weights");
      const weights = Float32Array.from({ length: y.size }, () => random.uniform(-1, 1));
      const gradients = gradient(sum(mul(y, constant(weights, y.shape))), tensors);
      const traced = program({
        outputs: { y, ...Object.fromEntries(gradients.map((g, i) => [`g${i}`, g])) },
      });
      const inputs = Object.fromEntries(values.map((v, i) => [`x${i}`, Float32Array.from(v)]));
      const expected = runOnce(reference, traced, inputs);
      const got = runOnce(native, traced, inputs);
      for (const output of Object.keys(expected)) {
        expect(relativeDifference(got[output], expected[output]), `${name}, ${output}`).toBeLessThan(2e-6);
      }
    }
  });

  it.each(variants)("has NaN and infinity where the reference has them (%s)", (_, options) => {
    const native = createNativeExecutor(options);
    let seen = 0;
    for (const { name, primitive, example } of cases) {
      for (let trial = 0; trial < 20; trial++) {
        const random = streams.stream(name, trial, "special");
        const { tensors, values } = drawInputs(example, random);
        const numbers = summing.includes(primitive) ? special : [...special, ...largest];
        const inputs = Object.fromEntries(
          values.map((v, i) => [
            `x${i}`,
            Float32Array.from(v, (x) => (random.float() < 0.1 ? numbers[random.integer(numbers.length)] : x)),
          ]),
        );
        if (padded.includes(primitive)) inputs.x0 = Float32Array.from(values[0]);
        const traced = program({ outputs: { y: example.build(tensors) } });
        const expected = runOnce(float32Reference, traced, inputs).y;
        const got = runOnce(native, traced, inputs).y;
        for (const [i, want] of expected.entries()) {
          seen += Number.isFinite(want) ? 0 : 1;
          const label = `${name}, trial ${trial}, element ${i}: ${got[i]} for ${want}`;
          if (Number.isFinite(want)) expect(Number.isFinite(got[i]), label).toBe(true);
          else expect(got[i], label).toBe(want);
        }
      }
    }
    expect(seen).toBeGreaterThan(1000);
  });
});
