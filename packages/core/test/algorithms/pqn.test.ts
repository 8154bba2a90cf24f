import {
  createReferenceExecutor,
  createTrainer,
  createWasmExecutor,
  loadPolicy,
  logPrior,
  MemoryRunStore,
  makeEnvironment,
  pqn,
  qValues,
  softValue,
} from "softrl";
import { describe, expect, it, test } from "vitest";
import { BareAlgorithm, largestDifference } from "./bare-algorithm.js";
import { algorithmContract } from "./contract.js";

const reference = createReferenceExecutor();
const wasm = await createWasmExecutor();

const small = { run: { steps: 2000 }, network: { inputs: "unit", hiddenSizes: [16] } };
algorithmContract("PQN", pqn, { ...small, algorithm: { horizon: 6, minibatches: 4 } });
algorithmContract("soft PQN", pqn, {
  ...small,
  algorithm: { horizon: 6, minibatches: 4, backup: "soft-entropy" },
});
algorithmContract("PQN with layer normalisation", pqn, {
  run: { steps: 2000 },
  network: { inputs: "unit", hiddenSizes: [16, 8], layerNorm: true },
  algorithm: { horizon: 6, minibatches: 3, epochs: 1 },
});

algorithmContract("PQN with normalised inputs", pqn, {
  run: { steps: 2000 },
  network: { inputs: "normalised", hiddenSizes: [16] },
  algorithm: { horizon: 6, minibatches: 4 },
});

describe("on a table, one sample at a time", () => {
  const tau = 0.3;
  const gamma = 0.9;
  const priors = {
    hard: Float64Array.of(0, 0, 0, 0),
    "soft-entropy": Float64Array.of(0, 0, 0, 0),
    "soft-kl": new Float64Array(4).fill(-Math.log(4)),
  };

  test.each(["hard", "soft-entropy", "soft-kl"] as const)(
    "%s: Q(s, a) becomes r + γ B(s')",
    async (backup) => {
      const environment = makeEnvironment("FrozenLake-v1", 1);
      // A state's row of weights and the bias move by the error times the learning rate each.
      const run = new BareAlgorithm({
        algorithm: pqn,
        environment,
        executor: reference,
        seed: 4,
        optimiser: "sgd",
        settings: {
          run: { steps: 100_000 },
          network: { inputs: "unit", hiddenSizes: [] },
          optimiser: { learningRate: 0.5, maxGradientNorm: 1e9 },
          algorithm: {
            backup,
            gamma,
            ...(backup === "hard" ? {} : { tau }),
            horizon: 1,
            minibatches: 1,
            epochs: 1,
          },
        },
      });
      const { algorithm } = run;
      const backupOf = (observations: Float32Array | Uint8Array) => {
        const q = qValues(algorithm.policy.evaluate(observations).q ?? new Float64Array());
        return softValue(q, logPrior(priors[backup]), backup === "hard" ? 0 : tau);
      };
      let [taken, target, terminations] = [-1, 0, 0];
      const step = environment.step.bind(environment);
      environment.step = (actions) => {
        [taken] = actions;
        return step(actions);
      };
      for (let i = 0; i < 400; i++) {
        const observations = environment.observations.slice();
        await algorithm.iterate((_, rows) => {
          const isTruncated = rows.truncated[0] === 1 && rows.terminated[0] === 0;
          terminations += rows.terminated[0];
          const successor = rows.terminated[0]
            ? 0
            : backupOf(isTruncated ? rows.finalObservations : rows.observations);
          target = rows.rewards[0] + gamma * successor;
        });
        const { q } = algorithm.policy.evaluate(observations);
        expect(q?.[taken]).toBeCloseTo(target, 10);
      }
      expect(terminations).toBeGreaterThan(10);
    },
  );
});

it("loads as a policy with the same Q, and acts by it", async () => {
  for (const backup of ["hard", "soft-kl"] as const) {
    const store = new MemoryRunStore();
    const trainer = createTrainer({
      algorithm: pqn,
      environment: makeEnvironment("CartPole-v1", 2),
      executor: wasm,
      store,
      settings: { run: { steps: 300 }, algorithm: { horizon: 10, minibatches: 4, backup } },
    });
    await trainer.start();
    while (!trainer.done) await trainer.iterate();
    await trainer.finish();
    const policy = loadPolicy(store.checkpoint ?? new Uint8Array(), wasm, { rows: 2 });
    const { observations } = trainer.environment;
    const [ours, theirs] = [trainer.algorithm.policy.evaluate(observations), policy.evaluate(observations)];
    expect(theirs).toEqual(ours);
    const [q, v] = [ours.q ?? new Float64Array(), ours.v ?? new Float64Array()];
    const prior = logPrior(Float64Array.of(Math.log(0.5), Math.log(0.5)));
    const values = [q.slice(0, 2), q.slice(2)].map((row) =>
      backup === "hard" ? Math.max(...row) : softValue(qValues(row), prior, 0.1),
    );
    expect(largestDifference(v, values)).toBeLessThan(1e-5);
    const actions = new Int32Array(2);
    policy.act(observations, actions, "mode");
    expect([...actions]).toEqual([0, 1].map((row) => (q[2 * row] >= q[2 * row + 1] ? 0 : 1)));
  }
});

test("τ is §6.2's on Atari, colder on MinAtar, and falls from 1 elsewhere", () => {
  const falling = { from: 1, to: 0.1 };
  expect(pqn.settings.tau.defaults).toEqual({ vector: falling, table: falling, atari: 0.1, minatar: 0.003 });
  // Each of them is a default that the hard backup does not read.
  for (const id of ["CartPole-v1", "FrozenLake-v1", "MinAtar/Breakout-v1"]) {
    const environment = makeEnvironment(id, 4);
    expect(() => createTrainer({ algorithm: pqn, environment, executor: wasm })).not.toThrow();
  }
});

describe("refuses", () => {
  const make = (algorithm: Readonly<Record<string, unknown>>) =>
    createTrainer({
      algorithm: pqn,
      environment: makeEnvironment("CartPole-v1", 4),
      executor: wasm,
      settings: { algorithm: algorithm as never },
    });

  it("minibatches that do not divide a rollout", () => {
    expect(() => make({ horizon: 5, minibatches: 3 })).toThrow(
      "algorithm.minibatches: the minibatches do not divide a rollout, expected a divisor of 5 steps · 4 environments = 20, got 3",
    );
  });

  it("settings that the backup does not read", () => {
    expect(() => make({ tau: 0.5 })).toThrow(
      "algorithm.tau: this setting has no effect without a soft backup, got 0.5",
    );
    expect(() => make({ backup: "soft-kl", epsilon: 0.5 })).toThrow(
      "algorithm.epsilon: this setting has no effect without the backup hard, got 0.5",
    );
    expect(() => make({ horizon: 1, minibatches: 1, lambda: 0.5 })).toThrow(
      "algorithm.lambda: this setting has no effect without a horizon of more than 1, got 0.5",
    );
    // Not the default schedule, though it begins as that one does.
    expect(() => make({ backup: "soft-kl", epsilon: { from: 1, to: 0.5 } })).toThrow(
      "algorithm.epsilon: this setting has no effect without the backup hard",
    );
  });
});
