import {
  a2c,
  createTrainer,
  createWasmExecutor,
  type EvaluationProgress,
  evaluate,
  makeEnvironment,
  RandomStreams,
  vectorize,
} from "softrl";
import { describe, expect, test } from "vitest";
import { FakePolicy } from "./fake-algorithm.js";

function evaluation(episodes: number, seed = 1) {
  const environment = makeEnvironment("CartPole-v1", 3);
  const policy = new FakePolicy(environment, new RandomStreams(seed).stream("actions"));
  return { environment, policy, episodes, mode: "sample" as const, seed, clock: () => 0 };
}

test("plays exactly the episodes asked for, each environment its share", async () => {
  const result = await evaluate(evaluation(7));
  expect(result.returns.length).toBe(7);
  expect(result.returns).toEqual(result.lengths);
  expect(result.interrupted).toBe(false);
  const mean = result.returns.reduce((a, b) => a + b) / 7;
  const variance = result.returns.reduce((a, b) => a + (b - mean) ** 2, 0) / 6;
  expect(result.meanReturn).toBeCloseTo(mean, 12);
  expect(result.standardDeviation).toBeCloseTo(Math.sqrt(variance), 12);
});

test("does not favour the environments whose episodes are short", async () => {
  const { environment, policy } = steady([1, 2, 3]);
  const result = await evaluate({ ...evaluation(7), environment, policy });
  expect(result.returns).toEqual([1, 1, 1, 2, 2, 3, 3]);
});

test("plays the same for the same seed, and learns nothing", async () => {
  const first = evaluation(5);
  const parameters = first.policy.save();
  const result = await evaluate(first);
  expect(await evaluate(evaluation(5))).toEqual(result);
  expect(await evaluate(evaluation(5, 2))).not.toEqual(result);
  expect(first.policy.save()).toEqual(parameters);
});

test("fewer than two episodes have no spread, and none is refused", async () => {
  expect(await evaluate(evaluation(1))).toMatchObject({ standardDeviation: null });
  await expect(evaluate(evaluation(0))).rejects.toThrow(/evaluate: episodes is out of range/);
});

test("stops when told to", async () => {
  const result = await evaluate({ ...evaluation(50), signal: { aborted: true } });
  expect(result).toMatchObject({ returns: [], meanReturn: null, interrupted: true });
});

test("plays from other starts than training with the same seed", async () => {
  const starts: number[][] = [];
  const { environment, ...parts } = evaluation(1);
  await environment.reset(new RandomStreams(1));
  starts.push(Array.from(environment.observations));
  const reset = environment.reset.bind(environment);
  environment.reset = async (streams) => {
    await reset(streams);
    starts.push(Array.from(environment.observations));
  };
  await evaluate({ ...parts, environment });
  expect(starts).toHaveLength(2);
  expect(starts[1]).not.toEqual(starts[0]);
});

test("plays a trained policy, by its most likely actions and by drawn ones", async () => {
  const environment = makeEnvironment("CartPole-v1", 4);
  const executor = await createWasmExecutor();
  const settings = { run: { steps: 8_000 } };
  const trainer = createTrainer({ algorithm: a2c, environment, executor, settings });
  await trainer.start();
  while (!trainer.done) await trainer.iterate();
  const { policy } = trainer.algorithm;
  const parameters = policy.save();
  // More environments than the policy was trained on.
  const parts = () => ({ environment: makeEnvironment("CartPole-v1", 6), policy, episodes: 12, seed: 1 });
  const mode = await evaluate({ ...parts(), mode: "mode" });
  expect(await evaluate({ ...parts(), mode: "mode" })).toEqual(mode);
  const sample = await evaluate({ ...parts(), mode: "sample" });
  expect(sample).not.toEqual(mode);
  const random = await evaluate(evaluation(12));
  for (const { meanReturn } of [mode, sample]) expect(meanReturn).toBeGreaterThan(random.meanReturn ?? 500);
  expect(policy.save()).toEqual(parameters);
});

test("draws actions from the given stream, and leaves the policy's own alone", async () => {
  const environment = makeEnvironment("CartPole-v1", 4);
  const { policy } = createTrainer({
    algorithm: a2c,
    environment,
    executor: await createWasmExecutor(),
  }).algorithm;
  const play = (seed: number) =>
    evaluate({
      ...{ policy, episodes: 6, mode: "sample" as const, seed: 1 },
      environment: makeEnvironment("CartPole-v1", 6),
      random: new RandomStreams(seed).stream("actions"),
    });
  const first = await play(1);
  expect(await play(2)).not.toEqual(first);
  expect(await play(1)).toEqual(first);
});

