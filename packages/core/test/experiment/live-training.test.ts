import {
  type AlgorithmKind,
  a2c,
  CartPole,
  type ChosenSettings,
  createTrainer,
  createWasmExecutor,
  MemoryRunStore,
  naturalPolicyGradient,
  ppo,
  pqn,
  type Snapshot,
  softQLearning,
  type Trainer,
} from "softrl";
import { describe, expect, it } from "vitest";

const executor = await createWasmExecutor();
/** Environment steps of an iteration: 5 steps of 4 environments. */
const ITERATION = 20;
const SET_AT = 10 * ITERATION;

function started(algorithm: AlgorithmKind, settings: ChosenSettings) {
  const store = new MemoryRunStore();
  const trainer = createTrainer({
    algorithm,
    environment: new CartPole(4),
    executor,
    store,
    settings: {
      ...settings,
      run: { steps: 30 * ITERATION, ...settings.run },
      network: { hiddenSizes: [8] },
      algorithm: { horizon: 5, ...settings.algorithm },
    },
  });
  return { trainer, store };
}

async function iterateUntil(trainer: Trainer, step: number): Promise<void> {
  while (trainer.step < step) await trainer.iterate();
}

/** All of a run's state but what its configuration and its live settings are called. */
async function stateOf(trainer: Trainer): Promise<Snapshot> {
  const { config, live, events, ...state } = await trainer.save();
  return { ...state, step: trainer.step };
}

/** The settings with a number of a section in steps: one from the start, another from {@link SET_AT} on. */
function inSteps(
  section: "algorithm" | "optimiser",
  name: string,
  first: number,
  then: number,
): ChosenSettings {
  return {
    [section]: {
      [name]: {
        steps: [
          [0, first],
          [SET_AT, then],
        ],
      },
    },
  };
}

const changes: readonly (readonly [
  AlgorithmKind,
  "algorithm" | "optimiser",
  string,
  first: number,
  then: number,
])[] = [
  [a2c, "algorithm", "tau", 0.01, 0.02],
  [softQLearning, "algorithm", "tau", 0.01, 0.02],
  [naturalPolicyGradient, "algorithm", "tau", 0.01, 0.02],
  [a2c, "algorithm", "gamma", 0.99, 0.9],
  [softQLearning, "algorithm", "gamma", 0.99, 0.9],
  [a2c, "algorithm", "valueCoefficient", 0.5, 0.1],
  [softQLearning, "algorithm", "valueCoefficient", 0.5, 0.1],
  [a2c, "optimiser", "learningRate", 2e-3, 1e-2],
  [softQLearning, "optimiser", "learningRate", 2e-3, 1e-2],
  [a2c, "optimiser", "maxGradientNorm", 0.5, 0.05],
  [naturalPolicyGradient, "optimiser", "maxGradientNorm", 0.5, 0.05],
  [naturalPolicyGradient, "algorithm", "trustRegion", 0.01, 1e-4],
  [naturalPolicyGradient, "algorithm", "longestStep", 5, 1e-3],
  [naturalPolicyGradient, "algorithm", "fisherDamping", 0.1, 1],
];

describe.each(changes)("$name: %s.%s set during a run", (algorithm, section, name, first, then) => {
  it("equals a run with that schedule, byte for byte, across a restore too", async () => {
    const scheduled = started(algorithm, inSteps(section, name, first, then)).trainer;
    await scheduled.start();
    await iterateUntil(scheduled, 600);

    const settings = { [section]: { [name]: first } };
    const before = started(algorithm, settings).trainer;
    await before.start();
    await iterateUntil(before, SET_AT);
    await before.set({ [name]: then });
    await iterateUntil(before, SET_AT + 5 * ITERATION);
    const resumed = started(algorithm, settings).trainer;
    await resumed.restore(await before.save());
    for (const trainer of [before, resumed]) {
      await iterateUntil(trainer, 600);
      expect(await stateOf(trainer)).toEqual(await stateOf(scheduled));
    }

    const constant = started(algorithm, settings).trainer;
    await constant.start();
    await iterateUntil(constant, 600);
    expect((await stateOf(constant)).parameters).not.toEqual((await stateOf(scheduled)).parameters);
  });
});

it("npg's trust region falls with the schedule of the learning rate, not with a rate that is set", async () => {
  const finalStates = [];
  for (const learningRate of [2e-3, 2e-3, { from: 2e-3, to: 0 }]) {
    const own = { optimiser: { learningRate }, algorithm: { valueSteps: 0 } };
    const { trainer } = started(naturalPolicyGradient, own);
    await trainer.start();
    await iterateUntil(trainer, SET_AT);
    if (finalStates.length === 1) await trainer.set({ learningRate: 1e-3 });
    await iterateUntil(trainer, 600);
    finalStates.push(await stateOf(trainer));
  }
  expect(finalStates[1]).toEqual(finalStates[0]);
  expect(finalStates[2].parameters).not.toEqual(finalStates[0].parameters);
});

