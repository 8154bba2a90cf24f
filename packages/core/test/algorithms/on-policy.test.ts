import { describe, expect, it } from "vitest";
import { A2c, type A2cOptions } from "../../src/algorithms/a2c.js";
import type { Algorithm } from "../../src/algorithms/algorithm.js";
import { SoftQLearning } from "../../src/algorithms/soft-q-learning.js";
import { RandomStreams } from "../../src/base/random.js";
import { CartPole } from "../../src/envs/classic-control/cart-pole.js";
import { theoremGap } from "../../src/losses/theorem-gap.js";
import { logPrior } from "../../src/math/units.js";
import { mlp } from "../../src/nn/body.js";
import { policyValueNetwork } from "../../src/nn/heads.js";
import { rmsprop } from "../../src/optim/rmsprop.js";
import { linearSchedule } from "../../src/optim/schedule.js";
import { createWasmExecutor } from "../../src/tensor/compiled/wasm-executor.js";
import { sub } from "../../src/tensor/operations.js";
import { createReferenceExecutor } from "../../src/tensor/reference-executor.js";
import { algorithmContract } from "./contract.js";

const wasm = await createWasmExecutor();
const reference = createReferenceExecutor();

const options: A2cOptions = {
  horizon: 5,
  gamma: 0.99,
  tau: 0.02,
  logPrior: logPrior(new Float64Array(2)),
  entropyBonus: "proper",
  valueCoefficient: 0.5,
  optimiser: rmsprop(),
  learningRate: linearSchedule(1e-3, 0),
  totalSteps: 4000,
  maxGradientNorm: 0.5,
};
const network = () => policyValueNetwork(mlp([16, 16]), [4], 2);

algorithmContract("A2c", (environment, streams) => new A2c(environment, network(), wasm, streams, options));
algorithmContract(
  "A2c, naive",
  (environment, streams) =>
    new A2c(environment, network(), wasm, streams, { ...options, entropyBonus: "naive" }),
);
algorithmContract(
  "SoftQLearning",
  (environment, streams) => new SoftQLearning(environment, network(), wasm, streams, options),
);

const start = (make: (environment: CartPole, streams: RandomStreams) => Algorithm) => {
  const streams = new RandomStreams(7);
  const environment = new CartPole(4);
  environment.reset(streams);
  return make(environment, streams);
};

describe.each([1, 2, 5])("a horizon of %i", (horizon) => {
  it("learns on WebAssembly what it learns on the reference", async () => {
    for (const Face of [A2c, SoftQLearning]) {
      const [exact, fast] = [reference, wasm].map((executor) =>
        start(
          (environment, streams) =>
            new Face(environment, network(), executor, streams, { ...options, horizon }),
        ),
      );
      for (let update = 0; update < 20; update++) {
        for (const algorithm of [exact, fast]) await algorithm.iterate(() => {});
      }
      const [a, b] = [exact.theta(), fast.theta()];
      const difference = a.reduce((most, x, i) => Math.max(most, Math.abs(x - b[i])), 0);
      expect(difference).toBeLessThan(1e-4);
    }
  });
});

describe("the theorem in training", () => {
  for (const prior of [
    [0, 0],
    [Math.log(0.25), Math.log(0.75)],
  ]) {
    it(`soft Q-learning without the gap has A2C's parameters, update by update, for log π̄ = ${prior}`, async () => {
      const shared = { ...options, logPrior: logPrior(Float64Array.from(prior)) };
      const a2c = start(
        (environment, streams) => new A2c(environment, network(), reference, streams, shared),
      );
      const softQ = start(
        (environment, streams) =>
          new SoftQLearning(environment, network(), reference, streams, {
            ...shared,
            variation: (loss, terms) => sub(loss, theoremGap(terms)),
          }),
      );
      const plain = start(
        (environment, streams) => new SoftQLearning(environment, network(), reference, streams, shared),
      );
      let parted = 0;
      for (let update = 1; update <= 200; update++) {
        for (const algorithm of [a2c, softQ, plain]) await algorithm.iterate(() => {});
        const [a, b, c] = [a2c, softQ, plain].map((algorithm) => algorithm.theta());
        const scale = a.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
        const difference = a.reduce((most, x, i) => Math.max(most, Math.abs(x - b[i])), 0);
        expect(difference / scale, `after update ${update}`).toBeLessThan(1e-11);
        parted = a.reduce((most, x, i) => Math.max(most, Math.abs(x - c[i])), 0) / scale;
      }
      // With the gap, which only vanishes in expectation, the two walk apart.
      expect(parted).toBeGreaterThan(1e-6);
    });
  }
});
