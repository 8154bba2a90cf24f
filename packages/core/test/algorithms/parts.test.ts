import {
  type AlgorithmKind,
  a2c,
  CartPole,
  type ChosenSettings,
  createReferenceExecutor,
  createTrainer,
  createWasmExecutor,
  dqn,
  type EnvironmentRows,
  type Executor,
  MemoryRunStore,
  MinAtar,
  naturalPolicyGradient,
  ppo,
  type Random,
  RandomStreams,
  softQLearning,
  type VectorEnvironment,
} from "softrl";
import { describe, expect, it } from "vitest";
import { BareAlgorithm } from "./bare-algorithm.js";

/** The streams of the environments from `first` on, counted from 0. */
class StreamsFrom extends RandomStreams {
  constructor(
    seed: number,
    readonly first: number,
  ) {
    super(seed);
  }

  override stream(...name: readonly (string | number)[]): Random {
    return super.stream(
      ...name.map((word, i) => (i === 1 && typeof word === "number" ? this.first + word : word)),
    );
  }
}

/** The same environments in parts, each of which takes its time to step; `order` notes when. */
function inParts(
  make: (size: number) => VectorEnvironment,
  size: number,
  count: number,
): VectorEnvironment & { readonly order: readonly string[] } {
  const order: string[] = [];
  const environments = Array.from({ length: count }, () => make(size / count));
  const whole = make(size);
  const parts: EnvironmentRows[] = environments.map((environment, p) => {
    const part = Object.create(environment, {
      step: {
        configurable: true,
        async value(actions: Int32Array) {
          order.push(`${p} begins`);
          await new Promise((resolve) => setImmediate(resolve));
          environment.step(actions);
          order.push(`${p} ends`);
        },
      },
    });
    return part;
  });
  return Object.assign(Object.create(whole), {
    parts,
    order,
    reset({ seed }: RandomStreams) {
      environments.forEach((environment, p) => {
        environment.reset(new StreamsFrom(seed, (p * size) / count));
      });
    },
    step() {
      throw new Error("the whole is never stepped");
    },
    save: () => ({ parts: environments.length }),
  });
}

const wasm = await createWasmExecutor();
const reference = createReferenceExecutor();

async function run(
  executor: Executor,
  algorithm: AlgorithmKind,
  environment: VectorEnvironment,
  settings: ChosenSettings,
) {
  const store = new MemoryRunStore();
  const chosen = { ...settings, run: { ...settings.run, seed: 5 } };
  const trainer = createTrainer({ algorithm, environment, executor, settings: chosen, store });
  await trainer.start();
  while (!trainer.done) await trainer.iterate();
  const { policy } = trainer.algorithm;
  const pieces = trainer.algorithm.pieces?.().map((piece) => piece.save());
  return { parameters: policy.save(), state: trainer.algorithm.save(), pieces, events: store.events, policy };
}

const cartPole = (size: number) => new CartPole(size, { maxEpisodeSteps: 30 });
const breakout = (size: number) => new MinAtar("Breakout", size);

