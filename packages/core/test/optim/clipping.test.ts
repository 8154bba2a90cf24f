import { describe, expect, it } from "vitest";
import { RandomStreams } from "../../src/base/random.js";
import { zeros } from "../../src/nn/initialiser.js";
import { Parameters } from "../../src/nn/parameters.js";
import { clippedByGlobalNorm } from "../../src/optim/clipping.js";
import { descent } from "../../src/optim/descent.js";
import { rmsprop } from "../../src/optim/rmsprop.js";
import { createWasmExecutor } from "../../src/tensor/compiled/wasm-executor.js";
import { constant, input, mul, state, sum } from "../../src/tensor/operations.js";
import { program } from "../../src/tensor/program.js";
import { createReferenceExecutor } from "../../src/tensor/reference-executor.js";
import type { Operand } from "../../src/tensor/tensor.js";
import { evaluateTensor } from "../tensor/run.js";

const reference = createReferenceExecutor();
const wasm = await createWasmExecutor();

describe("clippedByGlobalNorm", () => {
  const clip = (g: readonly number[], maxNorm: Operand) => {
    const clipped = clippedByGlobalNorm(constant(g), maxNorm);
    return {
      gradient: Array.from(evaluateTensor(reference, clipped.gradient)),
      norm: evaluateTensor(reference, clipped.norm)[0],
    };
  };

  it("scales a long gradient to the largest norm and keeps its direction", () => {
    for (const maxNorm of [0.5, constant(0.5)]) {
      const { gradient, norm } = clip([3, -4], maxNorm);
      expect(norm).toBe(5);
      expect(gradient[0]).toBeCloseTo(0.3, 15);
      expect(gradient[1]).toBeCloseTo(-0.4, 15);
    }
  });

  it("leaves a short gradient, and a gradient of zero, unchanged", () => {
    expect(clip([0.3, 0.4], 1).gradient).toEqual([0.3, 0.4]);
    expect(clip([0, 0], 1).gradient).toEqual([0, 0]);
  });

  it("scales to the norm itself, where PyTorch's clip_grad_norm_ leaves 5/6 of it", () => {
    const maxNorm = 1e-6;
    const { gradient, norm } = clip([3e-6, -4e-6], maxNorm);
    expect(Math.hypot(...gradient) / maxNorm).toBeCloseTo(1, 14);
    expect(norm / (norm + 1e-6)).toBeCloseTo(5 / 6, 14);
  });

  it("lets NaN through, so that it is seen", () => {
    expect(clip([Number.NaN, 1], 1).gradient[1]).toBeNaN();
  });
});

describe("a largest norm that is an input", () => {
  const bytesOf = (values: ArrayLike<number>) =>
    Buffer.from(Float32Array.from(values).buffer).toString("hex");

  it.each([1, 5, 37, 4096])("gives the bytes that the same constant gives, for %i parameters", (size) => {
    const random = new RandomStreams(12).stream("gradients");
    const parameters = new Parameters([{ name: "w", shape: [size], initialiser: zeros }]);
    const theta = state("theta", [size]);
    const views = parameters.views(theta);
    const slope = input("slope", [size]);
    const update = (maxGradientNorm: Operand) => {
      const step = descent({
        theta,
        views,
        loss: sum(mul(slope, views[0])),
        optimiser: rmsprop(),
        learningRate: input("learningRate", []),
        maxGradientNorm,
      });
      return { step, traced: program({ outputs: { norm: step.gradientNorm }, updates: step.updates }) };
    };
    for (const maxNorm of [0.5, 0.1, 10, 1e6, 1 / 3]) {
      const results = [maxNorm, input("maxNorm", [])].map((operand) => {
        const { step, traced } = update(operand);
        const session = wasm.load({ f: traced });
        const { f } = session.programs;
        if (traced.inputs.has("maxNorm")) f.input("maxNorm")[0] = maxNorm;
        f.input("learningRate")[0] = 7e-4;
        const draws = random.save();
        for (let t = 0; t < 5; t++) {
          f.input("slope").set(f.input("slope").map(() => random.uniform(-1, 1)));
          f.run();
        }
        if (operand === maxNorm) random.restore(draws);
        return [f.output("norm"), ...step.updates.map(([changed]) => session.state(changed))].map(bytesOf);
      });
      expect(results[1], `c = ${maxNorm}`).toEqual(results[0]);
    }
  });
});
