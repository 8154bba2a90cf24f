import {
  type AlgorithmName,
  algorithmNames,
  createCompiledExecutor,
  createReferenceExecutor,
  createWasmMachine,
  type Executor,
  MemoryRunStore,
  makeAlgorithm,
  makeEnvironment,
  type TrainConfig,
  Trainer,
  train,
  trainConfig,
} from "softrl";
import { describe, expect, test } from "vitest";

/** What each algorithm of the registry reports about an update. */
const figures: readonly (readonly [AlgorithmName, readonly string[]])[] = [
  ["a2c", ["gradientNorm", "kl", "policyLoss", "valueLoss"]],
  ["soft-q", ["gradientNorm", "kl", "softQLoss"]],
  ["npg", ["conjugateGradients", "gradientNorm", "kl", "policyLoss", "step", "valueLoss"]],
];

const executors: readonly (readonly [string, () => Promise<Executor>])[] = [
  ["reference", async () => createReferenceExecutor()],
  ["wasm", async () => createCompiledExecutor(await createWasmMachine())],
];

const configOf = (algorithm: AlgorithmName): TrainConfig =>
  trainConfig({
    algorithm,
    environments: 2,
    horizon: 5,
    steps: 600,
    seed: 5,
    hiddenSizes: [8],
    logEvery: 100,
  });

function partsOf(config: TrainConfig, executor: Executor) {
  const environment = makeEnvironment(config.environment, config.environments);
  const store = new MemoryRunStore();
  return { environment, store, clock: () => 0, algorithm: makeAlgorithm(config, environment, executor) };
}

test("every algorithm of the registry is tried", () => {
  expect(figures.map(([name]) => name)).toEqual([...algorithmNames]);
});

describe.each(executors)("on the %s executor", (_, makeExecutor) => {
  test.each(figures)("%s keeps its name, its steps and its figures", async (name, losses) => {
    const config = configOf(name);
    const { environment, store, clock, algorithm } = partsOf(config, await makeExecutor());
    expect(algorithm.name).toBe(name);
    expect(algorithm.stepsPerIteration).toBe(config.environments * config.horizon);
    await train(config, { environment, algorithm, store, clock });
    const updates = store.events.filter((event) => event.event === "update");
    expect(updates).toHaveLength(6);
    for (const update of updates) expect(Object.keys(update.losses).sort()).toEqual([...losses]);
  });

  test.each(algorithmNames)("%s gives the same bytes for the same seed, others for another", async (name) => {
    const config = configOf(name);
    const checkpoints = [];
    for (const seed of [5, 5, 6]) {
      const parts = partsOf({ ...config, seed }, await makeExecutor());
      await train({ ...config, seed }, parts);
      checkpoints.push(parts.store.checkpoint);
    }
    expect(checkpoints[1]).toEqual(checkpoints[0]);
    expect(checkpoints[2]).not.toEqual(checkpoints[0]);
  });

  test.each(algorithmNames)("%s, restored, goes on as if it had never stopped", async (name) => {
    const config = configOf(name);
    const whole = partsOf(config, await makeExecutor());
    await train(config, whole);

    const trainer = new Trainer(config, partsOf(config, await makeExecutor()));
    await trainer.start();
    for (let i = 0; i < 23; i++) await trainer.iterate();
    const snapshot = await trainer.save();
    // What happens to the saved run afterwards must not reach the snapshot.
    await trainer.iterate();

    const resumed = partsOf(config, await makeExecutor());
    const other = new Trainer(config, resumed);
    await other.restore(snapshot);
    while (!other.done) await other.iterate();
    await other.finish();
    expect(resumed.store.checkpoint).toEqual(whole.store.checkpoint);
  });

  test.each(algorithmNames)("%s evaluates without touching its training", async (name) => {
    const config = configOf(name);
    const whole = partsOf(config, await makeExecutor());
    const { environment, algorithm } = whole;
    const trainer = new Trainer(config, whole);
    await trainer.start();
    await trainer.iterate();
    const before = algorithm.save();
    const actions = new Int32Array(config.environments);
    algorithm.act(environment.observations, actions, "mode");
    expect(algorithm.save()).toEqual(before);
    const again = new Int32Array(config.environments);
    algorithm.act(environment.observations, again, "mode");
    expect(again).toEqual(actions);
    for (const action of actions) expect([0, 1]).toContain(action);
  });
});