/** Environment i ends its episodes after `lengths[i]` steps, each worth 1. */
function steady(lengths: readonly number[]) {
  let made = 0;
  const environment = vectorize(
    "Steady-v0",
    () => {
      const length = lengths[made++];
      let left = length;
      return {
        observationSpace: { kind: "box", shape: [1], dtype: "float32", low: 0, high: 1 },
        actionSpace: { kind: "discrete", n: 2 },
        reset: (_, observation) => {
          left = length;
          observation.fill(0);
        },
        step: () => ({ reward: 1, terminated: --left === 0, truncated: false }),
        save: () => ({}),
        restore: () => {},
      };
    },
    lengths.length,
  );
  const policy = new FakePolicy(environment, new RandomStreams(1).stream("actions"));
  return { environment, policy, mode: "mode" as const, seed: 1 };
}

const ENDLESS = Number.POSITIVE_INFINITY;

describe("maxSteps", () => {
  test("cuts episodes that do not end; their return so far counts and is marked", async () => {
    expect(await evaluate({ ...steady([3, ENDLESS, 10]), episodes: 7, maxSteps: 10 })).toMatchObject({
      // An episode of just as many steps is whole.
      returns: [3, 3, 3, 10, 10, 10, 10],
      lengths: [3, 3, 3, 10, 10, 10, 10],
      wasCut: [false, false, false, true, true, false, false],
      cut: 2,
      meanReturn: 7,
      interrupted: false,
    });
  });

  test("ends every evaluation: all environments start anew when each has played or is cut", async () => {
    const starts: string[] = [];
    const parts = steady([ENDLESS, ENDLESS]);
    const { environment } = parts;
    const reset = environment.reset.bind(environment);
    environment.reset = (streams) => {
      starts.push(streams.stream("environment", 0).save().join());
      return reset(streams);
    };
    const result = await evaluate({ ...parts, episodes: 5, maxSteps: 4 });
    expect(result).toMatchObject({ returns: [4, 4, 4, 4, 4], cut: 5 });
    expect(new Set(starts).size).toBe(3);
  });

  test("is 100,000 unless set; Infinity cuts none", async () => {
    const result = await evaluate({ ...steady([ENDLESS]), episodes: 1 });
    expect(result).toMatchObject({ lengths: [100_000], cut: 1 });
    let steps = 0;
    const signal = {
      get aborted() {
        return ++steps > 100_100;
      },
    };
    const endless = { ...steady([ENDLESS]), episodes: 1, maxSteps: Number.POSITIVE_INFINITY, signal };
    expect(await evaluate(endless)).toMatchObject({ returns: [], cut: 0, interrupted: true });
  });

  test.each([0, 1.5, Number.NaN, -1])("refuses %d", async (maxSteps) => {
    await expect(evaluate({ ...steady([1]), episodes: 1, maxSteps })).rejects.toThrow(
      /evaluate: maxSteps is not valid, expected an integer of at least 1, or Infinity, got/,
    );
  });

  test("lets the most likely actions of a policy that has learned little end on CliffWalking", async () => {
    const algorithm = a2c;
    const executor = await createWasmExecutor();
    const environment = makeEnvironment("CliffWalking-v1", 4);
    const trainer = createTrainer({ algorithm, environment, executor, settings: { run: { steps: 400 } } });
    await trainer.start();
    while (!trainer.done) await trainer.iterate();
    const { policy } = trainer.algorithm;
    const parts = { environment: makeEnvironment("CliffWalking-v1", 4), policy, seed: 1, maxSteps: 200 };
    const result = await evaluate({ ...parts, episodes: 6, mode: "mode" });
    expect(result).toMatchObject({ interrupted: false, cut: 6 });
    expect(result.returns).toHaveLength(6);
  });
});

test("reports its progress about ten times a second, and at the end", async () => {
  let seconds = 0;
  const reports: EvaluationProgress[] = [];
  await evaluate({
    ...steady([64, 64]),
    episodes: 10,
    clock: () => seconds,
    pause: async () => {
      seconds += 0.06;
    },
    onProgress: (progress) => void reports.push(progress),
  });
  expect(reports.map(({ played }) => played)).toEqual([6, 10, 10]);
  expect(reports.at(-1)).toMatchObject({ played: 10, episodes: 10, meanReturn: 64, steps: 640 });
  expect(reports[0].stepsPerSecond).toBeGreaterThan(0);
});
