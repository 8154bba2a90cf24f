import {
  type AlgorithmKind,
  a2c,
  type ChosenSettings,
  createReferenceExecutor,
  createTrainer,
  createWasmExecutor,
  type Executor,
  encodeCheckpoint,
  loadPolicy,
  MemoryRunStore,
  makeEnvironment,
  NetworkPolicy,
  naturalPolicyGradient,
  networkKind,
  policyOf,
  RandomStreams,
  type Snapshot,
  softQLearning,
} from "softrl";
import { describe, expect, it } from "vitest";
import { mlp } from "../../src/nn/body.js";
import { largestDifference } from "../algorithms/bare-algorithm.js";
import { fakeAlgorithm } from "./fake-algorithm.js";

const wasm = await createWasmExecutor();
const exact = createReferenceExecutor();

const small: ChosenSettings = { network: { hiddenSizes: [16] }, algorithm: { tau: 0.05 } };
const normalised = { ...small, network: { ...small.network, inputs: "normalised" } };

/** A trained run, its policy, and the bytes of its checkpoint. */
async function trained(
  algorithm: AlgorithmKind,
  executor: Executor,
  environmentId: string,
  settings: ChosenSettings,
) {
  const store = new MemoryRunStore();
  const environment = makeEnvironment(environmentId, 4);
  const trainer = createTrainer({
    algorithm,
    environment,
    executor,
    store,
    settings: { ...settings, run: { steps: 600 } },
  });
  await trainer.start();
  while (!trainer.done) await trainer.iterate();
  await trainer.finish();
  const { policy } = trainer.algorithm;
  if (!(policy instanceof NetworkPolicy)) throw new Error("not a policy of a network");
  return { environment, trainer, policy, bytes: store.checkpoint ?? new Uint8Array() };
}

/** Observations that no run of the network takes at once: B = 11. */
function manyObservations(environment: Awaited<ReturnType<typeof trained>>["environment"]) {
  const random = new RandomStreams(1).stream("observations");
  const all = environment.observations.slice();
  const width = all.length / environment.size;
  const many = all instanceof Uint8Array ? new Uint8Array(11 * width) : new Float32Array(11 * width);
  return many.map(() => (all instanceof Uint8Array ? random.integer(2) : random.uniform(-1, 1)));
}

const runs = [
  ["a2c", a2c, "CartPole-v1", small],
  ["a2c with separate bodies", a2c, "CartPole-v1", { ...small, algorithm: { bodies: "separate" } }],
  ["soft-q", softQLearning, "CartPole-v1", { ...small, algorithm: { reference: "uniform", tau: 0.3 } }],
  ["npg", naturalPolicyGradient, "CartPole-v1", small],
  ["a2c with normalised inputs", a2c, "CartPole-v1", normalised],
  ["npg with normalised inputs", naturalPolicyGradient, "CartPole-v1", normalised],
  [
    "a2c on MinAtar with normalised inputs",
    a2c,
    "MinAtar/Breakout-v1",
    { network: { inputs: "normalised" } },
  ],
  ["a2c on MinAtar", a2c, "MinAtar/Breakout-v1", {}],
] as const;