describe("Trainer.set", () => {
  it("logs the change, and writes a checkpoint that holds it", async () => {
    const { trainer, store } = started(a2c, {});
    await trainer.start();
    await iterateUntil(trainer, SET_AT);
    await trainer.set({ tau: 0.02, steps: 1000 });
    expect(store.events.slice(-2)).toEqual([
      { event: "set", step: SET_AT, settings: { tau: 0.02, steps: 1000 } },
      { event: "checkpoint", step: SET_AT },
    ]);
    expect((await trainer.save()).live).toEqual({ step: SET_AT, set: { tau: 0.02, steps: 1000 } });
  });

  it.each([
    [{ taus: 1 }, /^Trainer\.set: taus cannot change during a run, .*did you mean tau\?/],
    [{ horizon: 3 }, /horizon cannot change during a run/],
    [{ decay: 0.5 }, /decay cannot change during a run/],
    [{ seed: 3 }, /seed cannot change during a run/],
    [{ trustRegion: 0.1 }, /trustRegion cannot change during a run/],
    [{ tau: 0 }, /^Trainer\.set: tau: invalid value, expected a number in \(0, ∞\), got 0/],
    [{ gamma: 2 }, /Trainer\.set: gamma: invalid value/],
    [{ learningRate: Number.NaN }, /Trainer\.set: learningRate: invalid value/],
    [{ steps: 100 }, /^Trainer\.set: steps is out of range, expected an integer of at least 200, got 100/],
    [{ steps: Number.POSITIVE_INFINITY }, /steps is out of range/],
    [JSON.parse('{"tau":"0.1"}'), /tau: invalid value, expected a number, got "0\.1"/],
    [JSON.parse('{"tau":{"from":0.1,"to":0.2}}'), /tau: invalid value, expected a number/],
    [JSON.parse('{"steps":null}'), /steps: invalid value, expected an integer/],
  ])("refuses %j, and nothing has changed", async (change, message) => {
    const { trainer, store } = started(a2c, {});
    await trainer.start();
    await iterateUntil(trainer, SET_AT);
    const before = await trainer.save();
    const events = store.events.length;
    await expect(trainer.set({ maxGradientNorm: 0.1, ...change })).rejects.toThrow(message);
    expect(await trainer.save()).toEqual(before);
    expect(store.events).toHaveLength(events);
  });

  it.each([
    [
      ppo,
      { surrogate: "clipped" },
      { penalty: 9 },
      "penalty: this setting has no effect without the penalised",
    ],
    [pqn, { horizon: 5 }, { tau: 0.5 }, "tau: this setting has no effect without a soft backup, got 0.5"],
    [pqn, { horizon: 5, backup: "soft-kl" }, { epsilon: 0.5 }, "epsilon: this setting has no effect without"],
  ] as const)(
    "refuses a change that %o with %j does not read: %j",
    async (algorithm, own, change, message) => {
      const { trainer, store } = started(algorithm, { algorithm: { minibatches: 1, ...own } });
      await trainer.start();
      await trainer.iterate();
      const before = await trainer.save();
      const events = store.events.length;
      await expect(trainer.set({ learningRate: 0.1, ...change })).rejects.toThrow(`Trainer.set: ${message}`);
      expect(await trainer.save()).toEqual(before);
      expect(store.events).toHaveLength(events);
      await trainer.set({ learningRate: 0.1, gamma: 0.9 });
    },
  );

  it("refuses a length of no steps before the first iteration, too", async () => {
    const { trainer } = started(a2c, {});
    await trainer.start();
    await expect(trainer.set({ steps: 0 })).rejects.toThrow("steps is out of range");
    await trainer.set({ steps: 1 });
    await started(a2c, {}).trainer.restore(await trainer.save());
  });

  it("extends a run: it goes on to the new last step, and learns until there", async () => {
    const { trainer, store } = started(a2c, {});
    await trainer.start();
    await iterateUntil(trainer, 600);
    expect(trainer.done).toBe(true);
    await trainer.finish();
    const finished = await trainer.save();

    const twin = started(a2c, {}).trainer;
    await twin.restore(finished);
    expect(twin.done).toBe(true);
    for (const run of [trainer, twin]) {
      await run.set({ steps: 1200 });
      expect(run.done).toBe(false);
      expect(run.progress).toMatchObject({ step: 600, steps: 1200 });
      while (!run.done) await run.iterate();
      expect(run.step).toBe(1200);
      const result = await run.finish();
      expect(result).toMatchObject({ steps: 1200, interrupted: false });
    }
    expect(await twin.save()).toEqual(await trainer.save());
    expect(store.events.at(-1)).toEqual({ event: "finished", step: 1200 });
    expect((await trainer.save()).parameters).not.toEqual(finished.parameters);
  });

  it("of the length before the end equals a run of that length where no schedule reads it", async () => {
    const constant = { optimiser: { learningRate: 0.01 } };
    const long = started(a2c, { ...constant, run: { steps: 800 } }).trainer;
    await long.start();
    await iterateUntil(long, 800);
    const { trainer } = started(a2c, constant);
    await trainer.start();
    await iterateUntil(trainer, SET_AT);
    await trainer.set({ steps: 800 });
    while (!trainer.done) await trainer.iterate();
    expect(await stateOf(trainer)).toEqual(await stateOf(long));
  });
});

describe("a linear schedule", () => {
  it("of a number to itself is that number, byte for byte", async () => {
    const [still, fixed] = [{ from: 0.02, to: 0.02 }, 0.02].map(
      (tau) => started(a2c, { algorithm: { tau } }).trainer,
    );
    for (const trainer of [still, fixed]) {
      await trainer.start();
      await iterateUntil(trainer, 600);
    }
    expect(await stateOf(still)).toEqual(await stateOf(fixed));
  });

  it("has at each iteration the value of its first step", async () => {
    const linear = started(a2c, { algorithm: { tau: { from: 0.1, to: 0.01 } } }).trainer;
    const steps = Array.from({ length: 30 }, (_, i) => [
      i * ITERATION,
      0.1 + (0.01 - 0.1) * ((i * ITERATION) / 600),
    ]);
    const stepped = started(a2c, { algorithm: { tau: { steps } } }).trainer;
    for (const trainer of [linear, stepped]) {
      await trainer.start();
      await iterateUntil(trainer, 590);
    }
    expect(linear.algorithm.model?.tau).toBe(0.01);
    const parameters = async (trainer: Trainer) => (await trainer.save()).parameters;
    expect(await parameters(linear)).toEqual(await parameters(stepped));
  });
});
