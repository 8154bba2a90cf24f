import { constant, createReferenceExecutor, createWasmExecutor, program } from "softrl";
import { expect, test } from "vitest";
import { addedStep } from "../../src/optim/added-step.js";

const executors = [createReferenceExecutor(), await createWasmExecutor()];

test.each(executors)(
  "a step is added to what others have made of θ, and replaces θ exactly where nobody has: $name",
  (executor) => {
    const theta = Float64Array.of(1, 1, 0.1, 5);
    const before = Float64Array.of(1, 1, 0.1, 4);
    const after = Float64Array.of(2, 1, 1e-12, 4.5);
    const [a, b, c] = [theta, before, after].map((values) => constant(values, [4]));
    const loaded = executor.load({ add: program({ outputs: { sum: addedStep(a, b, c) } }) }).programs.add;
    loaded.run();
    // 0.1 + (1e-12 − 0.1) would have none of the digits of 1e-12 in float32.
    const exact = executor.precision === "float32" ? Math.fround(1e-12) : 1e-12;
    expect([...loaded.output("sum")]).toEqual([2, 1, exact, 5.5]);
  },
);
