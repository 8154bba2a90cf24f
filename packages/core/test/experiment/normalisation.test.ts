import {
  type AlgorithmKind,
  a2c,
  CartPole,
  type ChosenSettings,
  compare,
  createReferenceExecutor,
  createTrainer,
  createWasmExecutor,
  type Executor,
  evaluate,
  inverseDeviation,
  isShapedArray,
  loadPolicy,
  MemoryRunStore,
  makeEnvironment,
  momentsOf,
  mul,
  NetworkPolicy,
  naturalPolicyGradient,
  Oracle,
  type OracleEvent,
  optimiserKind,
  type Policy,
  ppo,
  softQLearning,
  sub,
  type VectorEnvironment,
} from "softrl";
import { describe, expect, it } from "vitest";
import { largestDifference } from "../algorithms/bare-algorithm.js";
import { fakeAlgorithm } from "./fake-algorithm.js";
import { lambdaActorCritic } from "./own-parts.js";

const wasm = await createWasmExecutor();
const reference = createReferenceExecutor();

const inputs = { network: { inputs: "normalised" } };
const both = { ...inputs, algorithm: { normaliseReturns: true } };

interface Choice {
  readonly algorithm?: AlgorithmKind;
  readonly environment?: VectorEnvironment;
  readonly executor?: Executor;
  readonly settings?: ChosenSettings;
  readonly steps?: number;
}

function start({
  algorithm = a2c,
  environment = makeEnvironment("MountainCar-v0", 4),
  executor = wasm,
  settings = inputs,
  steps = 400,
}: Choice) {
  const store = new MemoryRunStore();
  const chosen = { ...settings, run: { ...settings.run, steps } };
  const trainer = createTrainer({
    algorithm,
    environment,
    executor,
    store,
    settings: chosen,
    oracle: Oracle,
  });
  return { trainer, store, environment };
}

/** Every statistic in a policy's parameters. */
function statisticsOf(policy: Policy, ending: string): number[][] {
  return Object.entries(policy.save())
    .filter(([name]) => name.endsWith(ending))
    .map(([, entry]) => (isShapedArray(entry) ? Array.from(entry.values) : []));
}

