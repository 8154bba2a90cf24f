import type { ChosenSettings, Executor } from "softrl";
import {
  type AlgorithmKind,
  a2c,
  CartPole,
  createReferenceExecutor,
  createWasmExecutor,
  softQLearning,
} from "softrl";
import { describe, expect, it } from "vitest";
import { BareAlgorithm, largestDifference } from "./bare-algorithm.js";
import { algorithmContract } from "./contract.js";

const wasm = await createWasmExecutor();
const reference = createReferenceExecutor();

const settings = {
  run: { steps: 4000 },
  network: { inputs: "unit", hiddenSizes: [16, 16] },
  optimiser: { learningRate: 1e-3 },
  algorithm: { tau: 0.02 },
};
const withOwn = (own: Readonly<Record<string, unknown>>): ChosenSettings => ({
  ...settings,
  algorithm: { ...settings.algorithm, ...own },
});

algorithmContract("a2c", a2c, settings);
algorithmContract("a2c with the naive bonus", a2c, withOwn({ entropyBonus: "naive" }));
algorithmContract("a2c with separate bodies", a2c, withOwn({ bodies: "separate" }));
algorithmContract("soft-q", softQLearning, settings);
const normalised = {
  ...withOwn({ normaliseReturns: true }),
  network: { ...settings.network, inputs: "normalised" },
};
algorithmContract("a2c with normalised observations and returns", a2c, normalised);
algorithmContract("soft-q with normalised observations and returns", softQLearning, normalised);

const start = (algorithm: AlgorithmKind, executor: Executor, own: Readonly<Record<string, unknown>>) =>
  new BareAlgorithm({
    algorithm,
    environment: new CartPole(4),
    executor,
    seed: 7,
    settings: withOwn(own),
  });

describe.each([1, 2, 5])("a horizon of %i", (horizon) => {
  it.each([a2c, softQLearning])(
    "learns on WebAssembly what it learns on the reference: $name",
    async (kind) => {
      const [exact, fast] = [reference, wasm].map((executor) => start(kind, executor, { horizon }));
      for (const run of [exact, fast]) await run.iterate(20);
      expect(largestDifference(exact.theta, fast.theta)).toBeLessThan(1e-4);
    },
  );
});

describe("the theorem in training", () => {
  it.each(["entropy", "uniform"] as const)(
    "soft Q-learning with the gap subtracted has A2C's parameters, update by update, with π̄ %s",
    async (prior) => {
      const policyGradient = start(a2c, reference, { reference: prior });
      const subtracted = start(softQLearning, reference, { reference: prior, gap: "subtracted" });
      const kept = start(softQLearning, reference, { reference: prior });
      let parted = 0;
      for (let update = 1; update <= 200; update++) {
        for (const run of [policyGradient, subtracted, kept]) await run.iterate(1);
        const { theta } = policyGradient;
        const scale = theta.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
        const difference = largestDifference(theta, subtracted.theta) / scale;
        expect(difference, `after update ${update}`).toBeLessThan(1e-11);
        parted = largestDifference(theta, kept.theta) / scale;
      }
      // With the gap, which vanishes only in expectation, the two diverge.
      expect(parted).toBeGreaterThan(1e-6);
    },
  );
});