describe.each([
  ["reference, a2c, 2 parts", reference, a2c, 2, cartPole, 2000, false],
  ["reference, soft-q, 4 parts", reference, softQLearning, 4, cartPole, 2000, false],
  ["WebAssembly, a2c, CartPole, 2 parts", wasm, a2c, 2, cartPole, 2000, false],
  ["WebAssembly, a2c, CartPole, 4 parts", wasm, a2c, 4, cartPole, 2000, false],
  ["WebAssembly, soft-q, CartPole, 2 parts", wasm, softQLearning, 2, cartPole, 2000, false],
  ["WebAssembly, npg, CartPole, 2 parts", wasm, naturalPolicyGradient, 2, cartPole, 4000, false],
  ["WebAssembly, a2c normalised, CartPole, 2 parts", wasm, a2c, 2, cartPole, 2000, true],
  ["WebAssembly, npg normalised, CartPole, 4 parts", wasm, naturalPolicyGradient, 4, cartPole, 4000, true],
  ["WebAssembly, a2c normalised, Breakout, 2 parts", wasm, a2c, 2, breakout, 400, true],
  ["WebAssembly, a2c, Breakout, 2 parts", wasm, a2c, 2, breakout, 400, false],
  ["WebAssembly, soft-q, Breakout, 4 parts", wasm, softQLearning, 4, breakout, 400, false],
  ["WebAssembly, ppo, CartPole, 4 parts", wasm, ppo, 4, cartPole, 8000, false],
  ["WebAssembly, ppo normalised, Breakout, 2 parts", wasm, ppo, 2, breakout, 2048, true],
  ["WebAssembly, dqn, CartPole, 2 parts", wasm, dqn, 2, cartPole, 2000, false],
  ["WebAssembly, dqn, Breakout, 4 parts", wasm, dqn, 4, breakout, 400, false],
] as const)("%s", (_, executor, algorithm, count, make, steps, normalised) => {
  it("learns the same bytes and logs the same events as in one", async () => {
    const settings = {
      run: { steps },
      ...(algorithm === dqn ? { algorithm: { replayStart: 100, explorationSteps: 200, trainEvery: 4 } } : {}),
      ...(normalised ? { network: { inputs: "normalised" }, algorithm: { normaliseReturns: true } } : {}),
    };
    const whole = await run(executor, algorithm, make(8), settings);
    const parted = await run(executor, algorithm, inParts(make, 8, count), settings);
    expect(parted.parameters).toEqual(whole.parameters);
    expect(parted.state).toEqual(whole.state);
    expect(parted.pieces).toEqual(whole.pieces);
    expect(parted.events.filter(({ event }) => event === "episode").length).toBeGreaterThan(10);
    expect(parted.events).toEqual(whole.events);
    // Evaluations may be of any size.
    for (const size of [1, 3, 8, 11]) {
      const { observations } = make(size);
      observations.forEach((_, i) => {
        observations[i] = (i * 7) % 5 < 2 ? 1 : 0;
      });
      const actions = [new Int32Array(size), new Int32Array(size)];
      whole.policy.act(observations, actions[0], "sample");
      parted.policy.act(observations, actions[1], "sample");
      expect(actions[1], `${size} environments`).toEqual(actions[0]);
    }
  });
});

describe("an environment in parts", () => {
  it("steps one part while the network evaluates another", async () => {
    const environment = inParts((size) => new CartPole(size), 4, 2);
    await run(wasm, a2c, environment, { run: { steps: 12 }, algorithm: { horizon: 3 } });
    const steps = ["0 begins", "1 begins", "0 ends", "0 begins", "1 ends", "1 begins"];
    expect(environment.order.slice(0, steps.length)).toEqual(steps);
    expect(environment.order).toHaveLength(2 * 2 * 3);
  });

  it("must come in parts of one size that are all of it", () => {
    const environment = new CartPole(4);
    for (const parts of [[new CartPole(1), new CartPole(3)], [new CartPole(2)]]) {
      const parted = Object.assign(Object.create(environment), { parts });
      expect(() => createTrainer({ algorithm: a2c, environment: parted, executor: wasm })).toThrow(
        /the parts do not make up the environments/,
      );
    }
  });

  it("names an environment by its number among all where a part goes wrong", async () => {
    const environment = inParts((size) => new CartPole(size), 4, 2);
    const [, second] = environment.parts ?? [];
    const value = async () => {
      second.rewards[1] = Number.NaN;
    };
    Object.defineProperty(second, "step", { value });
    await expect(run(wasm, a2c, environment, { run: { steps: 100 } })).rejects.toThrow(
      /the reward of environment 3 is not finite at step 4/,
    );
  });

  it.each([a2c, softQLearning, dqn])("continues after a step that failed: $name", async (algorithm) => {
    const environment = inParts((size) => new CartPole(size), 4, 2);
    const learner = new BareAlgorithm({ algorithm, environment, executor: wasm, seed: 1 }).algorithm;
    const [, second] = environment.parts ?? [];
    const { step } = second;
    // It fails while the first part is still under way: nobody listens to it yet.
    Object.defineProperty(second, "step", {
      configurable: true,
      value: () => Promise.reject(new Error("no answer")),
    });
    await expect(learner.iterate(() => {})).rejects.toThrow("no answer");
    Object.defineProperty(second, "step", { configurable: true, value: step });
    await expect(learner.iterate(() => {})).resolves.toMatchObject({ steps: algorithm === dqn ? 48 : 20 });
  });
});
