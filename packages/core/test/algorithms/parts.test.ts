import { describe, expect, it } from "vitest";
import { type Random, RandomStreams } from "../../src/base/random.js";
import { CartPole } from "../../src/envs/classic-control/cart-pole.js";
import type { EnvironmentRows, VectorEnvironment } from "../../src/envs/environment.js";
import { MinAtar } from "../../src/envs/minatar/min-atar.js";
import { type TrainConfig, trainConfig } from "../../src/experiment/config.js";
import { makeAlgorithm } from "../../src/experiment/make-algorithm.js";
import { MemoryRunStore } from "../../src/experiment/run-store.js";
import { Trainer } from "../../src/experiment/trainer.js";
import { createWasmExecutor } from "../../src/tensor/compiled/wasm-executor.js";
import type { Executor } from "../../src/tensor/executor.js";
import { createReferenceExecutor } from "../../src/tensor/reference-executor.js";

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

async function run(executor: Executor, environment: VectorEnvironment, settings: Partial<TrainConfig>) {
  const config = trainConfig({ seed: 5, ...settings });
  const store = new MemoryRunStore();
  const algorithm = makeAlgorithm(config, environment, executor);
  const trainer = new Trainer(config, { environment, algorithm, store, clock: () => 0 });
  await trainer.start();
  while (!trainer.done) await trainer.iterate();
  return { theta: algorithm.theta(), events: store.events, algorithm };
}

const cartPole: Partial<TrainConfig> = { environment: "CartPole-v1", environments: 8, steps: 2000 };
const breakout: Partial<TrainConfig> = { environment: "MinAtar/Breakout-v1", environments: 8, steps: 400 };

describe.each([
  ["reference, A2C, 2 parts", reference, "a2c", 2, cartPole],
  ["reference, soft Q, 4 parts", reference, "soft-q", 4, cartPole],
  ["WebAssembly, A2C, CartPole, 2 parts", wasm, "a2c", 2, cartPole],
  ["WebAssembly, A2C, CartPole, 4 parts", wasm, "a2c", 4, cartPole],
  ["WebAssembly, soft Q, CartPole, 2 parts", wasm, "soft-q", 2, cartPole],
  ["WebAssembly, A2C, Breakout, 2 parts", wasm, "a2c", 2, breakout],
  ["WebAssembly, soft Q, Breakout, 4 parts", wasm, "soft-q", 4, breakout],
] as const)("%s", (_, executor, algorithm, count, settings) => {
  const make = (size: number) =>
    settings === cartPole ? new CartPole(size, { maxEpisodeSteps: 30 }) : new MinAtar("Breakout", size);

  it("learns the same bytes and tells the same events as in one", async () => {
    const whole = await run(executor, make(8), { ...settings, algorithm });
    const parted = await run(executor, inParts(make, 8, count), { ...settings, algorithm });
    expect(parted.theta).toEqual(whole.theta);
    expect(parted.events.filter(({ event }) => event === "episode").length).toBeGreaterThan(10);
    expect(parted.events).toEqual(whole.events);
    // Evaluations may be of any size.
    for (const size of [1, 3, 8, 11]) {
      const { observations } = make(size);
      observations.forEach((_, i) => {
        observations[i] = (i * 7) % 5 < 2 ? 1 : 0;
      });
      const actions = [new Int32Array(size), new Int32Array(size)];
      whole.algorithm.act(observations, actions[0], "sample");
      parted.algorithm.act(observations, actions[1], "sample");
      expect(actions[1], `${size} environments`).toEqual(actions[0]);
    }
  });
});

describe("an environment in parts", () => {
  it("steps one part while another is judged", async () => {
    const environment = inParts((size) => new CartPole(size), 4, 2);
    await run(wasm, environment, { environment: "CartPole-v1", environments: 4, horizon: 3, steps: 12 });
    const steps = ["0 begins", "1 begins", "0 ends", "0 begins", "1 ends", "1 begins"];
    expect(environment.order.slice(0, steps.length)).toEqual(steps);
    expect(environment.order).toHaveLength(2 * 2 * 3);
  });

  it("must come in parts of one size that are all of it", () => {
    const environment = new CartPole(4);
    const config = trainConfig({ environment: "CartPole-v1", environments: 4 });
    for (const parts of [[new CartPole(1), new CartPole(3)], [new CartPole(2)]]) {
      const parted = Object.assign(Object.create(environment), { parts });
      expect(() => makeAlgorithm(config, parted, wasm)).toThrow(/the parts do not make up the environments/);
    }
  });

  it("names an environment by its number among all where a part goes wrong", async () => {
    const environment = inParts((size) => new CartPole(size), 4, 2);
    const [, second] = environment.parts ?? [];
    const value = async () => {
      second.rewards[1] = Number.NaN;
    };
    Object.defineProperty(second, "step", { value });
    const settings = { environment: "CartPole-v1", environments: 4, steps: 100 };
    await expect(run(wasm, environment, settings)).rejects.toThrow(
      /the reward of environment 3 is not finite at step 4/,
    );
  });

  it.each(["a2c", "soft-q"] as const)("goes on after a step that failed: %s", async (algorithm) => {
    const environment = inParts((size) => new CartPole(size), 4, 2);
    const config = trainConfig({ environment: "CartPole-v1", environments: 4, algorithm });
    const learner = makeAlgorithm(config, environment, wasm);
    environment.reset(new RandomStreams(1));
    const [, second] = environment.parts ?? [];
    const { step } = second;
    // It fails while the first part is still under way: nobody listens to it yet.
    Object.defineProperty(second, "step", {
      configurable: true,
      value: () => Promise.reject(new Error("no answer")),
    });
    await expect(learner.iterate(() => {})).rejects.toThrow("no answer");
    Object.defineProperty(second, "step", { configurable: true, value: step });
    await expect(learner.iterate(() => {})).resolves.toMatchObject({ steps: 20 });
  });
});