describe.each(runs)("the policy of a checkpoint of %s", (_, algorithm, environmentId, settings) => {
  it("is the trainer's to the bit on the same executor", async () => {
    for (const executor of [wasm, exact]) {
      const { bytes, policy, environment } = await trained(algorithm, executor, environmentId, settings);
      const loaded = loadPolicy(bytes, executor, { rows: 4 });
      expect(loaded.save()).toEqual(policy.save());
      expect(loaded.theta()).toEqual(policy.theta());
      expect(loaded.form).toEqual(policy.form);
      expect(loaded.observationSpace).toEqual(environment.observationSpace);
      expect(loaded.actionSpace).toEqual(environment.actionSpace);
      const observations = manyObservations(environment);
      expect(loaded.evaluate(observations)).toEqual(policy.evaluate(observations));
      const [mine, theirs] = [new Int32Array(11), new Int32Array(11)];
      loaded.act(observations, mine, "mode");
      policy.act(observations, theirs, "mode");
      expect(mine).toEqual(theirs);
      for (let round = 0; round < 50; round++) {
        loaded.act(observations, mine, "sample", new RandomStreams(round).stream("actions"));
        policy.act(observations, theirs, "sample", new RandomStreams(round).stream("actions"));
        expect(mine).toEqual(theirs);
      }
      // MinAtar in float64 takes seconds.
      if (environmentId !== "CartPole-v1") return;
    }
  });

  it("is the same to rounding on another executor, and for any number of rows", async () => {
    const { bytes, policy, environment } = await trained(algorithm, wasm, environmentId, settings);
    const observations = manyObservations(environment);
    const expected = policy.evaluate(observations);
    for (const executor of [wasm, exact]) {
      for (const rows of [1, 3, 11, 16]) {
        const got = loadPolicy(bytes, executor, { rows }).evaluate(observations);
        expect(largestDifference(got.logPi, expected.logPi), `${rows} rows`).toBeLessThan(1e-5);
        expect(largestDifference(got.v, expected.v), `${rows} rows`).toBeLessThan(1e-5);
        expect(largestDifference(got.q ?? [], expected.q ?? []), `${rows} rows`).toBeLessThan(1e-5);
      }
    }
  });

  it("has Q = V + τ (log π − log π̄)", async () => {
    const { bytes, environment } = await trained(algorithm, wasm, environmentId, settings);
    const { logPi, v, q } = loadPolicy(bytes, wasm).evaluate(manyObservations(environment));
    if (q === null) throw new Error("the policy has no Q");
    const count = q.length / 11;
    const tau = "algorithm" in settings && "tau" in settings.algorithm ? settings.algorithm.tau : undefined;
    const uniform = "algorithm" in settings && "reference" in settings.algorithm ? -Math.log(count) : 0;
    const { form } = loadPolicy(bytes, wasm);
    if (tau !== undefined) expect(form.tau).toBe(tau);
    if (form.tau === null) throw new Error("the policy has no τ");
    for (let i = 0; i < q.length; i++) {
      const expected = v[Math.floor(i / count)] + form.tau * (logPi[i] - uniform);
      expect(q[i]).toBeCloseTo(expected, 12);
    }
    for (let i = 0; i < q.length; i += count) {
      const sum = logPi.subarray(i, i + count).reduce((total, x) => total + Math.exp(x), 0);
      expect(sum).toBeCloseTo(1, 5);
    }
  });
});

describe("a loaded policy", () => {
  it("draws its actions from its seed", async () => {
    const { bytes, environment } = await trained(a2c, wasm, "CartPole-v1", small);
    const observations = new Float32Array(100 * 4);
    const draw = (seed?: number) => {
      const actions = new Int32Array(100);
      loadPolicy(bytes, wasm, seed === undefined ? {} : { seed }).act(observations, actions, "sample");
      return actions;
    };
    expect(draw()).toEqual(draw(0));
    expect(draw(7)).toEqual(draw(7));
    expect(draw(7)).not.toEqual(draw(8));
    for (const action of draw()) expect([0, 1]).toContain(action);
    expect(environment.actionSpace).toEqual({ kind: "discrete", n: 2 });
  });

  it("refuses observations that are not whole rows", async () => {
    const { bytes } = await trained(a2c, wasm, "CartPole-v1", small);
    const policy = loadPolicy(bytes, wasm);
    expect(() => policy.evaluate(new Float32Array(7))).toThrow(/observations have the wrong length/);
    expect(() => policy.act(new Float32Array(8), new Int32Array(3), "mode")).toThrow(
      "Policy: observations have the wrong length, expected 3 observations of 4 numbers: 12, got 8.",
    );
  });

  it("of a network by value needs that network", async () => {
    const own = networkKind({ name: "linear", about: "no hidden layer", settings: {}, body: () => mlp([]) });
    const store = new MemoryRunStore();
    const trainer = createTrainer({
      algorithm: a2c,
      environment: makeEnvironment("CartPole-v1", 2),
      executor: wasm,
      network: own,
      store,
      settings: { run: { steps: 10 } },
    });
    await trainer.start();
    await trainer.iterate();
    await trainer.finish();
    const bytes = store.checkpoint ?? new Uint8Array();
    expect(() => loadPolicy(bytes, wasm, { where: "mine.safetensors" })).toThrow(
      'mine.safetensors: the checkpoint\'s network is not among the given ones, expected mlp, nature-cnn, minatar-cnn, got "linear"; pass it in options.networks.',
    );
    const loaded = loadPolicy(bytes, wasm, { networks: [own] });
    expect(loaded.save()).toEqual(trainer.algorithm.policy.save());
  });

  it("of an algorithm with a policy of its own is refused", async () => {
    const store = new MemoryRunStore();
    const environment = makeEnvironment("CartPole-v1", 2);
    const settings = { run: { steps: 10 } };
    const parts = { algorithm: fakeAlgorithm(), environment, executor: wasm, settings, store };
    const trainer = createTrainer(parts);
    await trainer.start();
    await trainer.iterate();
    await trainer.finish();
    expect(() => loadPolicy(store.checkpoint ?? new Uint8Array(), wasm)).toThrow(
      /loadPolicy: the checkpoint's policy can only be made by its algorithm/,
    );
  });
});

