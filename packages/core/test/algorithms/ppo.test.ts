import {
  type AlgorithmKind,
  a2c,
  type ChosenSettings,
  createReferenceExecutor,
  createTrainer,
  createWasmExecutor,
  type Environment,
  isShapedArray,
  makeEnvironment,
  ppo,
  type Random,
  type Snapshot,
  shapedArray,
  vectorize,
} from "softrl";
import { describe, expect, it, test } from "vitest";
import { BareAlgorithm, largestDifference } from "./bare-algorithm.js";
import { algorithmContract } from "./contract.js";
import { branches, PpoByHand, type Sample, type Settings } from "./ppo-by-hand.js";

const reference = createReferenceExecutor();
const wasm = await createWasmExecutor();

const small = { run: { steps: 4000 }, network: { inputs: "unit", hiddenSizes: [16] } };
const short = { horizon: 6, minibatches: 4, epochs: 2 };
algorithmContract("PPO", ppo, { ...small, algorithm: short });
algorithmContract("PPO with the proper bonus and a KL penalty", ppo, {
  ...small,
  algorithm: { ...short, entropyBonus: "proper", surrogate: "penalised", targetKl: 1e-3 },
});
algorithmContract("PPO with normalised inputs", ppo, {
  run: { steps: 4000 },
  network: { inputs: "normalised", hiddenSizes: [16] },
  algorithm: { ...short, clipValues: false },
});
algorithmContract("PPO without minibatches", ppo, { ...small, algorithm: { ...short, minibatches: 1 } });

/** Random observations and rewards that depend on the action, times `scale`; episodes end at random, in both ways. */
function noise(scale = 1): Environment {
  let random: Random;
  const observe = (observation: Float32Array | Uint8Array) => {
    for (let i = 0; i < observation.length; i++) observation[i] = random.uniform(-1, 1);
  };
  return {
    observationSpace: { kind: "box", shape: [3], dtype: "float32", low: -1, high: 1 },
    actionSpace: { kind: "discrete", n: 4 },
    reset(stream, observation) {
      random = stream;
      observe(observation);
    },
    step(action, observation) {
      const reward = scale * (random.uniform(-1, 1) + (action === 1 ? observation[0] : 0));
      const ending = random.integer(8);
      observe(observation);
      return { reward, terminated: ending === 0, truncated: ending === 1 };
    },
    save: () => ({}),
    restore: () => {},
  };
}

/** A run on {@link noise}, and the samples of its newest rollout. */
function recordedRun(algorithm: AlgorithmKind, seed: number, settings: ChosenSettings) {
  const environment = vectorize("Noise-v0", noise, 2);
  const run = new BareAlgorithm({
    algorithm,
    environment,
    executor: reference,
    seed,
    optimiser: "adam",
    settings,
  });
  const width = 3;
  let [observations, taken] = [new Float32Array(), new Int32Array()];
  const step = environment.step.bind(environment);
  environment.step = (actions) => {
    observations = Float32Array.from(environment.observations);
    taken = actions.slice();
    return step(actions);
  };
  return {
    run,
    async iterate(): Promise<Sample[][]> {
      const samples: Sample[][] = [];
      await run.algorithm.iterate((_, rows) => {
        const row = (numbers: ArrayLike<number>, s: number) =>
          Array.from({ length: width }, (_, i) => numbers[s * width + i]);
        const outcome = (s: number): Sample => {
          const [terminated, truncated] = [rows.terminated[s] === 1, rows.truncated[s] === 1];
          const next = row(terminated || truncated ? rows.finalObservations : rows.observations, s);
          const [action, reward] = [taken[s], rows.rewards[s]];
          return { observation: row(observations, s), action, reward, terminated, truncated, next };
        };
        samples.push([outcome(0), outcome(1)]);
      });
      run.live.step += samples.length * 2;
      return samples;
    },
  };
}

const zeroed = (entry: Snapshot[string]) => {
  if (!isShapedArray(entry)) throw new Error("not an array with a shape");
  return shapedArray(entry.shape, new Float64Array(entry.values.length));
};

