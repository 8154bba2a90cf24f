import {
  type AlgorithmKind,
  a2c,
  compare,
  createReferenceExecutor,
  createTrainer,
  dqn,
  makeEnvironment,
  softQLearning,
  type Trainer,
} from "softrl";
import { describe, expect, test } from "vitest";
import { fakeAlgorithm } from "./fake-algorithm.js";

const executor = createReferenceExecutor();
const clock = () => 0;

function trainers(gap: "kept" | "subtracted", reference: "entropy" | "uniform"): Trainer[] {
  const run = { steps: 4000, seed: 3 };
  const common = { executor, clock };
  const algorithm = { reference, tau: 0.05 };
  const network = { hiddenSizes: [16] };
  const environment = () => makeEnvironment("CartPole-v1", 8);
  return [
    createTrainer({
      ...common,
      algorithm: a2c,
      environment: environment(),
      settings: { run, network, algorithm },
    }),
    createTrainer({
      ...common,
      algorithm: softQLearning,
      environment: environment(),
      settings: { run, network, algorithm: { ...algorithm, gap } },
    }),
  ];
}

describe("compare", () => {
  test.each(["entropy", "uniform"] as const)(
    "soft Q-learning with the gap subtracted has A2C's parameters after every update, with π̄ %s",
    async (reference) => {
      const subtracted = await compare(
        trainers("subtracted", reference),
        { clock },
        { watchParameters: true },
      );
      expect(subtracted.parameterDistance?.updates).toBe(100);
      expect(subtracted.parameterDistance?.largest).toBeLessThan(1e-12);
      const kept = await compare(trainers("kept", reference), { clock }, { watchParameters: true });
      expect(kept.parameterDistance?.largest).toBeGreaterThan(1e-6);
    },
  );

  test("measures the theorem at the learned networks", async () => {
    const { theorem, parameterDistance, runs, interrupted } = await compare(trainers("kept", "uniform"), {
      clock,
    });
    expect(theorem?.perSample).toBeLessThan(1e-12);
    expect(theorem?.expected).toBeLessThan(1e-12);
    expect(theorem?.perSample).toBeGreaterThan(0);
    expect(theorem?.holds).toBe(true);
    expect(parameterDistance).toBeNull();
    expect(interrupted).toBe(false);
    expect(runs.map(({ steps }) => steps)).toEqual([4000, 4000]);
    for (const { curve } of runs) expect(curve.steps.at(-1)).toBe(4000);
  });

  test("refuses to watch the parameters of an algorithm without a model, before any run starts", async () => {
    const [first] = trainers("kept", "entropy");
    const environment = makeEnvironment("CartPole-v1", 8);
    const fake = createTrainer({ algorithm: fakeAlgorithm(), environment, executor });
    await expect(compare([first, fake], { clock }, { watchParameters: true })).rejects.toThrow(
      "compare: fake cannot be measured exactly, expected an algorithm with a model of log π and V, such as a2c or soft-q, got fake.",
    );
    expect(first.step).toBe(0);
  });

  test("refuses to watch the parameters of different networks", async () => {
    const [first] = trainers("kept", "entropy");
    const environment = makeEnvironment("CartPole-v1", 8);
    const settings = { network: { hiddenSizes: [8] } };
    const other = createTrainer({ algorithm: a2c, environment, executor, settings });
    await expect(compare([first, other], { clock }, { watchParameters: true })).rejects.toThrow(
      "compare: the networks have different parameters, whose distance cannot be watched, expected ",
    );
    expect(first.step).toBe(0);
  });

  test("compares an algorithm without a model, and measures the theorem at the others", async () => {
    const make = (algorithm: AlgorithmKind) => {
      const environment = makeEnvironment("CartPole-v1", 1);
      return createTrainer({ algorithm, environment, executor, clock, settings: { run: { steps: 200 } } });
    };
    const { runs, theorem } = await compare([make(dqn), make(a2c)], { clock });
    expect(runs.map(({ steps }) => steps)).toEqual([200, 200]);
    expect(theorem?.states).toBe(1);
    expect((await compare([make(dqn)], { clock })).theorem).toBeNull();
  });
});
