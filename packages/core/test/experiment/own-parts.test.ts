import {
  type AlgorithmKind,
  a2c,
  type ChosenSettings,
  compare,
  createReferenceExecutor,
  createTrainer,
  createWasmExecutor,
  type Executor,
  evaluate,
  loadPolicy,
  MemoryRunStore,
  makeEnvironment,
  makeOfKind,
  Oracle,
  type Trainer,
  train,
} from "softrl";
import { describe, expect, it } from "vitest";
import { boundedStep, corridor, lambdaActorCritic, oneLayer, reinforce } from "./own-parts.js";

const wasm = await createWasmExecutor();
const reference = createReferenceExecutor();

function partsOf(algorithm: AlgorithmKind, executor: Executor = wasm, settings: ChosenSettings = {}) {
  return {
    algorithm,
    network: oneLayer,
    optimiser: boundedStep,
    environment: corridor.make(4, {}),
    executor,
    store: new MemoryRunStore(),
    settings: { run: { steps: 4000 }, optimiser: { learningRate: 0.02 }, ...settings },
  };
}

async function finish(trainer: Trainer): Promise<void> {
  while (!trainer.done) await trainer.iterate();
  await trainer.finish();
}

describe.each([
  ["REINFORCE, from its targets and its loss", reinforce],
  ["an actor-critic with its own loop", lambdaActorCritic],
] as const)("%s, with a network, an optimiser and an environment by value", (_, algorithm) => {
  it("learns", async () => {
    const { result, policy } = await train(partsOf(algorithm));
    expect(result).toMatchObject({ steps: 4000 + (4000 % 20), interrupted: false });
    const parts = { environment: corridor.make(5, {}), episodes: 20, seed: 1 };
    const { meanReturn } = await evaluate({ ...parts, policy, mode: "mode" });
    // A random walk from the left end takes about 25 steps.
    expect(meanReturn).toBeGreaterThan(0.93);
  });

  it("gives the same bytes for the same seed, others for another", async () => {
    const checkpoints = [];
    for (const seed of [1, 1, 2]) {
      const parts = partsOf(algorithm, wasm, { run: { steps: 400, seed } });
      await train(parts);
      checkpoints.push(parts.store.checkpoint);
    }
    expect(checkpoints[1]).toEqual(checkpoints[0]);
    expect(checkpoints[2]).not.toEqual(checkpoints[0]);
  });

  it("continues from a checkpoint as if it had never stopped", async () => {
    const settings = { run: { steps: 800 } };
    for (const executor of [wasm, reference]) {
      const whole = partsOf(algorithm, executor, settings);
      await train(whole);
      const first = createTrainer(partsOf(algorithm, executor, settings));
      await first.start();
      for (let i = 0; i < 7; i++) await first.iterate();
      const resumed = partsOf(algorithm, executor, settings);
      const trainer = createTrainer(resumed);
      await trainer.restore(await first.save());
      await finish(trainer);
      expect(resumed.store.checkpoint).toEqual(whole.store.checkpoint);
    }
  });

  it("has a policy that is loaded from its checkpoint, without algorithm and environment", async () => {
    const parts = partsOf(algorithm, wasm, { run: { steps: 400 } });
    const { policy } = await train(parts);
    const bytes = parts.store.checkpoint ?? new Uint8Array();
    const loaded = loadPolicy(bytes, wasm, { networks: [oneLayer], rows: 4 });
    const { observations } = parts.environment;
    expect(loaded.evaluate(observations)).toEqual(policy.evaluate(observations));
    expect(() => loadPolicy(bytes, wasm)).toThrow(/network is not among the given ones/);
  });

  it("has its settings in the configuration, and refuses others", () => {
    const { config } = createTrainer(partsOf(algorithm, wasm, { network: { width: 5 } }));
    expect(config.network).toEqual({ name: "one-layer", inputs: "unit", channels: "last", width: 5 });
    expect(config.optimiser).toMatchObject({ name: "bounded", sharpness: 20, maxGradientNorm: 0.5 });
    expect(config.environment).toMatchObject({ id: "Corridor-v0", count: 4 });
    for (const name of Object.keys(algorithm.settings)) expect(config.algorithm).toHaveProperty(name);
    const typo = { algorithm: { taus: 1 } };
    expect(() => createTrainer(partsOf(algorithm, wasm, typo))).toThrow(
      `algorithm.taus: ${algorithm.name} has no setting "taus"; did you mean tau?`,
    );
  });

  it("has live settings of its own", async () => {
    const trainer = createTrainer(partsOf(algorithm));
    await trainer.start();
    await trainer.set(algorithm === reinforce ? { baselineRate: 0.1, tau: 0.1 } : { tau: 0.1, gamma: 0.5 });
    await expect(trainer.set({ horizon: 3 })).rejects.toThrow(/horizon cannot change during a run/);
  });
});

describe("an algorithm by value", () => {
  it("has its own defaults for other sections", () => {
    const environment = corridor.make(2, {});
    const { config } = createTrainer({ algorithm: lambdaActorCritic, environment, executor: wasm });
    expect(config.optimiser).toMatchObject({ name: "adam", learningRate: 1e-3 });
    const chosen = createTrainer({
      algorithm: lambdaActorCritic,
      environment: corridor.make(2, {}),
      executor: wasm,
      optimiser: "sgd",
      settings: { optimiser: { learningRate: 0.1 } },
    });
    expect(chosen.config.optimiser).toMatchObject({ name: "sgd", learningRate: 0.1 });
  });

  it("with a model is measured against the exact process, and compared", async () => {
    const world = () => makeEnvironment("GridWorld-v0", 4);
    const common = { executor: wasm, oracle: Oracle };
    const settings = { run: { steps: 640, oracleEvery: 320 } };
    const own = createTrainer({ ...common, algorithm: lambdaActorCritic, environment: world(), settings });
    const known = createTrainer({ ...common, algorithm: a2c, environment: world(), settings });
    const { runs, theorem } = await compare([own, known], {});
    expect(runs.map(({ steps }) => steps)).toEqual([640, 640]);
    expect(theorem?.holds).toBe(true);
    expect(own.measurements.map(({ step }) => step)).toEqual([0, 320, 640]);
    for (const { figures } of own.measurements) expect(figures.theoremResidual).toBeLessThan(1e-12);
  });
});

describe("an environment by value", () => {
  it("is made with its options, which are checked", () => {
    const longer = makeOfKind("--env-options", corridor, 2, { length: 9 });
    expect(longer.observationSpace).toMatchObject({ shape: [9] });
    expect(() => makeOfKind("--env-options", corridor, 2, { lenght: 9 })).toThrow(
      /^--env-options: Corridor-v0 has no option lenght, expected length, got lenght; did you mean length\?/,
    );
    expect(() => makeOfKind("--env-options", corridor, 2, { length: "9" })).toThrow(
      '--env-options: invalid value of length, expected a number, got "9".',
    );
  });
});

describe("a kind by name", () => {
  it("is refused if no such kind is built in", () => {
    const environment = corridor.make(2, {});
    const parts = { algorithm: a2c, environment, executor: wasm };
    expect(() => createTrainer({ ...parts, network: "mpl" })).toThrow(
      'network: unknown name, expected mlp, nature-cnn, minatar-cnn, got "mpl"; did you mean mlp?',
    );
    expect(() => createTrainer({ ...parts, optimiser: "adma" })).toThrow(
      /optimiser: unknown name, .* adam\?/,
    );
  });
});
