import {
  a2c,
  createTrainer,
  createWasmExecutor,
  type Environment,
  gapAtState,
  klDivergence,
  logPrior,
  type Observations,
  policyJacobian,
  RandomStreams,
  type StepOutcome,
  traceTheorem,
  vectorize,
} from "softrl";
import { describe, expect, test } from "vitest";
import { TheoremMeter } from "../../src/experiment/theorem-at-play.js";
import { mlp } from "../../src/nn/body.js";
import { policyValueNetwork } from "../../src/nn/heads.js";

const random = new RandomStreams(8).stream("theorem at play");
const norm = (vector: ArrayLike<number>) => Math.hypot(...Array.from(vector));

describe("the gap at a state", () => {
  test("is √Σ π|gap|² of the closed form, relative to √Σ π|g_PG|²", () => {
    const [tau, c] = [0.3, 0.5];
    const network = policyValueNetwork(mlp([16]), [4], 3);
    const theta = network.parameters.initial(random).map((x) => x + random.uniform(-0.3, 0.3));
    const observation = Float32Array.of(0.3, -0.8, 0.1, 0.6);
    const prior = logPrior(Float64Array.of(Math.log(0.2), Math.log(0.3), Math.log(0.5)));
    const advantages = [0.7, -1.2, 0.05];
    const theorem = traceTheorem(network, { tau, valueWeight: c });
    theorem.theta.set(theta);
    const { perSample, expected } = gapAtState(theorem, { observation, logPrior: prior, advantages }, tau);

    const { logPi, kl } = theorem.state(observation, prior);
    const jacobian = policyJacobian(network, theta, observation, prior, tau);
    const pi = Array.from(logPi, Math.exp);
    const surprise = Array.from(logPi, (logP, a) => logP - prior[a] - kl);
    // ∇KL = Σ π (ℓ − KL) ∇log π
    const gradientOfKl = jacobian.v.map((_, i) =>
      pi.reduce((sum, p, b) => sum + p * surprise[b] * jacobian.logPi[b][i], 0),
    );
    let [distance, size] = [0, 0];
    for (let a = 0; a < 3; a++) {
      const gap = jacobian.v.map(
        (v, i) => tau * (surprise[a] * jacobian.logPi[a][i] - gradientOfKl[i]) + c * tau * surprise[a] * v,
      );
      const policyGradient = jacobian.v.map(
        (v, i) => -advantages[a] * (jacobian.logPi[a][i] + c * v) + tau * gradientOfKl[i],
      );
      distance += pi[a] * norm(gap) ** 2;
      size += pi[a] * norm(policyGradient) ** 2;
    }
    expect(perSample).toBeGreaterThan(1e-3);
    expect(Math.abs(perSample / Math.sqrt(distance / size) - 1)).toBeLessThan(1e-12);
    expect(expected).toBeLessThan(1e-14);
  });
});

const START = [0.5, -0.25];
/** Where each action leads, and what it is worth. */
const forks = [
  { next: [2, 3], reward: 2, terminated: true, truncated: false },
  { next: [0.125, 0.75], reward: -1, terminated: false, truncated: true },
  { next: [-0.5, 0.25], reward: 0.5, terminated: false, truncated: false },
] as const;

/** Ends, is truncated or goes on, as the action says; it always starts at the same observation. */
class Fork implements Environment {
  readonly observationSpace = { kind: "box", shape: [2], dtype: "float32", low: -4, high: 4 } as const;
  readonly actionSpace = { kind: "discrete", n: 3 } as const;

  reset(_random: unknown, observation: Observations): void {
    observation.set(START);
  }

  step(action: number, observation: Observations): StepOutcome {
    const { next, reward, terminated, truncated } = forks[action];
    observation.set(next);
    return { reward, terminated, truncated };
  }

  save() {
    return {};
  }

  restore(): void {}
}

describe("the theorem at play", () => {
  test.each([
    ["with the bonus in the returns", { entropyBonus: "proper", normaliseReturns: false }],
    ["with the bonus at the state alone", { entropyBonus: "naive", normaliseReturns: false }],
    ["with normalised returns", { entropyBonus: "proper", normaliseReturns: true }],
  ])("has Δ of each action from a step of it, %s", async (_, settings) => {
    const trainer = createTrainer({
      algorithm: a2c,
      environment: vectorize("Fork", () => new Fork(), 8),
      executor: await createWasmExecutor(),
      settings: { run: { seed: 3, steps: 400 }, algorithm: { tau: 0.3, gamma: 0.9, ...settings } },
    });
    await trainer.start();
    while (trainer.step < 200) await trainer.iterate();
    const { algorithm } = trainer;
    const { model } = algorithm;
    if (model === undefined) throw new Error("a2c has a model");
    const alone = vectorize("Fork", () => new Fork(), 1);
    alone.reset(new RandomStreams(1));
    const measured = await new TheoremMeter().measure(algorithm, alone);
    expect(Array.from(alone.observations)).toEqual(START);

    const at = (observation: readonly number[]) => {
      const { logPi, v } = algorithm.policy.evaluate(Float32Array.from(observation));
      return { kl: klDivergence(logPi, model.logPrior), v: v?.[0] ?? Number.NaN };
    };
    const { kl, v } = at(START);
    expect(kl).toBeLessThan(-0.1);
    const scale = settings.normaliseReturns ? (model.rewardScale ?? 1) : 1;
    expect(scale === 1).toBe(!settings.normaliseReturns);
    const bonus = settings.entropyBonus === "proper" ? 0.3 * kl : 0;
    const advantages = [
      2 / scale - bonus - v,
      -1 / scale - bonus + 0.9 * at([0.125, 0.75]).v - v,
      0.5 / scale - bonus + 0.9 * at([-0.5, 0.25]).v - v,
    ];
    const { network, valueCoefficient: valueWeight } = model;
    const theorem = traceTheorem(network, { tau: 0.3, valueWeight });
    theorem.theta.set(model.theta());
    const state = { observation: START, logPrior: model.logPrior, advantages };
    const { perSample, expected } = gapAtState(theorem, state, 0.3);
    expect(perSample).toBeGreaterThan(1e-4);
    expect(measured).toEqual({ perSample, expected });
  });
});
