import {
  type AlgorithmKind,
  a2c,
  a3c,
  asyncSoftQ,
  type ChosenSettings,
  createReferenceExecutor,
  createTrainer,
  createWasmExecutor,
  type Executor,
  MemoryRunStore,
  makeEnvironment,
  NetworkPolicy,
  SharedParameters,
  type Snapshot,
  softQLearning,
  type Trainer,
  type VectorEnvironment,
} from "softrl";
import { describe, expect, test } from "vitest";
import { type Intervention, SameThreadWorkers } from "../experiment/same-thread-workers.js";
import { BareAlgorithm } from "./bare-algorithm.js";
import { algorithmContract } from "./contract.js";

const wasm = await createWasmExecutor();
const reference = createReferenceExecutor();

const settings = {
  run: { steps: 4000 },
  network: { inputs: "unit", hiddenSizes: [16, 16] },
  algorithm: { tau: 0.02 },
};
algorithmContract("a3c", a3c, settings);

interface Choice {
  readonly executor?: Executor;
  readonly settings?: ChosenSettings;
  readonly optimiser?: string;
  readonly workers?: number;
  readonly intervention?: Intervention;
  readonly environment?: VectorEnvironment;
}

function start(algorithm: AlgorithmKind, choice: Choice = {}) {
  const { executor = wasm, workers, settings = {}, optimiser, intervention } = choice;
  const store = new MemoryRunStore();
  const threads = new SameThreadWorkers(executor, intervention);
  const trainer = createTrainer({
    algorithm,
    environment: choice.environment ?? makeEnvironment("CartPole-v1", 1),
    executor,
    store,
    ...(optimiser === undefined ? {} : { optimiser }),
    settings: {
      ...settings,
      run: { steps: 2000, logEvery: 500, ...settings.run },
      network: { hiddenSizes: [16], ...settings.network },
      algorithm: { ...(workers === undefined ? {} : { workers }), ...settings.algorithm },
    },
    workers: threads.workers,
  });
  return { trainer, store, threads };
}

async function finish(trainer: Trainer) {
  while (!trainer.done) await trainer.iterate();
  return trainer.finish();
}

function thetaOf({ algorithm: { policy } }: Trainer): Float64Array {
  if (!(policy instanceof NetworkPolicy)) throw new Error("the policy has no θ");
  return policy.theta();
}

describe("one worker is the synchronous algorithm with one environment, parameter by parameter", () => {
  const pairs = [
    [a3c, a2c, {}],
    [a3c, a2c, { entropyBonus: "naive" }],
    [asyncSoftQ, softQLearning, {}],
    [asyncSoftQ, softQLearning, { epochs: 2 }],
    [asyncSoftQ, softQLearning, { gap: "subtracted" }],
  ] as const;
  const executors = [
    ["WebAssembly", wasm],
    ["the reference", reference],
  ] as const;
  for (const [asynchronous, synchronous, own] of pairs) {
    test.each(executors)(`${asynchronous.name} ${JSON.stringify(own)} on %s`, async (_, executor) => {
      const optimisers = Object.keys(own).length === 0 ? ["rmsprop", "adam"] : ["adam"];
      for (const optimiser of optimisers) {
        const start = (algorithm: AlgorithmKind, shared?: SharedParameters) =>
          new BareAlgorithm({
            algorithm,
            environment: makeEnvironment("CartPole-v1", 1),
            executor,
            seed: 7,
            optimiser,
            settings: { run: { steps: 300 }, network: { hiddenSizes: [16] }, algorithm: own },
            ...(shared === undefined ? {} : { shared }),
          });
        const memory = new SharedParameters({ learners: 2 });
        start(synchronous, memory);
        const expected = start(synchronous);
        const alone = start(asynchronous);
        // What a worker thread runs, while the others rest.
        const worker = start(asynchronous, new SharedParameters({ memory: memory.memory, learner: 1 }));
        for (let i = 0; i < 40; i++) {
          for (const run of [expected, alone, worker]) {
            await run.iterate(1);
            expect(run.theta).toEqual(expected.theta);
          }
        }
        for (const run of [alone, worker]) expect(await run.bytes()).toEqual(await expected.bytes());
      }
    });
  }
});

