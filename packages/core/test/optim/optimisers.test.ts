import { describe, expect, it } from "vitest";
import { RandomStreams } from "../../src/base/random.js";
import { zeros } from "../../src/nn/initialiser.js";
import { Parameters } from "../../src/nn/parameters.js";
import { adam } from "../../src/optim/adam.js";
import { descent } from "../../src/optim/descent.js";
import type { Optimiser } from "../../src/optim/optimiser.js";
import { radam } from "../../src/optim/radam.js";
import { rmsprop } from "../../src/optim/rmsprop.js";
import { sgd } from "../../src/optim/sgd.js";
import type { Executor } from "../../src/tensor/executor.js";
import { input, square, state, sum } from "../../src/tensor/operations.js";
import { program } from "../../src/tensor/program.js";
import { createReferenceExecutor } from "../../src/tensor/reference-executor.js";
import { wasmExecutors } from "../tensor/wasm-builds.js";

const [wasm] = wasmExecutors;
const size = 37;
const steps = 50;
const random = new RandomStreams(11).stream("gradients");
const gradients = Array.from({ length: steps }, () =>
  Float32Array.from({ length: size }, () => random.uniform(-1, 1)),
);
const first = Float32Array.from({ length: size }, () => random.uniform(-1, 1));
const rate = (t: number) => 0.01 / (t + 1);

/** The published formula for one parameter, step by step. */
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
  "rmsprop, from a mean square of 1": {
    optimiser: rmsprop({ decay: 0.95, epsilon: 1e-3, initialMeanSquare: 1 }),
    loop: () => {
      let s = 1;
      return (theta, g, lr) => {
        s = 0.95 * s + 0.05 * g * g;
        return theta - (lr * g) / Math.sqrt(s + 1e-3);
      };
    },
  },
  "rmsprop, centred, ε outside the root, from a mean square of 1": {
    optimiser: rmsprop({
      decay: 0.95,
      epsilon: 0.01,
      epsilonPlace: "outside",
      initialMeanSquare: 1,
      centred: true,
    }),
    loop: () => {
      let s = 1;
      let m = 0;
      return (theta, g, lr) => {
        s = 0.95 * s + 0.05 * g * g;
        m = 0.95 * m + 0.05 * g;
        return theta - (lr * g) / (Math.sqrt(s - m * m) + 0.01);
      };
    },
  },
  "adam with its defaults": { optimiser: adam(), loop: () => adamLoop(0.9, 0.999, 1e-8) },
  radam: { optimiser: radam(), loop: () => radamLoop(0.9, 0.999, 1e-8) },
  "radam with shorter averages": {
    optimiser: radam({ beta1: 0.8, beta2: 0.97, epsilon: 1e-3 }),
    loop: () => radamLoop(0.8, 0.97, 1e-3),
  },
  "radam whose average stays too short": {
    optimiser: radam({ beta1: 0.8, beta2: 0.6 }),
    loop: () => radamLoop(0.8, 0.6, 1e-8),
  },
  adam: {
    optimiser: adam({ beta1: 0.8, beta2: 0.97, epsilon: 1e-6 }),
    loop: () => adamLoop(0.8, 0.97, 1e-6),
  },
};

/** Algorithm 1 of Kingma and Ba (2015). */
function adamLoop(beta1: number, beta2: number, epsilon: number): ReturnType<Loop> {
  let m = 0;
  let v = 0;
  let t = 0;
  return (theta, g, lr) => {
    t++;
    m = beta1 * m + (1 - beta1) * g;
    v = beta2 * v + (1 - beta2) * g * g;
    return theta - (lr * (m / (1 - beta1 ** t))) / (Math.sqrt(v / (1 - beta2 ** t)) + epsilon);
  };
}

/** Algorithm 2 of Liu et al. (2020), with ρ ≥ 5 and ε as in optax.radam. */
function radamLoop(beta1: number, beta2: number, epsilon: number): ReturnType<Loop> {
  let m = 0;
  let v = 0;
  let t = 0;
  return (theta, g, lr) => {
    t++;
    m = beta1 * m + (1 - beta1) * g;
    v = beta2 * v + (1 - beta2) * g * g;
    const mHat = m / (1 - beta1 ** t);
    const r = rectification(t, beta2);
    return r === null
      ? theta - lr * mHat
      : theta - (lr * r * mHat) / (Math.sqrt(v / (1 - beta2 ** t)) + epsilon);
  };
}

/** r_t of RAdam, or null where the step is not adaptive. */
function rectification(t: number, beta2: number): number | null {
  const longest = 2 / (1 - beta2) - 1;
  const rho = longest - (2 * t * beta2 ** t) / (1 - beta2 ** t);
  if (rho < 5) return null;
  return Math.sqrt(((rho - 4) * (rho - 2) * longest) / ((longest - 4) * (longest - 2) * rho));
}

