import { describe, expect, it } from "vitest";
import {
  NaturalPolicyGradient,
  type NaturalPolicyGradientOptions,
} from "../../src/algorithms/natural-policy-gradient.js";
import { RandomStreams } from "../../src/base/random.js";
import { CartPole } from "../../src/envs/classic-control/cart-pole.js";
import { trainConfig } from "../../src/experiment/config.js";
import { klDivergence } from "../../src/math/categorical.js";
import { logPrior, logProbabilities } from "../../src/math/units.js";
import { mlp } from "../../src/nn/body.js";
import { policyValueNetwork } from "../../src/nn/heads.js";
import { rmsprop } from "../../src/optim/rmsprop.js";
import { constantSchedule } from "../../src/optim/schedule.js";
import { createWasmExecutor } from "../../src/tensor/compiled/wasm-executor.js";
import { input, state } from "../../src/tensor/operations.js";
import { program } from "../../src/tensor/program.js";
import { createReferenceExecutor } from "../../src/tensor/reference-executor.js";
import { algorithmContract } from "./contract.js";

const wasm = await createWasmExecutor();
const reference = createReferenceExecutor({ precision: "float64" });

const options: NaturalPolicyGradientOptions = {
  horizon: 16,
  gamma: 0.99,
  tau: 0.02,
  logPrior: logPrior(new Float64Array(2)),
  optimiser: rmsprop(),
  learningRate: constantSchedule(1e-3),
  totalSteps: 4000,
  maxGradientNorm: 0.5,
  trustRegion: 0.01,
  longestStep: 0.5,
  fisherDamping: 1e-3,
  conjugateGradientSteps: 10,
  valueSteps: 2,
};
const network = () => policyValueNetwork(mlp([16]), [4], 2);

algorithmContract(
  "NaturalPolicyGradient",
  (environment, streams) => new NaturalPolicyGradient(environment, network(), wasm, streams, options),
);

/** One iteration of a learner on CartPole, with the observations that it saw and θ before and after. */
async function iteration(changes: Partial<NaturalPolicyGradientOptions>) {
  const streams = new RandomStreams(4);
  const environment = new CartPole(8);
  environment.reset(streams);
  const chosen = { ...options, ...changes };
  const learner = new NaturalPolicyGradient(environment, network(), reference, streams, chosen);
  for (let i = 0; i < 3; i++) await learner.iterate(() => {});
  const before = learner.theta();
  const observations = [...environment.observations];
  const { losses } = await learner.iterate(() => observations.push(...environment.observations));
  // The last observations belong to the next rollout.
  observations.length = chosen.horizon * 8 * 4;
  return { learner, before, after: learner.theta(), observations, losses };
}

/** mean KL[π_before‖π_after] over observations. */
function divergence({ learner, before, after, observations }: Awaited<ReturnType<typeof iteration>>): number {
  const { network: both } = learner;
  const rows = observations.length / 4;
  const theta = state("theta", [both.parameters.size]);
  const { logPi } = both.apply(input("observations", [rows, 4]), both.parameters.views(theta));
  const session = reference.load({ main: program({ outputs: { logPi } }) });
  const policy = (parameters: Float64Array) => {
    session.state(theta).set(parameters);
    session.programs.main.input("observations").set(observations);
    session.programs.main.run();
    return Float64Array.from(session.programs.main.output("logPi"));
  };
  const [old, moved] = [policy(before), policy(after)];
  return klDivergence(logProbabilities(old), logPrior(moved)) / rows;
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
      const squared = moved.after.reduce((sum, x, i) => sum + (x - moved.before[i]) ** 2, 0);
      const predicted = trustRegion - 0.5 * fisherDamping * squared;
      expect(predicted).toBeGreaterThan(0.2 * trustRegion);
      expect(Math.abs(divergence(moved) / predicted - 1)).toBeLessThan(15 * Math.sqrt(trustRegion));
    }
  });

  it("is at most its longest, a multiple of the natural gradient over the run's advantages", async () => {
    const cut = { valueSteps: 0, conjugateGradientSteps: 30 };
    const free = await iteration({ ...cut, longestStep: 1e9 });
    const one = await iteration({ ...cut, longestStep: 1e-9 });
    const two = await iteration({ ...cut, longestStep: 2e-9 });
    expect(free.losses.step).toBeGreaterThan(1e-3);
    expect(two.losses.step / one.losses.step).toBeCloseTo(2, 6);
    expect(divergence(two)).toBeLessThan(1e-9);
    // On CartPole, with V still near 0, an advantage is about as large as 16 steps are long.
    const advantage = 1e-9 / one.losses.step;
    expect(advantage).toBeGreaterThan(2);
    expect(advantage).toBeLessThan(16);
  });

  it("fits V by the critic's parameters alone, and moves the policy by the actor's", async () => {
    const { learner, before, after } = await iteration({ valueSteps: 5 });
    const { entries } = learner.network.parameters;
    const moved = (name: string) =>
      entries
        .filter((entry) => entry.name.startsWith(name))
        .some(({ offset, size }) =>
          before.slice(offset, offset + size).some((x, i) => x !== after[offset + i]),
        );
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
    expect(natural.losses.conjugateGradients).toBeGreaterThan(1);
    expect(natural.after).not.toEqual(plain.after);
  });
});

describe("npg in a configuration", () => {
  it('has a rollout of its own length: trainConfig({ algorithm: "npg" })', () => {
    expect(trainConfig({ algorithm: "npg" }).horizon).toBe(125);
    expect(trainConfig({ algorithm: "npg", horizon: 7 }).horizon).toBe(7);
    expect(trainConfig({ algorithm: "a2c" }).horizon).toBe(5);
    expect(() => trainConfig({ algorithm: "npg", entropyBonus: "naive" })).toThrow(
      /entropyBonus does not go with algorithm npg/,
    );
  });
});