describe("the parameters that two learners share", () => {
  const learnerOf = (role: ConstructorParameters<typeof SharedParameters>[0]) => {
    const [theta, state] = [Float32Array.of(1, 2, 3), Float32Array.of(10, 20, 30)];
    const shared = new SharedParameters(role);
    shared.attach({ theta, states: [state], parameters: [] }, wasm);
    return { shared, theta, state };
  };

  test("keep the steps of both, and the states of the later one", () => {
    const first = learnerOf({ learners: 2 });
    const { memory } = first.shared;
    const [one, other] = [0, 1].map((learner) => learnerOf({ memory, learner }));
    for (const { shared } of [one, other]) shared.fetchTheta();
    for (const { shared } of [one, other]) shared.beforeStep();
    one.theta.set([1.5, 2, 3]);
    one.state.fill(1);
    other.theta.set([1.25, 2, 4]);
    other.state.fill(2);
    for (const { shared } of [one, other]) shared.afterStep();
    first.shared.fetch();
    expect([...first.theta]).toEqual([1.75, 2, 4]);
    expect([...first.state]).toEqual([2, 2, 2]);
  });

  test("begin at cache lines, whatever their number, so that copies are made word by word", () => {
    const { parameters } = learnerOf({ learners: 2 }).shared.memory;
    // θ, which slot is the newest one, and three slots of states.
    expect(parameters.byteLength).toBe(64 + 64 + 3 * 64);
    expect([...new Float32Array(parameters, 2 * 64, 3)]).toEqual([10, 20, 30]);
  });
});

/** Those of a run with two workers whose parameters all threads have, as a test needs it. */
const together = { workers: 2, settings: { run: { steps: 6000, evaluateEvery: 0 } } };

describe("two workers", () => {
  test.each([a3c, asyncSoftQ])("$name: count every step and every episode once, and learn", async (kind) => {
    const { trainer, store, threads } = start(kind, together);
    await trainer.start();
    const before = thetaOf(trainer);
    const result = await finish(trainer);
    await trainer.algorithm.close?.();
    expect([threads.started, threads.stopped]).toEqual([2, 2]);
    expect(result).toMatchObject({ steps: 6000, reproducible: false, interrupted: false });
    expect(thetaOf(trainer)).not.toEqual(before);

    const episodes = store.events.filter((event) => event.event === "episode");
    expect(episodes).toHaveLength(result.episodes);
    expect(new Set(episodes.map(({ environment }) => environment))).toEqual(new Set([0, 1]));
    const steps = episodes.map(({ step }) => step);
    expect(steps).toEqual(steps.toSorted((a, b) => a - b));
    const taken = episodes.reduce((sum, { length }) => sum + length, 0);
    expect(taken).toBeGreaterThan(5000);
    expect(taken).toBeLessThanOrEqual(6000);
    for (const event of store.events)
      if (event.event === "update") expect(Object.keys(event.figures)).toContain("gradientNorm");
  });

  test("have random streams of their own: the first those of the run", async () => {
    const seeds: unknown[] = [];
    const { trainer } = start(a3c, {
      ...together,
      intervention: {
        environment: () => {
          const environment = makeEnvironment("CartPole-v1", 1);
          const { reset } = environment;
          environment.reset = (streams) => {
            seeds.push(streams.seed);
            return reset.call(environment, streams);
          };
          return environment;
        },
      },
    });
    await trainer.start();
    expect(seeds).toHaveLength(2);
    expect(seeds[0]).toBe(trainer.config.run.seed);
    expect(seeds[1]).not.toBe(seeds[0]);
  });

  test("continue from a checkpoint: counters, episodes in progress, statistics and streams of each worker", async () => {
    const first = start(a3c, together);
    await first.trainer.start();
    await first.trainer.iterate();
    const snapshot = await first.trainer.save();
    const resumed = start(a3c, together);
    await resumed.trainer.restore(snapshot);
    expect(thetaOf(resumed.trainer)).toEqual(thetaOf(first.trainer));
    expect(await resumed.trainer.save()).toEqual({ ...snapshot, events: expect.anything() });
    const result = await finish(resumed.trainer);
    expect(result.steps).toBe(6000);
    expect(result.episodes).toBeGreaterThan(10);
    // In the thread of the test, workers take turns: what is random about threads is not.
    await finish(first.trainer);
    expect(thetaOf(resumed.trainer)).toEqual(thetaOf(first.trainer));
  });

  test("are not restored once they have started: their environments would go on from elsewhere", async () => {
    const { trainer } = start(a3c, together);
    await trainer.start();
    await trainer.iterate();
    const { algorithm } = await trainer.save();
    const before = thetaOf(trainer);
    expect(() => trainer.algorithm.restore(algorithm as Snapshot)).toThrow(
      /^a3c: its workers have started already, .*make a new trainer and restore that one/,
    );
    expect(thetaOf(trainer)).toEqual(before);
    await trainer.iterate();
  });

  test("follow schedules and changes of settings, over the steps of all", async () => {
    const { trainer, store } = start(a3c, together);
    await trainer.start();
    await trainer.iterate();
    const { step } = trainer;
    await trainer.set({ learningRate: 0 });
    const frozen = thetaOf(trainer);
    await trainer.iterate();
    const moved = thetaOf(trainer).filter((x, i) => x !== frozen[i]);
    // Only the statistics of the observations, of two bodies.
    expect(moved.length).toBeLessThanOrEqual(2 * 2 * 4);
    expect(trainer.step).toBe(2 * step);
    expect(store.events.at(-1)).toMatchObject({ event: "update", learningRate: 0 });
  });

  test("end a round after a second, however slow their environments are", async () => {
    const environment = () => {
      const made = makeEnvironment("CartPole-v1", 1);
      const { step } = made;
      made.step = async (actions) => {
        await step.call(made, actions);
        await new Promise((resolve) => setTimeout(resolve, 10));
      };
      return made;
    };
    const { trainer } = start(a3c, { ...together, intervention: { environment } });
    await trainer.start();
    await trainer.iterate();
    const { step } = trainer;
    expect(step).toBeGreaterThan(0);
    // Two workers, a hundred steps a second each.
    expect(step).toBeLessThan(500);
    expect(step % 5).toBe(0);
    await trainer.iterate();
    expect(trainer.step).toBeGreaterThan(step);
    await trainer.algorithm.close?.();
  });

  test("are refused where the run has no threads", () => {
    const choice = {
      algorithm: a3c,
      environment: makeEnvironment("CartPole-v1", 1),
      executor: wasm,
      settings: { algorithm: { workers: 2 } },
    };
    expect(() => createTrainer(choice)).toThrow(
      /^algorithm.workers: this run has no threads for its workers, expected 1, got 2; pass workers to train/,
    );
  });
});