/** Loads an optimiser's step, and sets its states to their initial values. */
function loadStep(executor: Executor, optimiser: Optimiser, length: number) {
  const theta = state("theta", [length]);
  const step = optimiser.step(theta, input("gradient", [length]), input("learningRate", []));
  const updates = step.states.map(({ state, next }) => [state, next] as const);
  const session = executor.load({
    f: program({ outputs: {}, updates: [[theta, step.theta], ...updates] }),
  });
  for (const { state, initial = 0 } of step.states) session.state(state).fill(initial);
  const { f } = session.programs;
  return {
    theta: session.state(theta),
    gradient: f.input("gradient"),
    learningRate: f.input("learningRate"),
    states: step.states.map(({ state }) => ({
      name: state.origin.kind === "state" ? state.origin.name : "",
      values: session.state(state),
    })),
    run: () => f.run(),
  };
}

describe.each(Object.entries(cases))("%s", (_, { optimiser, loop }) => {
  it.each([
    ["float64", createReferenceExecutor(), 1e-13],
    ...wasmExecutors.map((executor) => [executor.name, executor, 3e-6] as const),
  ] as const)("follows its formula step by step in %s", (_name, executor, bound) => {
    const { theta, gradient, learningRate, run } = loadStep(executor, optimiser, size);
    theta.set(first);
    const paths = Array.from(first, () => loop());
    const expected = Float64Array.from(first);
    gradients.forEach((g, t) => {
      gradient.set(g);
      learningRate[0] = rate(t);
      run();
      paths.forEach((path, i) => {
        expected[i] = path(expected[i], g[i], rate(t));
      });
      const error = expected.reduce((most, value, i) => Math.max(most, Math.abs(value - theta[i])), 0);
      expect(error, `step ${t + 1}`).toBeLessThan(bound);
    });
  });
});

describe("rmsprop, centred", () => {
  it.each(["inside", "outside"] as const)(
    "stays finite when the gradient is steady, with ε %s the root",
    (epsilonPlace) => {
      const optimiser = rmsprop({ decay: 0.95, epsilon: 0.01, centred: true, epsilonPlace });
      const { theta, gradient, learningRate, run } = loadStep(wasm, optimiser, 3);
      gradient.set([0.1, 10, 1000]);
      learningRate[0] = 1e-3;
      for (let t = 0; t < 1000; t++) run();
      for (const x of theta) expect(Number.isFinite(x)).toBe(true);
    },
  );
});

describe("moving averages in float32 whose gradient has vanished", () => {
  it.each([
    ["rmsprop", rmsprop({ decay: 0.95 }), []],
    ["rmsprop, centred", rmsprop({ decay: 0.95, centred: true }), ["rmsprop.mean"]],
    ["adam", adam({ beta1: 0.9, beta2: 0.95 }), []],
  ] as const)("of %s are never subnormal, nor are the squares that it takes", (_, optimiser, squared) => {
    const { states, gradient, run } = loadStep(wasm, optimiser, 3);
    const leastNormal = 2 ** -126;
    gradient.set([1e-3, -1, 1000]);
    run();
    gradient.fill(0);
    for (let t = 0; t < 3000; t++) {
      run();
      for (const { name, values } of states) {
        const isSquared = squared.some((one) => one === name);
        for (const x of values) {
          const least = isSquared ? Math.sqrt(leastNormal) : leastNormal;
          if (x !== 0 && Math.abs(x) < least) expect(x, `${name} after ${t + 1} steps`).toBe(0);
        }
      }
    }
  });
});

describe("adam and radam in float32", () => {
  // With the gradient 1, m̂ and √v̂ are 1, so that a step of rate 1 has the length r_t (1 for Adam).
  it.each([
    ["adam", adam({ epsilon: 0 }), () => 1],
    ["radam", radam({ epsilon: 0 }), (t: number) => rectification(t, 0.999) ?? 1],
    [
      "radam, β₂ = 0.9999",
      radam({ beta2: 0.9999, epsilon: 0 }),
      (t: number) => rectification(t, 0.9999) ?? 1,
    ],
  ] as const)("%s keeps its step's length for 30,000 steps", (_, optimiser, length) => {
    const { theta, gradient, learningRate, run } = loadStep(wasm, optimiser, 1);
    gradient[0] = 1;
    learningRate[0] = 1;
    for (let t = 1; t <= 30_000; t++) {
      theta[0] = 0;
      run();
      const difference = Math.abs(-theta[0] / length(t) - 1);
      if (!(difference < 2e-4)) expect(difference, `step ${t}`).toBeLessThan(2e-4);
    }
  });
});

describe("descent", () => {
  it("lists the optimiser's states, with their new and their initial values", () => {
    const parameters = new Parameters([{ name: "w", shape: [3], initialiser: zeros }]);
    const theta = state("theta", [3]);
    const views = parameters.views(theta);
    const step = descent({
      theta,
      views,
      loss: sum(square(views[0])),
      optimiser: rmsprop({ initialMeanSquare: 1, centred: true }),
      learningRate: 0.1,
      maxGradientNorm: 1,
    });
    expect(step.initial.map(([, value]) => value)).toEqual([1, 0]);
    expect(step.updates.map(([changed]) => changed)).toEqual([
      theta,
      ...step.initial.map(([changed]) => changed),
    ]);
  });
});
