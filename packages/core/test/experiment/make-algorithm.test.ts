import {
  type AlgorithmKind,
  a2c,
  builtInOptimisers,
  CartPole,
  type ChosenSettings,
  createReferenceExecutor,
  createTrainer,
  makeEnvironment,
  naturalPolicyGradient,
  RandomStreams,
  softQLearning,
} from "softrl";
import { describe, expect, test } from "vitest";
import { BareAlgorithm } from "../algorithms/bare-algorithm.js";

const base = {
  run: { steps: 800 },
  network: { hiddenSizes: [4] },
  optimiser: {},
  algorithm: { horizon: 4, tau: 0.1 },
};

/** θ and the figures after a few updates, in environments that start the same whatever the seed. */
async function learned(
  algorithm: AlgorithmKind,
  chosen: ChosenSettings & { readonly seed?: number } = {},
  { updates = 6, optimiser = "rmsprop" } = {},
) {
  const environment = new CartPole(2);
  const settings = {
    run: { ...base.run, ...chosen.run },
    network: { ...base.network, ...chosen.network },
    optimiser: { ...base.optimiser, ...chosen.optimiser },
    algorithm: { ...base.algorithm, ...chosen.algorithm },
  };
  const executor = createReferenceExecutor();
  const { seed = 1 } = chosen;
  const run = new BareAlgorithm({ algorithm, environment, executor, seed, settings, optimiser });
  environment.reset(new RandomStreams(0));
  const reports = await run.iterate(updates);
  return { theta: run.theta, figures: reports[updates - 1].figures };
}

const changes: readonly (ChosenSettings & { readonly seed?: number })[] = [
  { seed: 2 },
  { run: { steps: 80 } },
  { network: { hiddenSizes: [4, 4] } },
  { network: { activation: "relu" } },
  { network: { layerNorm: true } },
  { network: { inputs: "unit" } },
  { optimiser: { learningRate: 0.01 } },
  { optimiser: { learningRate: { from: 0.002, to: 0.001 } } },
  { optimiser: { maxGradientNorm: 0.01 } },
  { optimiser: { decay: 0.5 } },
  { optimiser: { epsilon: 0.1 } },
  { optimiser: { epsilonPlace: "outside" } },
  { optimiser: { initialMeanSquare: 1 } },
  { algorithm: { horizon: 3 } },
  { algorithm: { gamma: 0.5 } },
  { algorithm: { lambda: 0.5 } },
  { algorithm: { tau: 0.2 } },
  { algorithm: { reference: "uniform" } },
];

async function expectEachToMatter(
  algorithm: AlgorithmKind,
  all: readonly (ChosenSettings & { readonly seed?: number })[],
): Promise<void> {
  const { theta } = await learned(algorithm);
  expect((await learned(algorithm)).theta).toEqual(theta);
  for (const change of all) {
    expect((await learned(algorithm, change)).theta, JSON.stringify(change)).not.toEqual(theta);
  }
}

describe("every setting of the learning rule reaches it", () => {
  test("of a2c", () =>
    expectEachToMatter(a2c, [
      ...changes,
      { algorithm: { valueCoefficient: 0.1 } },
      { algorithm: { bodies: "shared" } },
      { algorithm: { entropyBonus: "naive" } },
    ]));

  test("of soft-q", () =>
    expectEachToMatter(softQLearning, [
      ...changes,
      { algorithm: { valueCoefficient: 0.1 } },
      { algorithm: { bodies: "shared" } },
      { algorithm: { gap: "subtracted" } },
      { algorithm: { epochs: 2 } },
    ]));

  test("of npg", () =>
    expectEachToMatter(naturalPolicyGradient, [
      ...changes,
      { algorithm: { trustRegion: 0.02 } },
      { algorithm: { longestStep: 0.001 } },
      { algorithm: { fisherDamping: 0.2 } },
      { algorithm: { conjugateGradientSteps: 1 } },
      { algorithm: { valueSteps: 3 } },
    ]));

  test("and the optimiser's name too", async () => {
    const thetas = [];
    for (const { name } of builtInOptimisers) {
      const { theta } = await learned(a2c, {}, { optimiser: name });
      thetas.push(String(theta));
    }
    expect(thetas.length).toBeGreaterThan(3);
    expect(new Set(thetas).size).toBe(thetas.length);
  });

  test("but a setting of another algorithm is refused", async () => {
    await expect(learned(naturalPolicyGradient, { algorithm: { valueCoefficient: 0.1 } })).rejects.toThrow(
      'algorithm.valueCoefficient: npg has no setting "valueCoefficient"',
    );
    await expect(learned(softQLearning, { algorithm: { entropyBonus: "naive" } })).rejects.toThrow(
      'algorithm.entropyBonus: soft-q has no setting "entropyBonus"',
    );
  });
});

test("with a constant learning rate, the length of the run changes nothing", async () => {
  const constant = { optimiser: { learningRate: 0.01 } };
  const { theta } = await learned(a2c, constant);
  expect((await learned(a2c, { ...constant, run: { steps: 80 } })).theta).toEqual(theta);
});

test("the reference policy is the counting measure or the uniform distribution", async () => {
  const firstKl = async (reference: string) =>
    (await learned(a2c, { algorithm: { reference } }, { updates: 1 })).figures.kl;
  // The first policy is nearly uniform: its KL is 0 to the uniform distribution, −log 2 to the counting measure.
  expect(await firstKl("uniform")).toBeCloseTo(0, 3);
  expect(await firstKl("entropy")).toBeCloseTo(-Math.log(2), 3);
});

test("a network that cannot read the observations is refused", () => {
  const environment = makeEnvironment("CartPole-v1", 8);
  const executor = createReferenceExecutor();
  expect(() => createTrainer({ algorithm: a2c, environment, executor, network: "nature-cnn" })).toThrow(
    /convolution: the input does not fit, expected \[height, width, channels\]/,
  );
});
