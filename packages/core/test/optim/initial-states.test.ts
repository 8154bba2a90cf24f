import { expect, it } from "vitest";
import { A2c } from "../../src/algorithms/a2c.js";
import { RandomStreams } from "../../src/base/random.js";
import { snapshotArray, snapshotSection } from "../../src/base/snapshot.js";
import { CartPole } from "../../src/envs/classic-control/cart-pole.js";
import { logPrior } from "../../src/math/units.js";
import { mlp } from "../../src/nn/body.js";
import { policyValueNetwork } from "../../src/nn/heads.js";
import { rmsprop } from "../../src/optim/rmsprop.js";
import { constantSchedule } from "../../src/optim/schedule.js";
import { createReferenceExecutor } from "../../src/tensor/reference-executor.js";

it.each([0, 1] as const)("a learner starts its optimiser from a mean square of %i", (initialMeanSquare) => {
  const network = policyValueNetwork(mlp([3]), [4], 2);
  const streams = new RandomStreams(1);
  const a2c = new A2c(new CartPole(2), network, createReferenceExecutor(), streams, {
    horizon: 2,
    gamma: 0.99,
    tau: 0,
    logPrior: logPrior(new Float64Array(2)),
    entropyBonus: "proper",
    valueCoefficient: 0.5,
    optimiser: rmsprop({ initialMeanSquare }),
    learningRate: constantSchedule(1e-3),
    totalSteps: 100,
    maxGradientNorm: 0.5,
  });
  const states = snapshotSection("test", snapshotSection("test", a2c.save(), "learner"), "states");
  const { size } = network.parameters;
  const meanSquare = snapshotArray("test", states, "rmsprop.meanSquare", "float64", size);
  expect(meanSquare).toEqual(new Float64Array(size).fill(initialMeanSquare));
});