describe("normalised observations", () => {
  it.each([
    ["a2c, reference", a2c, reference, {}, 2],
    ["a2c, WebAssembly", a2c, wasm, {}, 2],
    ["a2c with one body", a2c, wasm, { bodies: "shared" }, 1],
    ["soft-q", softQLearning, wasm, {}, 2],
    ["npg", naturalPolicyGradient, wasm, { horizon: 5 }, 2],
    ["ppo", ppo, wasm, { horizon: 5 }, 2],
    ["an algorithm by value", lambdaActorCritic, wasm, {}, 1],
  ] as const)(
    "%s: a rollout acts with the moments of all before it",
    async (_, algorithm, executor, own, copies) => {
      const run = start({ algorithm, executor, settings: { ...inputs, algorithm: own } });
      const { trainer, environment } = run;
      await trainer.start();
      const { policy } = trainer.algorithm;
      const seen: number[] = [];
      const { length } = environment.observations;
      const { step } = environment;
      for (let iteration = 0; iteration < 4; iteration++) {
        const known = seen.length;
        seen.push(...environment.observations);
        let steps = 0;
        const collected: number[] = [];
        Object.defineProperty(environment, "step", {
          configurable: true,
          value: (actions: Int32Array) => {
            const [mean, inverse] = ["mean", "inverseDeviation"].map((name) =>
              statisticsOf(policy, `inputs.${name}`),
            );
            expect(mean).toHaveLength(copies);
            expect(inverse).toHaveLength(copies);
            for (const copy of [0, copies - 1]) {
              if (known === 0) {
                // The first rollout has the unit scale: MountainCar's positions are within ±1.2, its speeds within ±0.07.
                expect(mean[copy]).toEqual([0, 0]);
                expect(largestDifference(inverse[copy], [1 / 1.2, 1 / 0.07])).toBeLessThan(1e-5);
                continue;
              }
              const expected = momentsOf(seen.slice(0, known), length / 4);
              const deviations = inverseDeviation(expected, 1e-8);
              expect(largestDifference(mean[copy], expected.mean)).toBeLessThan(1e-6);
              inverse[copy].forEach((x, k) => {
                expect(Math.abs(x / deviations[k] - 1)).toBeLessThan(1e-5);
              });
            }
            steps++;
            const result = step.call(environment, actions);
            collected.push(...environment.observations);
            return result;
          },
        });
        await trainer.iterate();
        expect(steps).toBeGreaterThan(0);
        // The last observations belong to the next rollout.
        seen.push(...collected.slice(0, collected.length - length));
      }
    },
  );

  it("has moments that do not depend on the executor, for the same observations", async () => {
    const saved = [];
    for (const executor of [wasm, reference]) {
      const { trainer } = start({ executor });
      await trainer.start();
      await trainer.iterate();
      saved.push(trainer.algorithm.save().observations);
    }
    expect(saved[1]).toEqual(saved[0]);
  });

  it("learns on WebAssembly, which reuses what acting computed, what it learns on the reference", async () => {
    const thetas = [];
    for (const executor of [wasm, reference]) {
      const { trainer } = start({ executor, environment: makeEnvironment("CartPole-v1", 4) });
      await trainer.start();
      for (let i = 0; i < 10; i++) await trainer.iterate();
      const { policy } = trainer.algorithm;
      if (!(policy instanceof NetworkPolicy)) throw new Error("the policy has no θ");
      thetas.push(policy.theta());
    }
    expect(largestDifference(thetas[0], thetas[1])).toBeLessThan(1e-4);
  });

  it("stay as they are in an evaluation", async () => {
    const { trainer } = start({});
    await trainer.start();
    for (let i = 0; i < 3; i++) await trainer.iterate();
    const { policy } = trainer.algorithm;
    const before = policy.save();
    const state = trainer.algorithm.save().observations;
    await evaluate({
      policy,
      environment: makeEnvironment("MountainCar-v0", 3),
      episodes: 3,
      seed: 1,
      mode: "mode",
    });
    expect(policy.save()).toEqual(before);
    expect(trainer.algorithm.save().observations).toEqual(state);
  });

  it("are normalised pixel by pixel in images", async () => {
    const environment = makeEnvironment("MinAtar/Breakout-v1", 4);
    const { trainer, store } = start({ environment, steps: 200 });
    await trainer.start();
    while (!trainer.done) await trainer.iterate();
    await trainer.finish();
    const { policy } = trainer.algorithm;
    const [mean] = statisticsOf(policy, "inputs.mean");
    expect(mean).toHaveLength(10 * 10 * 4);
    expect(mean.some((x) => x > 0 && x < 1)).toBe(true);
    const loaded = loadPolicy(store.checkpoint ?? new Uint8Array(), wasm, { rows: 4 });
    expect(loaded.evaluate(environment.observations)).toEqual(policy.evaluate(environment.observations));
  });

  it("are not moved by an optimiser with weight decay", async () => {
    const decaying = optimiserKind({
      name: "decaying",
      about: "gradient descent with weight decay",
      settings: {},
      make: () => ({
        step: (theta, gradient, learningRate) => ({
          theta: sub(mul(0.9, theta), mul(learningRate, gradient)),
          states: [],
        }),
      }),
    });
    const trainer = createTrainer({
      algorithm: a2c,
      environment: new CartPole(4),
      executor: reference,
      optimiser: decaying,
      settings: inputs,
    });
    await trainer.start();
    await trainer.iterate();
    // Before its second rollout a network has the statistics of its space: CartPole's positions are within ±4.8.
    const [inverse] = statisticsOf(trainer.algorithm.policy, "inputs.inverseDeviation");
    expect(inverse[0]).toBeCloseTo(1 / 4.8, 6);
  });

  it("are refused by an algorithm that does not keep their statistics", () => {
    expect(() => start({ algorithm: fakeAlgorithm() })).toThrow(
      "network.inputs: fake does not keep the statistics of its observations, expected an algorithm that learns with PolicyValueLearner, such as a2c; choose the inputs unit or raw.",
    );
  });

  it("are what the oracle and a comparison read", async () => {
    const world = () => makeEnvironment("GridWorld-v0", 8);
    const settings = { ...inputs, run: { oracleEvery: 800 } };
    const { trainer, store } = start({ environment: world(), settings, steps: 2400 });
    await trainer.start();
    while (!trainer.done) await trainer.iterate();
    await trainer.finish();
    const answers = store.events.filter((event): event is OracleEvent => event.event === "oracle");
    expect(answers).toHaveLength(4);
    for (const { figures } of answers) {
      expect(figures.theoremResidual).toBeLessThan(1e-12);
      for (const [name, figure] of Object.entries(figures)) expect(Number.isFinite(figure), name).toBe(true);
    }
    const pair = [
      start({ environment: world(), executor: reference }).trainer,
      start({
        environment: world(),
        executor: reference,
        algorithm: softQLearning,
        settings: { ...inputs, algorithm: { gap: "subtracted" } },
      }).trainer,
    ];
    const { theorem, parameterDistance } = await compare(pair, {}, { watchParameters: true });
    expect(theorem?.holds).toBe(true);
    expect(parameterDistance?.largest).toBeLessThan(1e-11);
  });
});