describe("a worker that is lost ends the run with one error, and all threads", () => {
  const lost = async (intervention: Intervention, during?: (threads: SameThreadWorkers) => void) => {
    const { trainer, threads, store } = start(a3c, { ...together, intervention });
    const error: unknown = await (async () => {
      await trainer.start();
      await trainer.iterate();
      during?.(threads);
      await finish(trainer);
    })().catch((thrown: unknown) => thrown);
    expect(threads.stopped).toBe(2);
    await expect(trainer.iterate()).rejects.toBe(error);
    await trainer.algorithm.close?.();
    return { error, store };
  };
  const failing = (fail: (steps: number) => void) => (worker: number) => {
    const environment = makeEnvironment("CartPole-v1", 1);
    const { step } = environment;
    let steps = 0;
    environment.step = (actions) => {
      if (worker === 1) fail(++steps);
      return step.call(environment, actions);
    };
    return environment;
  };

  test("one that throws", async () => {
    const environment = failing((steps) => {
      if (steps > 170) throw new Error("the joystick is broken");
    });
    const { error } = await lost({ environment });
    expect(error).toMatchObject({ name: "SoftrlError", code: "worker-lost" });
    expect(String(error)).toMatch(
      /a3c: worker 2 of 2: failed: the joystick is broken; continue from the last checkpoint with softrl resume/,
    );
  });

  test("one whose environment gives numbers that are not finite", async () => {
    const environment = (worker: number) => {
      const made = makeEnvironment("CartPole-v1", 1);
      const { step } = made;
      made.step = (actions) => {
        const stepping = step.call(made, actions);
        if (worker === 0) made.rewards[0] = Number.NaN;
        return stepping;
      };
      return made;
    };
    const { error } = await lost({ environment });
    expect(error).toMatchObject({ name: "SoftrlError", code: "bad-input" });
    expect(String(error)).toMatch(
      /a3c: worker 1 of 2: CartPole-v1: the reward of environment 0 is not finite at step \d+, expected a finite number/,
    );
  });

  test("one that leaves", async () => {
    const { error } = await lost({}, ({ events }) => {
      setImmediate(() => events[0].ended(new Error("it ended with code 9")));
    });
    expect(error).toMatchObject({ name: "SoftrlError", code: "worker-lost" });
    expect(String(error)).toMatch(/worker 1 of 2: the worker has ended: it ended with code 9/);
  });

  test("one that does not answer", async () => {
    let requests = 0;
    const delivers = (worker: number) => worker === 0 || ++requests < 3;
    const { error } = await lost({ delivers, patience: 0.2 });
    expect(error).toMatchObject({ name: "SoftrlError", code: "worker-lost" });
    expect(String(error)).toMatch(/worker 2 of 2: the worker has made no step for 0.2 seconds/);
  });

  test("one that cannot make its part of the run", async () => {
    const { trainer, threads } = start(a3c, {
      ...together,
      intervention: {
        environment: () => {
          throw new Error("no cabinet here");
        },
      },
    });
    await expect(trainer.start()).rejects.toThrow(/a3c: worker 1 of 2: failed: no cabinet here/);
    expect(threads.stopped).toBe(2);
  });
});