const namedArrays = (snapshot: Snapshot) =>
  Object.fromEntries(
    Object.entries(snapshot).map(([name, entry]) => {
      if (!isShapedArray(entry) || !(entry.values instanceof Float64Array)) throw new Error(name);
      return [name, entry.values];
    }),
  );

describe("an iteration in float64", () => {
  it("equals plain loops on 100 random batches: loss, gradient, clip of the norm, Adam, epochs, minibatches", async () => {
    let worst = 0;
    for (let seed = 1; seed <= 20; seed++) {
      const steps = 200;
      const horizon = 12;
      const algorithm = {
        horizon,
        gamma: 0.97,
        lambda: 0.9,
        tau: 0.05,
        valueCoefficient: 0.7,
        clipRange: 0.05,
        normaliseReturns: false,
        bodies: seed % 2 === 0 ? "shared" : "separate",
        reference: seed % 4 < 2 ? "entropy" : "uniform",
        entropyBonus: seed % 3 === 0 ? "naive" : "proper",
        epochs: 2 + (seed % 3),
        minibatches: [4, 3, 1, 2][Math.floor(seed / 4) % 4],
        surrogate: seed % 5 === 0 ? "penalised" : "clipped",
        normaliseAdvantages: seed % 7 > 1,
        clipValues: seed % 5 !== 1,
        targetKl: seed % 4 > 1 ? 5e-4 : 0,
        ...(seed % 5 === 0 ? { penalty: 0.4 } : {}),
      } as const;
      const optimiser = { learningRate: { from: 0.02, to: 0 }, maxGradientNorm: 0.5, epsilon: 1e-5 };
      const { run, iterate } = recordedRun(ppo, seed, {
        run: { steps },
        network: { inputs: "raw", hiddenSizes: [5] },
        optimiser,
        algorithm,
      });
      const settings: Settings = {
        penalty: 3,
        ...algorithm,
        seed,
        steps,
        learningRate: 0.02,
        maxGradientNorm: 0.5,
      };
      const byHand = new PpoByHand(settings, namedArrays(run.algorithm.policy.save()));
      for (let i = 0; i < 5; i++) {
        byHand.iterate(await iterate());
        const learned = namedArrays(run.algorithm.policy.save());
        for (const [name, values] of Object.entries(byHand.parameters)) {
          worst = Math.max(worst, largestDifference(values, learned[name]));
        }
      }
    }
    expect(worst).toBeLessThan(1e-12);
    // Each branch of the loss was taken often.
    for (const count of Object.values(branches)) expect(count).toBeGreaterThan(20);
  });
});

test.each(["naive", "proper"] as const)(
  "with one step a rollout and its advantages as they are, it is A2C: %s bonus",
  async (entropyBonus) => {
    const shared = { entropyBonus, horizon: 9, lambda: 0.9, tau: 0.1, normaliseReturns: false };
    const settings = {
      run: { steps: 1000 },
      network: { inputs: "raw", hiddenSizes: [8] },
      optimiser: { learningRate: 0.01, maxGradientNorm: 0.5, epsilon: 1e-5 },
    };
    const [plain, proximal] = [
      recordedRun(a2c, 3, { ...settings, algorithm: shared }),
      recordedRun(ppo, 3, {
        ...settings,
        algorithm: { ...shared, epochs: 1, minibatches: 1, normaliseAdvantages: false },
      }),
    ];
    for (let i = 0; i < 20; i++) {
      await plain.iterate();
      await proximal.iterate();
      expect(largestDifference(plain.run.theta, proximal.run.theta)).toBeLessThan(1e-12);
    }
  },
);