describe("normalised returns", () => {
  it("leave the reported returns of episodes as they are", async () => {
    const { trainer, store } = start({
      environment: makeEnvironment("CartPole-v1", 4),
      settings: { algorithm: { normaliseReturns: true } },
    });
    await trainer.start();
    while (!trainer.done) await trainer.iterate();
    const episodes = store.events.filter((event) => event.event === "episode");
    expect(episodes.length).toBeGreaterThan(5);
    for (const episode of episodes) expect(episode.return).toBe(episode.length);
  });

  it("are measured by the oracle in the environment's reward", async () => {
    const measured = async (normaliseReturns: boolean) => {
      const settings = {
        network: { inputs: "unit" },
        run: { oracleEvery: 20_000 },
        algorithm: { normaliseReturns },
      };
      const environment = makeEnvironment("GridWorld-v0", 8);
      const { trainer } = start({ environment, settings, steps: 60_000 });
      await trainer.start();
      while (!trainer.done) await trainer.iterate();
      return trainer.measurements.map(({ figures }) => figures);
    };
    const [raw, normalised] = [await measured(false), await measured(true)];
    // Before the first rollout there is no deviation.
    expect(normalised[0]).toEqual(raw[0]);
    const last = normalised[normalised.length - 1];
    expect(last.theoremResidual).toBeLessThan(1e-12);
    expect(last.regret).toBeLessThan(raw[0].regret / 4);
    expect(last.valueErrorVisited).toBeLessThan(raw[0].valueErrorVisited / 4);
    // The optimum differs by the unit of τ alone, which is small in both.
    expect(last.optimalReturn / raw[0].optimalReturn).toBeCloseTo(1, 1);
  });

  it("keep the theorem: soft Q-learning with the gap subtracted has A2C's parameters", async () => {
    const environment = () => makeEnvironment("CartPole-v1", 4);
    const own = (algorithm: AlgorithmKind, settings: Readonly<Record<string, unknown>>) =>
      start({
        algorithm,
        environment: environment(),
        executor: reference,
        settings: { ...both, algorithm: { normaliseReturns: true, ...settings } },
      }).trainer;
    const pair = [own(a2c, {}), own(softQLearning, { gap: "subtracted" })];
    const { parameterDistance } = await compare(pair, {}, { watchParameters: true });
    expect(parameterDistance?.largest).toBeLessThan(1e-11);
  });
});

describe("a run with both", () => {
  it.each([
    ["a2c, WebAssembly", a2c, wasm, 7],
    ["a2c, reference", a2c, reference, 7],
    ["soft-q, WebAssembly", softQLearning, wasm, 1],
    ["npg, WebAssembly", naturalPolicyGradient, wasm, 1],
    ["ppo, WebAssembly", ppo, wasm, 1],
    ["npg, before its first rollout", naturalPolicyGradient, wasm, 0],
  ] as const)(
    "%s: continues from a checkpoint as if it had never stopped",
    async (_, algorithm, executor, stop) => {
      const steps = algorithm === naturalPolicyGradient || algorithm === ppo ? 1500 : 400;
      const whole = start({ algorithm, executor, settings: both, steps });
      await whole.trainer.start();
      while (!whole.trainer.done) await whole.trainer.iterate();
      await whole.trainer.finish();
      const first = start({ algorithm, executor, settings: both, steps });
      await first.trainer.start();
      for (let i = 0; i < stop; i++) await first.trainer.iterate();
      const resumed = start({ algorithm, executor, settings: both, steps });
      await resumed.trainer.restore(await first.trainer.save());
      while (!resumed.trainer.done) await resumed.trainer.iterate();
      await resumed.trainer.finish();
      expect(resumed.store.checkpoint).toEqual(whole.store.checkpoint);
    },
  );
});
