import { createNativeExecutor } from "@softrl/native";
import { constant, createReferenceExecutor, gradient, mul, program, RandomStreams, sum } from "softrl";
import { expect, it } from "vitest";
import { drawInputs, examples } from "../../core/test/tensor/primitive-examples.js";
import { relativeDifference, runOnce } from "../../core/test/tensor/run.js";
import { expectSpecialNumbers } from "../../core/test/tensor/special-numbers.js";
import { describeNative, variants } from "./native-machines.js";

const reference = createReferenceExecutor();
const streams = new RandomStreams(21);

const cases = Object.entries(examples).flatMap(([name, list]) =>
  list.map((example, index) => ({ name: `${name} ${index}`, example })),
);

describeNative("every primitive", () => {
  it.each(variants)("matches the reference, forward and gradient (%s)", (_, options) => {
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

  it.each(variants)("gives NaN and infinity exactly where the reference does (%s)", (_, options) => {
    expectSpecialNumbers(createNativeExecutor(options), 22);
  });
});