test("τ of the proper bonus is in units of reward, whatever the scale of the advantages", async () => {
  // One step from the same θ: twice the rewards, values and τ are the same step of the policy.
  const step = async (scale: number, entropyBonus: "naive" | "proper") => {
    const environment = vectorize("Noise-v0", () => noise(scale), 2);
    const run = new BareAlgorithm({
      algorithm: ppo,
      environment,
      executor: reference,
      seed: 2,
      optimiser: "sgd",
      settings: {
        run: { steps: 1000 },
        network: { inputs: "raw", hiddenSizes: [8] },
        optimiser: { learningRate: 1, maxGradientNorm: 1e9 },
        algorithm: {
          entropyBonus,
          tau: 0.5 * scale,
          horizon: 20,
          epochs: 1,
          minibatches: 1,
          normaliseReturns: false,
        },
      },
    });
    const initial = run.algorithm.policy.save();
    const zeros = Object.keys(initial).filter((name) => name.startsWith("value.head"));
    run.algorithm.policy.restore({
      ...initial,
      ...Object.fromEntries(zeros.map((name) => [name, zeroed(initial[name])])),
    });
    await run.iterate(1);
    return namedArrays(run.algorithm.policy.save())["policy.head.weight"];
  };
  expect(largestDifference(await step(1, "proper"), await step(2, "proper"))).toBeLessThan(1e-8);
  expect(largestDifference(await step(1, "naive"), await step(2, "naive"))).toBeGreaterThan(1e-4);
});

test("the rest of the epochs are left out once KL[π_old ‖ π] exceeds the target", async () => {
  const epochs = async (targetKl: number) => {
    const { run } = recordedRun(ppo, 1, {
      run: { steps: 1000 },
      network: { hiddenSizes: [8] },
      optimiser: { learningRate: 0.01 },
      algorithm: { horizon: 8, minibatches: 2, epochs: 5, targetKl },
    });
    const reports = await run.iterate(10);
    return reports.map(({ figures }) => figures.epochs);
  };
  expect(await epochs(0)).toEqual(new Array(10).fill(5));
  // In the first minibatch of the first epoch the policy has not moved, in the second one it has.
  expect(await epochs(1e-12)).toEqual(new Array(10).fill(1));
  const between = await epochs(0.003);
  expect(Math.min(...between)).toBeLessThan(5);
  expect(Math.max(...between)).toBeGreaterThan(1);
});

test("on CartPole it reaches 400 within 100,000 steps", async () => {
  const trainer = createTrainer({
    algorithm: ppo,
    environment: makeEnvironment("CartPole-v1", 4),
    executor: wasm,
    settings: { run: { steps: 100_000, seed: 1 } },
  });
  await trainer.start();
  while (!trainer.done) await trainer.iterate();
  expect((await trainer.finish()).meanReturn).toBeGreaterThan(400);
});

describe("refuses", () => {
  const make = (algorithm: Readonly<Record<string, unknown>>) =>
    createTrainer({
      algorithm: ppo,
      environment: makeEnvironment("CartPole-v1", 4),
      executor: wasm,
      settings: { algorithm },
    });

  it("minibatches that do not divide a rollout", () => {
    expect(() => make({ horizon: 5, minibatches: 3 })).toThrow(
      "algorithm.minibatches: the minibatches do not divide a rollout, expected a divisor of 5 steps · 4 environments = 20, got 3",
    );
  });

  it("normalised advantages of a single sample", () => {
    const single = { horizon: 2, minibatches: 8 };
    expect(() => make(single)).toThrow(
      "algorithm.normaliseAdvantages: the advantages of one sample have no standard deviation, expected minibatches of at least 2 samples, got 1",
    );
    expect(() => make({ ...single, normaliseAdvantages: false })).not.toThrow();
  });

  it.each([
    [{ penalty: 1 }, "penalty: this setting has no effect without the penalised surrogate, got 1"],
    [
      { surrogate: "penalised", clipValues: false, clipRange: 0.3 },
      "clipRange: this setting has no effect without a clipped surrogate or clipped values, got 0.3",
    ],
    [{ epochs: 1, targetKl: 0.01 }, "targetKl: this setting has no effect without a second epoch, got 0.01"],
    ...[{ clipRange: 0.3 }, { clipValues: false }, { surrogate: "penalised" }].map(
      (setting) =>
        [
          { ...setting, epochs: 1, minibatches: 1 },
          `${Object.keys(setting)[0]}: this setting has no effect without a second step of the optimiser on the same rollout`,
        ] as const,
    ),
  ] as const)("settings without an effect: %o", (algorithm, message) => {
    expect(() => make(algorithm)).toThrow(`algorithm.${message}`);
  });
});