describe("a damaged checkpoint is refused", () => {
  it("in any byte", async () => {
    const { bytes } = await trained(a2c, wasm, "CartPole-v1", small);
    for (const at of [0, 20, 300, Math.floor(bytes.length / 2), bytes.length - 1]) {
      const flipped = bytes.slice();
      flipped[at] ^= 4;
      expect(() => loadPolicy(flipped, wasm, { where: "file" }), String(at)).toThrow(
        /^file: not a checkpoint/,
      );
    }
    expect(() => loadPolicy(bytes.subarray(0, 100), wasm)).toThrow(/^loadPolicy: not a checkpoint/);
  });

  it("in the description of its policy, or in a parameter", async () => {
    const { trainer } = await trained(a2c, wasm, "CartPole-v1", small);
    const whole = await trainer.save();
    const policy = whole.policy as Snapshot;
    const parameters = whole.parameters as Snapshot;
    const { "policy.head.bias": _, ...missing } = parameters;
    const broken: readonly (readonly [Snapshot, RegExp])[] = [
      [{ ...whole, format: 2 }, /expected format 3, got format 2/],
      [{ ...whole, config: "{" }, /the checkpoint's config is damaged/],
      [{ ...whole, config: "{}" }, /the checkpoint's configuration has no network/],
      [
        { ...whole, config: '{"network":{"name":"mlp","hiddenSizes":[16],"activation":"no"}}' },
        /network\.activation/,
      ],
      [
        {
          ...whole,
          config:
            '{"network":{"name":"mlp","hiddenSizes":[17],"activation":"tanh","layerNorm":false,"inputs":"unit","channels":"last"}}',
        },
        /does not fit/,
      ],
      [{ ...whole, policy: { ...policy, bodies: "three" } }, /the policy's bodies are not valid/],
      [{ ...whole, policy: { ...policy, logPrior: 3 } }, /the policy's logPrior is not valid/],
      [{ ...whole, policy: { ...policy, tau: "x" } }, /tau/],
      [{ ...whole, policy: { ...policy, logPrior: new Float64Array(3) } }, /logPrior/],
      [{ ...whole, policy: { ...policy, logPrior: Float64Array.of(0, Number.NaN) } }, /logPrior/],
      [{ ...whole, policy: { ...policy, tau: -1 } }, /tau/],
      [{ ...whole, policy: { ...policy, tau: 0 } }, /tau/],
      [{ ...whole, policy: { ...policy, observationSpace: "[" } }, /observationSpace is damaged/],
      [{ ...whole, policy: { ...policy, actionSpace: '{"kind":"discrete","n":0}' } }, /actionSpace|n/],
      [{ ...whole, policy: { ...policy, actionSpace: "null" } }, /actionSpace/],
      [{ ...whole, policy: { ...policy, actionSpace: "[]" } }, /actionSpace is not a space/],
      [
        { ...whole, policy: { ...policy, observationSpace: '{"kind":"box","shape":[4],"dtype":"float32"}' } },
        /observationSpace is not a space/,
      ],
      [{ ...whole, parameters: missing }, /"policy\.head\.bias" of the snapshot does not fit/],
      [
        { ...whole, parameters: { ...parameters, "policy.head.bias": Float32Array.of(Number.NaN, 0) } },
        /policy\.head\.bias\[0\] is not finite/,
      ],
    ];
    for (const [snapshot, message] of broken) {
      expect(() => policyOf(snapshot, wasm), String(message)).toThrow(message);
      expect(() => policyOf(snapshot, wasm, { where: "file" }), String(message)).toThrow(/^file/);
      const bytes = encodeCheckpoint(snapshot);
      expect(() => loadPolicy(bytes, wasm), String(message)).toThrow(message);
    }
  });
});
