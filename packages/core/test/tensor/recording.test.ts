import { describe, expect, it } from "vitest";
import { RandomStreams } from "../../src/base/random.js";
import { klToPrior } from "../../src/losses/boltzmann.js";
import { policyGradientLoss } from "../../src/losses/policy-gradient.js";
import { valueLoss } from "../../src/losses/value.js";
import { logPrior, stateValues } from "../../src/math/units.js";
import { mlp } from "../../src/nn/body.js";
import { policyValueNetwork } from "../../src/nn/heads.js";
import { convolution, dense, flatten, rectifier, scale, sequential } from "../../src/nn/layer.js";
import { gradientVector } from "../../src/nn/parameters.js";
import { createCompiledExecutor } from "../../src/tensor/compiled/compiled-executor.js";
import type { Kernel } from "../../src/tensor/compiled/kernel.js";
import type { Executor } from "../../src/tensor/executor.js";
import { add, constant, input, state } from "../../src/tensor/operations.js";
import { program } from "../../src/tensor/program.js";
import { createReferenceExecutor } from "../../src/tensor/reference-executor.js";
import { relativeDifference } from "./run.js";
import { wasmExecutors } from "./wasm-builds.js";

const small = sequential(scale(1 / 255), convolution(5, 4, 2), rectifier, flatten, dense(9), rectifier);
const cases = {
  mlp: policyValueNetwork(mlp([16, 8]), [4], 3),
  convolutional: policyValueNetwork(small, [8, 7, 2], 3),
};

/**
 * A program that evaluates S observations, and one that computes the gradient of an update over T · S of
 * them.
 */
function traced(network: (typeof cases)["mlp"], size: number, slices: number) {
  const theta = state("theta", [network.parameters.size]);
  const views = network.parameters.views(theta);
  const prior = logPrior(constant([0, 0, 0]));
  const observed = (rows: number) => input("observations", [rows, ...network.observationShape]);
  const evaluated = network.apply(observed(size), views);
  const batch = size * slices;
  const { logPi, v } = network.apply(observed(batch), views);
  const loss = add(
    policyGradientLoss({
      logPi,
      logPrior: prior,
      actions: input("actions", [batch]),
      advantages: input("advantages", [batch]),
      tau: 0.1,
    }),
    valueLoss({ v, targets: stateValues(input("targets", [batch])) }),
  );
  return {
    theta,
    programs: {
      evaluate: program({ outputs: { ...evaluated, kl: klToPrior(evaluated.logPi, prior) } }),
      update: program({ outputs: { loss, v, gradient: gradientVector(loss, views) } }),
    },
  };
}

describe.each(Object.entries(cases))("a recorded %s", (_, network) => {
  const size = 3;
  const run = (executor: Executor, slices: number) => {
    const { theta, programs } = traced(network, size, slices);
    const session = executor.load(programs, { of: "evaluate", into: "update", slices });
    const random = new RandomStreams(4).stream("numbers");
    session.state(theta).set(network.parameters.initial(random));
    const outputs: number[][] = [];
    // Twice, with different observations, so that stale values are detected.
    for (const round of [1, 2]) {
      for (const slice of session.recorded) {
        slice
          .input("observations")
          .set(slice.input("observations").map(() => random.uniform(0, 200) * round));
        slice.run();
        outputs.push(
          Array.from(slice.output("logPi")),
          Array.from(slice.output("v")),
          Array.from(slice.output("kl")),
        );
      }
      const { update, evaluate } = session.programs;
      update.input("actions").set(Array.from({ length: size * slices }, () => random.integer(3)));
      for (const name of ["advantages", "targets"])
        update.input(name).set(update.input(name).map(() => random.uniform(-1, 1)));
      // Evaluating other observations in between must not change the result.
      evaluate.input("observations").set(evaluate.input("observations").map(() => random.uniform(0, 255)));
      evaluate.run();
      update.run();
      for (const name of ["loss", "v", "gradient"]) outputs.push(Array.from(update.output(name)));
    }
    return outputs;
  };

  it.each([1, 2, 4])("with %i slices matches the reference, which records nothing", (slices) => {
    const expected = run(createReferenceExecutor(), slices);
    for (const executor of wasmExecutors) {
      run(executor, slices).forEach((values, i) => {
        expect(relativeDifference(values, expected[i]), `${executor.name}, output ${i}`).toBeLessThan(1e-5);
      });
    }
  });

  it("removes the forward pass of the body from the update", () => {
    const slices = 4;
    const kernels = (recorded: boolean): readonly Kernel[] => {
      let update: readonly Kernel[] = [];
      const machine = createCompiledExecutor({
        name: "wasm",
        instantiate(length, programs) {
          update = programs[1];
          return { arena: new Float32Array(length), run: () => {} };
        },
      });
      const { programs } = traced(network, size, slices);
      machine.load(programs, recorded ? { of: "evaluate", into: "update", slices } : undefined);
      return update;
    };
    const forward = (list: readonly Kernel[]) =>
      list.filter(
        (kernel) =>
          kernel.kind === "conv2d" || (kernel.kind === "matmul" && !kernel.transposeA && !kernel.transposeB),
      ).length;
    expect(forward(kernels(false))).toBe(4);
    // The value head remains: the kernel of its single column also computes the error.
    expect(forward(kernels(true))).toBe(1);
  });
});

describe("a recording that does not fit", () => {
  it.each([createReferenceExecutor(), ...wasmExecutors])("is refused by executor %#", (executor) => {
    const { programs } = traced(cases.mlp, 3, 4);
    expect(() => executor.load(programs, { of: "evaluate", into: "update", slices: 3 })).toThrow(
      'recording: input "observations" of the whole batch does not fit, expected 3 slices of [3, 4]: [9, 4], got [12, 4].',
    );
  });
});
