import {
  a2c,
  createTrainer,
  createWasmExecutor,
  evaluate,
  makeEnvironment,
  RandomStreams,
  vectorize,
} from "softrl";
import { expect, test } from "vitest";
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
  let made = 0;
  const environment = vectorize(
    "Steady-v0",
    () => {
      const length = ++made;
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
    3,
  );
  const policy = new FakePolicy(environment, new RandomStreams(1).stream("actions"));
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
  const settings = { run: { steps: 40_000 } };
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

/** Environment i of three ends its episodes after i + 1 steps; the last one never does. A reward of 1 at every step. */
function oneEndless() {
  let made = 0;
  const make = () => {
    const length = made++ === 2 ? Infinity : made;
    let left = length;
    return {
      observationSpace: { kind: "box", shape: [1], dtype: "float32", low: 0, high: 1 } as const,
      actionSpace: { kind: "discrete", n: 2 } as const,
      reset: (_: unknown, observation: { fill(x: number): unknown }) => {
        left = length;
        observation.fill(0);
      },
      step: () => ({ reward: 1, terminated: --left === 0, truncated: false }),
      save: () => ({}),
      restore: () => {},
    };
  };
  return vectorize("Endless-v0", make, 3);
}

test("cuts an episode at maxSteps, and plays all episodes none the less", async () => {
  const environment = oneEndless();
  const policy = new FakePolicy(environment, new RandomStreams(1).stream("actions"));
  const result = await evaluate({ ...evaluation(7), environment, policy, maxSteps: 5 });
  expect(result).toMatchObject({ returns: [1, 1, 1, 2, 2, 5, 5], lengths: [1, 1, 1, 2, 2, 5, 5] });
  expect(result).toMatchObject({ cut: 2, interrupted: false });
  expect(await evaluate(evaluation(3))).toMatchObject({ cut: 0 });
  await expect(evaluate({ ...evaluation(1), maxSteps: 0 })).rejects.toThrow(/maxSteps is out of range/);
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
