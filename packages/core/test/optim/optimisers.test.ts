import { describe, expect, it } from "vitest";
import { RandomStreams } from "../../src/base/random.js";
import { adam } from "../../src/optim/adam.js";
import { clippedByGlobalNorm } from "../../src/optim/clipping.js";
import type { Optimiser } from "../../src/optim/optimiser.js";
import { rmsprop } from "../../src/optim/rmsprop.js";
import { constantSchedule, linearSchedule } from "../../src/optim/schedule.js";
import { sgd } from "../../src/optim/sgd.js";
import { createWasmExecutor } from "../../src/tensor/compiled/wasm-executor.js";
import { constant, input, state } from "../../src/tensor/operations.js";
import { program } from "../../src/tensor/program.js";
import { createReferenceExecutor } from "../../src/tensor/reference-executor.js";
import { evaluateTensor } from "../tensor/run.js";

const wasm = await createWasmExecutor();
const size = 37;
const steps = 20;
const random = new RandomStreams(11).stream("gradients");
const gradients = Array.from({ length: steps }, () =>
  Float32Array.from({ length: size }, () => random.uniform(-1, 1)),
);
const first = Float32Array.from({ length: size }, () => random.uniform(-1, 1));
const rate = (t: number) => 0.01 / (t + 1);

/** One number's path through the published formula, written as a loop. */
type Loop = () => (theta: number, g: number, lr: number) => number;

const cases: Record<string, { optimiser: Optimiser; loop: Loop }> = {
  sgd: { optimiser: sgd(), loop: () => (theta, g, lr) => theta - lr * g },
  "sgd with momentum": {
    optimiser: sgd({ momentum: 0.9 }),
    loop: () => {
      let m = 0;
      return (theta, g, lr) => {
        m = 0.9 * m + g;
        return theta - lr * m;
      };
    },
  },
  "rmsprop, ε inside the root": {
    optimiser: rmsprop({ decay: 0.95, epsilon: 1e-3, epsilonPlace: "inside" }),
    loop: () => {
      let s = 0;
      return (theta, g, lr) => {
        s = 0.95 * s + 0.05 * g * g;
        return theta - (lr * g) / Math.sqrt(s + 1e-3);
      };
    },
  },
  "rmsprop, ε outside the root": {
    optimiser: rmsprop({ decay: 0.95, epsilon: 1e-3, epsilonPlace: "outside" }),
    loop: () => {
      let s = 0;
      return (theta, g, lr) => {
        s = 0.95 * s + 0.05 * g * g;
        return theta - (lr * g) / (Math.sqrt(s) + 1e-3);
      };
    },
  },
  "rmsprop, centred": {
    optimiser: rmsprop({ decay: 0.95, epsilon: 0.01, centred: true }),
    loop: () => {
      let s = 0;
      let m = 0;
      return (theta, g, lr) => {
        s = 0.95 * s + 0.05 * g * g;
        m = 0.95 * m + 0.05 * g;
        return theta - (lr * g) / Math.sqrt(s - m * m + 0.01);
      };
    },
  },
  adam: {
    optimiser: adam({ beta1: 0.8, beta2: 0.97, epsilon: 1e-6 }),
    loop: () => {
      let m = 0;
      let v = 0;
      let t = 0;
      return (theta, g, lr) => {
        t++;
        m = 0.8 * m + 0.2 * g;
        v = 0.97 * v + 0.03 * g * g;
        return theta - (lr * (m / (1 - 0.8 ** t))) / (Math.sqrt(v / (1 - 0.97 ** t)) + 1e-6);
      };
    },
  },
};

describe.each(Object.entries(cases))("%s", (_, { optimiser, loop }) => {
  it.each([
    ["float64", createReferenceExecutor(), 1e-13],
    ["WebAssembly", wasm, 3e-6],
  ] as const)("follows its formula for 20 steps in %s", (_name, executor, bound) => {
    const theta = state("theta", [size]);
    const step = optimiser.step(theta, input("gradient", [size]), input("learningRate", []));
    const session = executor.load({
      f: program({ outputs: {}, updates: [[theta, step.theta], ...step.states] }),
    });
    session.state(theta).set(first);
    const paths = Array.from(first, () => loop());
    const expected = Float64Array.from(first);
    gradients.forEach((g, t) => {
      session.programs.f.input("gradient").set(g);
      session.programs.f.input("learningRate")[0] = rate(t);
      session.programs.f.run();
      paths.forEach((path, i) => {
        expected[i] = path(expected[i], g[i], rate(t));
      });
    });
    session.state(theta).forEach((value, i) => {
      expect(Math.abs(value - expected[i])).toBeLessThan(bound);
    });
  });
});

describe("rmsprop, centred", () => {
  it.each(["inside", "outside"] as const)(
    "stays finite when the gradient is steady, with ε %s the root",
    (epsilonPlace) => {
      const theta = state("theta", [3]);
      const optimiser = rmsprop({ decay: 0.95, epsilon: 0.01, centred: true, epsilonPlace });
      const step = optimiser.step(theta, constant([0.1, 10, 1000]), 1e-3);
      const session = wasm.load({
        f: program({ outputs: {}, updates: [[theta, step.theta], ...step.states] }),
      });
      for (let t = 0; t < 1000; t++) session.programs.f.run();
      for (const x of session.state(theta)) expect(Number.isFinite(x)).toBe(true);
    },
  );
});

describe("clippedByGlobalNorm", () => {
  const clip = (g: readonly number[], maxNorm: number) => {
    const clipped = clippedByGlobalNorm(constant(g), maxNorm);
    const reference = createReferenceExecutor();
    return {
      gradient: Array.from(evaluateTensor(reference, clipped.gradient)),
      norm: evaluateTensor(reference, clipped.norm)[0],
    };
  };

  it("shortens a long gradient to the norm and keeps its direction", () => {
    const { gradient, norm } = clip([3, -4], 0.5);
    expect(norm).toBe(5);
    expect(gradient[0]).toBeCloseTo(0.3, 15);
    expect(gradient[1]).toBeCloseTo(-0.4, 15);
  });

  it("leaves a short one, and zero, as it is", () => {
    expect(clip([0.3, 0.4], 1).gradient).toEqual([0.3, 0.4]);
    expect(clip([0, 0], 1).gradient).toEqual([0, 0]);
  });

  it("makes a long gradient as long as the norm, with nothing added to its length as PyTorch does", () => {
    const maxNorm = 1e-6;
    const { gradient, norm } = clip([3e-6, -4e-6], maxNorm);
    expect(Math.hypot(...gradient) / maxNorm).toBeCloseTo(1, 14);
    // PyTorch's clip_grad_norm_ would leave 5/6 of it.
    expect((norm * maxNorm) / (norm + 1e-6) / maxNorm).toBeCloseTo(5 / 6, 14);
  });

  it("lets NaN through, so that it is seen", () => {
    expect(clip([Number.NaN, 1], 1).gradient[1]).toBeNaN();
  });
});

describe("schedules", () => {
  it("go in a straight line, or stay", () => {
    const linear = linearSchedule(7e-4, 0);
    expect([linear(0), linear(0.5), linear(1), linear(2)]).toEqual([7e-4, 3.5e-4, 0, 0]);
    expect(constantSchedule(0.1)(0.7)).toBe(0.1);
  });
});
