import {
  CartPole,
  createReferenceExecutor,
  isShapedArray,
  klDivergence,
  logPrior,
  naturalPolicyGradient,
  type Snapshot,
} from "softrl";
import { describe, expect, it } from "vitest";
import { BareAlgorithm } from "./bare-algorithm.js";
import { algorithmContract } from "./contract.js";

const reference = createReferenceExecutor({ precision: "float64" });

const settings = {
  run: { steps: 4000 },
  network: { inputs: "unit", hiddenSizes: [16] },
  optimiser: { learningRate: 1e-3 },
  algorithm: {
    horizon: 16,
    tau: 0.02,
    trustRegion: 0.01,
    longestStep: 0.5,
    fisherDamping: 1e-3,
    conjugateGradientSteps: 10,
    valueSteps: 2,
  },
};

algorithmContract("npg", naturalPolicyGradient, settings);
algorithmContract("npg with normalised observations and returns", naturalPolicyGradient, {
  ...settings,
  network: { ...settings.network, inputs: "normalised" },
  algorithm: { ...settings.algorithm, normaliseReturns: true },
});

/** One iteration on CartPole, with the observations that it saw and the parameters before and after. */
async function iteration(changes: Readonly<Record<string, number | boolean>>) {
  const environment = new CartPole(8);
  const run = new BareAlgorithm({
    algorithm: naturalPolicyGradient,
    environment,
    executor: reference,
    seed: 4,
    settings: { ...settings, algorithm: { ...settings.algorithm, ...changes } },
  });
  await run.iterate(3);
  const { policy } = run.algorithm;
  const before = { theta: run.theta, parameters: policy.save() };
  const observations = [...environment.observations];
  const { figures } = await run.algorithm.iterate(() => observations.push(...environment.observations));
  // The last observations belong to the next rollout.
  observations.length = settings.algorithm.horizon * 8 * 4;
  const after = { theta: run.theta, parameters: policy.save() };
  return { policy, before, after, observations: Float32Array.from(observations), figures: { ...figures } };
}

/** mean KL[π_before‖π_after] over observations. */
function divergence({ policy, before, after, observations }: Awaited<ReturnType<typeof iteration>>): number {
  policy.restore(before.parameters);
  const old = policy.evaluate(observations).logPi;
  policy.restore(after.parameters);
  return klDivergence(old, logPrior(policy.evaluate(observations).logPi)) / (observations.length / 4);
}

describe("the step of the natural policy gradient", () => {
  it("is as long as the trust region: KL[π_old‖π] = δ less the damping's share, to second order", async () => {
    for (const trustRegion of [1e-3, 1e-4, 1e-5]) {
      const fisherDamping = 1e-3;
      const moved = await iteration({
        trustRegion,
        fisherDamping,
        longestStep: 1e9,
        conjugateGradientSteps: 30,
        valueSteps: 0,
      });
      const { before, after } = moved;
      const squared = after.theta.reduce((sum, x, i) => sum + (x - before.theta[i]) ** 2, 0);
      const predicted = trustRegion - 0.5 * fisherDamping * squared;
      expect(predicted).toBeGreaterThan(0.2 * trustRegion);
      expect(Math.abs(divergence(moved) / predicted - 1)).toBeLessThan(15 * Math.sqrt(trustRegion));
    }
  });

  it("is at most its longest, a multiple of the natural gradient over the run's advantages", async () => {
    const cut = { valueSteps: 0, conjugateGradientSteps: 30, normaliseReturns: false };
    const free = await iteration({ ...cut, longestStep: 1e9 });
    const one = await iteration({ ...cut, longestStep: 1e-9 });
    const two = await iteration({ ...cut, longestStep: 2e-9 });
    expect(free.figures.step).toBeGreaterThan(1e-3);
    expect(two.figures.step / one.figures.step).toBeCloseTo(2, 6);
    expect(divergence(two)).toBeLessThan(1e-9);
    // On CartPole, with V still near 0, an advantage is about as large as 16 steps are long.
    const advantage = 1e-9 / one.figures.step;
    expect(advantage).toBeGreaterThan(2);
    expect(advantage).toBeLessThan(16);
  });

  it("fits V by the critic's parameters alone, and moves the policy by the actor's", async () => {
    const { before, after } = await iteration({ valueSteps: 5 });
    const names = Object.keys(before.parameters);
    const moved = (prefix: string) =>
      names
        .filter((name) => name.startsWith(prefix))
        .some((name) => differs(before.parameters, after.parameters, name));
    expect(moved("actor.body")).toBe(true);
    expect(moved("actor.policy")).toBe(true);
    expect(moved("critic.body")).toBe(true);
    expect(moved("critic.value")).toBe(true);
    expect(moved("actor.value")).toBe(false);
    expect(moved("critic.policy")).toBe(false);
  });

  it("differs from a plain gradient's, which one conjugate gradient is", async () => {
    const natural = await iteration({ conjugateGradientSteps: 10 });
    const plain = await iteration({ conjugateGradientSteps: 1 });
    expect(natural.figures.conjugateGradients).toBeGreaterThan(1);
    expect(natural.after.theta).not.toEqual(plain.after.theta);
  });
});

function differs(before: Snapshot, after: Snapshot, name: string): boolean {
  const [a, b] = [before[name], after[name]];
  if (!isShapedArray(a) || !isShapedArray(b)) throw new Error(`${name} is not an array`);
  return a.values.some((x, i) => x !== b.values[i]);
}
