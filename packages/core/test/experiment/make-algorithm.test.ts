import { describe, expect, test } from "vitest";
import { RandomStreams } from "../../src/base/random.js";
import { snapshotSection } from "../../src/base/snapshot.js";
import { makeEnvironment } from "../../src/envs/registry.js";
import { type TrainConfig, trainConfig } from "../../src/experiment/config.js";
import { makeAlgorithm } from "../../src/experiment/make-algorithm.js";
import { createReferenceExecutor } from "../../src/tensor/reference-executor.js";

const base = trainConfig({ environments: 2, horizon: 4, steps: 800, seed: 1, hiddenSizes: [4], tau: 0.1 });

/** The parameters and figures after a few updates, in environments that start the same whatever the seed. */
async function learned(chosen: Partial<TrainConfig>, updates = 6) {
  const config = trainConfig({ ...base, ...chosen });
  const environment = makeEnvironment(config.environment, config.environments);
  const algorithm = makeAlgorithm(config, environment, createReferenceExecutor());
  environment.reset(new RandomStreams(0));
  let losses: Readonly<Record<string, number>> = {};
  for (let i = 0; i < updates; i++) losses = (await algorithm.iterate(() => {})).losses;
  return {
    theta: snapshotSection("test", snapshotSection("test", algorithm.save(), "learner"), "states"),
    losses,
  };
}

describe("every setting of the learning rule reaches it", () => {
  const changes: Partial<TrainConfig>[] = [
    { seed: 2 },
    { gamma: 0.5 },
    { tau: 0.2 },
    { reference: "uniform" },
    { learningRate: 0.01 },
    { schedule: "constant" },
    { rmspropDecay: 0.5 },
    { rmspropEpsilon: 0.1 },
    { valueCoefficient: 0.1 },
    { maxGradientNorm: 0.01 },
    { horizon: 3 },
    { hiddenSizes: [4, 4] },
    { steps: 80 },
  ];
  test.each(["a2c", "soft-q"] as const)("of %s", async (algorithm) => {
    const { theta } = await learned({ algorithm });
    expect((await learned({ algorithm })).theta).toEqual(theta);
    for (const change of changes) {
      expect((await learned({ algorithm, ...change })).theta, JSON.stringify(change)).not.toEqual(theta);
    }
  });

  test("of npg, which has some of its own and no weight of the value", async () => {
    const { theta } = await learned({ algorithm: "npg" });
    const own: Partial<TrainConfig>[] = [
      ...changes.filter((change) => change.valueCoefficient === undefined),
      { trustRegion: 0.02 },
      { longestStep: 0.001 },
      { fisherDamping: 0.2 },
      { conjugateGradientSteps: 1 },
      { valueSteps: 3 },
    ];
    for (const change of own) {
      expect((await learned({ algorithm: "npg", ...change })).theta, JSON.stringify(change)).not.toEqual(
        theta,
      );
    }
    expect((await learned({ algorithm: "npg", valueCoefficient: 0.1 })).theta).toEqual(theta);
  });

  test("and the naive bonus A2C alone", async () => {
    const { theta } = await learned({});
    expect((await learned({ entropyBonus: "naive" })).theta).not.toEqual(theta);
  });
});

test("a constant learning rate does not care how long the run is", async () => {
  const { theta } = await learned({ schedule: "constant" });
  expect((await learned({ schedule: "constant", steps: 80 })).theta).toEqual(theta);
});

test("the reference policy is the counting measure or the uniform distribution", async () => {
  // The first policy is nearly uniform: its KL is 0 to the uniform distribution, −log 2 to the counting measure.
  expect((await learned({ reference: "uniform" }, 1)).losses.kl).toBeCloseTo(0, 3);
  expect((await learned({ reference: "entropy" }, 1)).losses.kl).toBeCloseTo(-Math.log(2), 3);
});

test("a network that cannot read the observations is refused", () => {
  const config = trainConfig({ network: "nature-cnn" });
  const environment = makeEnvironment("CartPole-v1", config.environments);
  expect(() => makeAlgorithm(config, environment, createReferenceExecutor())).toThrow(
    /convolution: the input does not fit, expected \[height, width, channels\]/,
  );
});
