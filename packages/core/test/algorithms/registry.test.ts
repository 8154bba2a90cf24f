import {
  type AlgorithmKind,
  builtInAlgorithms,
  createReferenceExecutor,
  createTrainer,
  type Executor,
  MemoryRunStore,
  makeEnvironment,
  type SettingValue,
  type Trainer,
} from "softrl";
import { describe, expect, test } from "vitest";
import { wasmExecutors } from "../tensor/wasm-builds.js";

/** The figures that each algorithm of the registry reports about an update. */
const figuresOf: readonly (readonly [string, readonly string[]])[] = [
  ["a2c", ["entropy", "explainedVariance", "gradientNorm", "kl", "policyLoss", "valueLoss"]],
  ["soft-q", ["entropy", "explainedVariance", "gradientNorm", "kl", "softQLoss"]],
  [
    "npg",
    [
      "conjugateGradients",
      "entropy",
      "explainedVariance",
      "gradientNorm",
      "kl",
      "policyGradientNorm",
      "policyLoss",
      "step",
      "valueLoss",
    ],
  ],
  [
    "ppo",
    [
      "clippedShare",
      "entropy",
      "epochs",
      "explainedVariance",
      "gradientNorm",
      "kl",
      "klFromOld",
      "policyLoss",
      "valueLoss",
    ],
  ],
  ["a3c", ["entropy", "explainedVariance", "gradientNorm", "kl", "policyLoss", "valueLoss"]],
  ["async-soft-q", ["entropy", "explainedVariance", "gradientNorm", "kl", "softQLoss"]],
  ["dqn", ["epsilon", "gradientNorm", "qLoss", "qValue"]],
  ["pqn", ["explainedVariance", "gradientNorm", "qLoss", "qValue"]],
];

/** Settings under which an algorithm has many short iterations. */
const shortOf: Readonly<Record<string, Readonly<Record<string, SettingValue>>>> = {
  dqn: {
    replayStart: 0,
    replayCapacity: 200,
    explorationSteps: 300,
    batchSize: 8,
    trainEvery: 2,
    targetEvery: 9,
  },
  ppo: { horizon: 5, minibatches: 2 },
  pqn: { horizon: 5, minibatches: 2 },
};
const short = ({ name }: AlgorithmKind) => shortOf[name] ?? { horizon: 5 };

const executors: readonly (readonly [string, () => Executor])[] = [
  ["reference", () => createReferenceExecutor()],
  ...wasmExecutors.map((executor) => [executor.name, () => executor] as const),
];

function trainerOf(algorithm: AlgorithmKind, executor: Executor, seed = 5, changes = {}) {
  const store = new MemoryRunStore();
  const environment = makeEnvironment("CartPole-v1", 2);
  const trainer = createTrainer({
    algorithm,
    environment,
    executor,
    store,
    settings: {
      run: { steps: 600, seed, logEvery: 100 },
      network: { hiddenSizes: [8] },
      algorithm: { ...short(algorithm), ...changes },
    },
  });
  return { trainer, store, environment };
}

async function finish(trainer: Trainer): Promise<void> {
  while (!trainer.done) await trainer.iterate();
  await trainer.finish();
}

test("the registry has a2c, soft-q, npg, ppo, a3c, async-soft-q, dqn and pqn, each with its figures", () => {
  expect(builtInAlgorithms.map(({ name }) => name)).toEqual(figuresOf.map(([name]) => name));
});

test("every algorithm has a title, a line about it, and describes each of its settings", () => {
  for (const { name, title, about, settings } of builtInAlgorithms) {
    expect(title.length, name).toBeGreaterThan(2);
    expect(about.length, name).toBeGreaterThan(15);
    for (const [setting, { about, placeholder }] of Object.entries(settings)) {
      expect(about.length, `${name}: ${setting}`).toBeGreaterThan(15);
      expect(placeholder, `${name}: ${setting}`).toMatch(/^[a-z|-]+$/);
    }
  }
});

describe.each(executors)("on the %s executor", (_, makeExecutor) => {
  test.each(builtInAlgorithms)("$name counts its steps and reports its figures", async (algorithm) => {
    const { trainer, store } = trainerOf(algorithm, await makeExecutor());
    await trainer.start();
    await trainer.iterate();
    expect(trainer.step).toBe(algorithm.name === "dqn" ? 2 * 4 : 2 * 5);
    await finish(trainer);
    const updates = store.events.filter((event) => event.event === "update");
    expect(updates).toHaveLength(6);
    const expected = figuresOf.find(([name]) => name === algorithm.name)?.[1];
    for (const { figures } of updates) expect(Object.keys(figures)).toEqual(expected);
  });

  test.each(builtInAlgorithms.filter(({ settings }) => "reference" in settings))(
    "$name reports the entropy H = −KL for the counting measure, log A − KL for the uniform reference",
    async (algorithm) => {
      for (const [reference, constant] of [
        ["entropy", 0],
        ["uniform", Math.log(2)],
      ] as const) {
        const { trainer, store } = trainerOf(algorithm, await makeExecutor(), 5, { reference });
        await trainer.start();
        await finish(trainer);
        for (const event of store.events) {
          if (event.event !== "update") continue;
          const { entropy, kl, explainedVariance, gradientNorm } = event.figures;
          expect(entropy).toBeCloseTo(constant - kl, 6);
          expect(entropy).toBeGreaterThan(0);
          expect(entropy).toBeLessThanOrEqual(Math.log(2) + 1e-6);
          expect(explainedVariance).toBeLessThanOrEqual(1);
          expect(gradientNorm).toBeGreaterThan(0);
        }
      }
    },
  );

  test.each(builtInAlgorithms)(
    "$name gives the same bytes for the same seed, others for another",
    async (algorithm) => {
      const checkpoints = [];
      for (const seed of [5, 5, 6]) {
        const { trainer, store } = trainerOf(algorithm, await makeExecutor(), seed);
        await trainer.start();
        await finish(trainer);
        checkpoints.push(store.checkpoint);
      }
      expect(checkpoints[1]).toEqual(checkpoints[0]);
      expect(checkpoints[2]).not.toEqual(checkpoints[0]);
    },
  );

  test.each(builtInAlgorithms)("$name, restored, continues as if it had never stopped", async (algorithm) => {
    const whole = trainerOf(algorithm, await makeExecutor());
    await whole.trainer.start();
    await finish(whole.trainer);

    const { trainer } = trainerOf(algorithm, await makeExecutor());
    await trainer.start();
    for (let i = 0; i < 23; i++) await trainer.iterate();
    const snapshot = await trainer.save();
    // What happens to the saved run afterwards must not reach the snapshot.
    await trainer.iterate();

    const resumed = trainerOf(algorithm, await makeExecutor());
    await resumed.trainer.restore(snapshot);
    await finish(resumed.trainer);
    expect(resumed.store.checkpoint).toEqual(whole.store.checkpoint);
  });

  test.each(builtInAlgorithms)(
    "$name acts by its most likely action without touching its training",
    async (kind) => {
      const { trainer, environment } = trainerOf(kind, await makeExecutor());
      await trainer.start();
      await trainer.iterate();
      const { algorithm } = trainer;
      const before = [algorithm.save(), algorithm.policy.save()];
      const [actions, again] = [new Int32Array(2), new Int32Array(2)];
      algorithm.policy.act(environment.observations, actions, "mode");
      expect([algorithm.save(), algorithm.policy.save()]).toEqual(before);
      algorithm.policy.act(environment.observations, again, "mode");
      expect(again).toEqual(actions);
      for (const action of actions) expect([0, 1]).toContain(action);
    },
  );
});
