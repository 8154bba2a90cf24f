import { getHeapStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import {
  type AlgorithmKind,
  type AtariProtocol,
  a2c,
  atariEnvironment,
  type ChosenSettings,
  createReferenceExecutor,
  createTrainer,
  MemoryRunStore,
  makeEnvironment,
  type RunEvent,
  readRunSnapshot,
  type Trainer,
  type TrainProgress,
  train,
  type VectorEnvironment,
  vectorize,
  version,
} from "softrl";
import { describe, expect, test } from "vitest";
import manifest from "../../package.json" with { type: "json" };
import { FakeEmulator } from "../envs/fake-emulator.js";
import { Toy } from "../envs/toy.js";
import { FakeAlgorithm, type FakeOptions, fakeAlgorithm } from "./fake-algorithm.js";

const run = { steps: 4000, seed: 3, logEvery: 500, checkpointEvery: 1000 };
const executor = createReferenceExecutor();

function parts(options: FakeOptions = {}, settings: ChosenSettings = { run }) {
  let seconds = 0;
  const algorithm: AlgorithmKind = fakeAlgorithm(options);
  return {
    algorithm,
    environment: makeEnvironment("CartPole-v1", 4),
    executor,
    settings,
    store: new MemoryRunStore(),
    clock: () => {
      seconds += 0.001;
      return seconds;
    },
  };
}

const savedRun = ({ checkpoint }: MemoryRunStore) => readRunSnapshot("test", checkpoint ?? new Uint8Array());

/** An event without what a clock has measured. */
function unmeasured(event: RunEvent): RunEvent {
  return event.event === "update" ? { ...event, seconds: null } : event;
}

async function iterateUntil(trainer: Trainer, step: number): Promise<void> {
  while (trainer.step < step) await trainer.iterate();
}

describe("train", () => {
  test("counts what it logs", async () => {
    const choice = parts();
    const { result, policy } = await train(choice);
    const { events } = choice.store;
    const episodes = events.filter((event) => event.event === "episode");
    expect(result).toMatchObject({ steps: 4000, interrupted: false, episodes: episodes.length });
    expect(result.episodes).toBeGreaterThan(100);
    const last = episodes.slice(-100).map((episode) => episode.return);
    expect(result.meanReturn).toBeCloseTo(last.reduce((a, b) => a + b) / 100, 9);
    expect(result.stepsPerSecond).toBeCloseTo(4000 / (200 * 0.001), 6);
    expect(episodes.every((episode) => episode.return === episode.length)).toBe(true);
    expect(policy.save()).toEqual(savedRun(choice.store).parameters);

    expect(events[0]).toEqual({
      event: "started",
      version,
      executor: "reference",
      precision: "float64",
      config: createTrainer(parts()).config,
    });
    expect(events.at(-1)).toEqual({ event: "finished", step: 4000 });
    const steps = (kind: string) =>
      events.filter((event) => event.event === kind).map((event) => ("step" in event ? event.step : -1));
    expect(steps("update")).toEqual([500, 1000, 1500, 2000, 2500, 3000, 3500, 4000]);
    expect(steps("checkpoint")).toEqual([1000, 2000, 3000, 4000]);
    expect(steps("episode")).toEqual(steps("episode").toSorted((a, b) => a - b));
  });

  test("keeps nothing of the episodes without a store, and ends alike", async () => {
    const bytes = () => {
      setFlagsFromString("--expose-gc");
      runInNewContext("gc")();
      return getHeapStatistics().used_heap_size;
    };
    const make = (store?: MemoryRunStore) =>
      createTrainer({
        algorithm: fakeAlgorithm(),
        environment: makeEnvironment("CartPole-v1", 64, { maxEpisodeSteps: 1 }),
        executor,
        settings: { run: { steps: 200_000, checkpointEvery: 20_000 } },
        ...(store === undefined ? {} : { store }),
      });
    const [trainer, kept] = [make(), make(new MemoryRunStore())];
    await trainer.start();
    const before = bytes();
    await iterateUntil(trainer, 200_000);
    expect(trainer.progress.episodes).toBeGreaterThanOrEqual(200_000);
    // 200,000 events of episodes take about 20 MB.
    expect(bytes() - before).toBeLessThan(4e6);
    await kept.start();
    await iterateUntil(kept, 200_000);
    expect(await trainer.finish()).toEqual(await kept.finish());
    expect(await trainer.save()).toEqual(await kept.save());
  });

  test("logs the mean of the figures since the last event", async () => {
    const choice = parts({
      spoil: (figures, iteration) => {
        figures.loss = iteration;
      },
    });
    await train(choice);
    const [first, second] = choice.store.events.filter((event) => event.event === "update");
    expect(first).toMatchObject({ step: 500, figures: { loss: 13 } });
    expect(second).toMatchObject({ step: 1000, figures: { loss: (26 + 50) / 2 } });
  });

  test("logs the learning rate of the step, and the seconds in iterations", async () => {
    const optimiser = { learningRate: { from: 0.1, to: 0 } };
    const choice = parts({}, { run, optimiser });
    await train(choice);
    const updates = choice.store.events.filter((event) => event.event === "update");
    for (const { step, learningRate, seconds } of updates) {
      expect(learningRate).toBeCloseTo(0.1 * (1 - step / 4000), 12);
      // Two readings of the clock, a millisecond apart, for 20 steps.
      expect(seconds).toBeCloseTo((step / 20) * 0.001, 6);
    }
    const { clock: _, ...timeless } = parts();
    await train(timeless);
    expect(timeless.store.events.find((event) => event.event === "update")).toMatchObject({ seconds: null });
  });

  test("reports machine and commit in its events; the checkpoint holds neither, nor the time", async () => {
    const provenance = {
      host: { cpu: "abacus", cores: 7, platform: "clay", runtime: "hand" },
      commit: "0123abc-dirty",
    };
    const [first, second] = [parts(), parts()];
    await train(first);
    const trainer = createTrainer({ ...second, provenance, clock: () => performance.now() });
    await trainer.start();
    await iterateUntil(trainer, 4000);
    await trainer.finish();
    expect(second.store.events[0]).toMatchObject({ event: "started", ...provenance });
    expect(second.store.checkpoint).toEqual(first.store.checkpoint);
    expect(second.store.events.slice(1).map(unmeasured)).toEqual(first.store.events.slice(1).map(unmeasured));
    const resumed = createTrainer({ ...parts(), store: second.store, provenance });
    await resumed.restore(savedRun(first.store));
    expect(second.store.events.at(-1)).toMatchObject({ event: "resumed", ...provenance });
  });

  test("gives the same bytes for the same seed, others for another", async () => {
    const [first, second, other] = [parts(), parts(), parts({}, { run: { ...run, seed: 4 } })];
    for (const choice of [first, second, other]) await train(choice);
    expect(second.store.checkpoint).toEqual(first.store.checkpoint);
    expect(second.store.events).toEqual(first.store.events);
    expect(savedRun(other.store).parameters).not.toEqual(savedRun(first.store).parameters);
    expect(savedRun(other.store).algorithm).not.toEqual(savedRun(first.store).algorithm);
  });

  test("stops between iterations when it is told to, complete up to then", async () => {
    const signal = { aborted: false };
    const choice = parts({
      spoil: (_, iteration) => {
        signal.aborted = iteration === 7;
      },
    });
    const { result } = await train({ ...choice, signal });
    expect(result).toMatchObject({ steps: 140, interrupted: true });
    expect(choice.store.events.at(-1)).toEqual({ event: "interrupted", step: 140 });
    expect(savedRun(choice.store).live).toEqual({ step: 140, set: {} });
  });

  test("lets its host work and reports its progress", async () => {
    let pauses = 0;
    const reports: number[] = [];
    await train({
      ...parts(),
      pause: async () => {
        pauses++;
      },
      onProgress: ([progress]) => {
        expect(progress).toMatchObject({ algorithm: "fake", steps: 4000 });
        reports.push(progress.step);
      },
    });
    expect(pauses).toBeGreaterThan(2);
    expect(reports.length).toBe(pauses + 1);
    expect(reports.at(-1)).toBe(4000);
  });
});

describe("a restored run", () => {
  test.each([20, 480, 1000, 2020])("continued from step %i equals one that never stopped", async (stop) => {
    const whole = parts();
    await train(whole);

    const first = parts();
    const trainer = createTrainer(first);
    await trainer.start();
    await iterateUntil(trainer, stop);
    const snapshot = await trainer.save();

    const second = parts({ seed: 99 });
    const resumed = createTrainer(second);
    await resumed.restore(snapshot);
    expect(resumed.progress.step).toBe(stop);
    await iterateUntil(resumed, 4000);
    const result = await resumed.finish();
    expect(result.steps).toBe(4000);
    expect(second.store.checkpoint).toEqual(whole.store.checkpoint);
    const [resumption, ...later] = second.store.events;
    const executor = { executor: "reference", precision: "float64" };
    expect(resumption).toEqual({ event: "resumed", step: stop, version, ...executor });
    expect([...first.store.events, ...later].map(unmeasured)).toEqual(whole.store.events.map(unmeasured));
  });

  test("is refused under another configuration, and without an environment", async () => {
    const trainer = createTrainer(parts());
    await trainer.start();
    await trainer.iterate();
    const snapshot = await trainer.save();
    const other = createTrainer(parts({}, { run: { ...run, logEvery: 100 } }));
    await expect(other.restore(snapshot)).rejects.toThrow(
      "Trainer.restore: the checkpoint is of another run, expected run.logEvery 100, got run.logEvery 500; make the trainer",
    );
    const twin = () => createTrainer(parts());
    await expect(twin().restore({ ...snapshot, environment: null })).rejects.toThrow(
      /CartPole-v1 cannot save its state/,
    );
    await expect(twin().restore({ step: 1 })).rejects.toThrow(/not a checkpoint of a training run/);
    await expect(twin().restore({ ...snapshot, format: 1 })).rejects.toThrow(
      /expected format 3, got format 1/,
    );
    await expect(twin().restore({ ...snapshot, config: "{" })).rejects.toThrow(
      /the checkpoint's config is damaged/,
    );
  });
});

describe("a run whose mean return stays at its start", () => {
  const long = { run: { ...run, steps: 12_000 } };

  test("is warned of once after a quarter of its steps, in its events, its progress and its result", async () => {
    const choice = parts({}, long);
    const warned: number[] = [];
    const onProgress = ([progress]: readonly TrainProgress[]) => {
      if (progress.warning !== undefined) warned.push(progress.step);
    };
    const { result } = await train({ ...choice, onProgress });
    const warnings = choice.store.events.filter((event) => event.event === "warning");
    expect(warnings).toEqual([{ event: "warning", ...result.warning }]);
    expect(result.warning).toMatchObject({ reason: "no-rise", step: 3000, steps: 12_000 });
    expect(Math.min(...warned)).toBeGreaterThanOrEqual(3000);
    const { first, returns } = savedRun(choice.store).scores as Record<string, Float64Array>;
    expect(first).toHaveLength(100);
    expect(first).not.toEqual(returns);
  });

  test.each([2980, 3000, 3020])("is warned of once, too, if it is resumed at step %i", async (stop) => {
    const whole = parts({}, long);
    await train(whole);
    const first = parts({}, long);
    const trainer = createTrainer(first);
    await trainer.start();
    await iterateUntil(trainer, stop);
    const second = parts({}, long);
    const resumed = createTrainer(second);
    await resumed.restore(await trainer.save());
    await iterateUntil(resumed, 12_000);
    const result = await resumed.finish();
    expect(result.warning).toMatchObject({ step: 3000 });
    const events = [...first.store.events, ...second.store.events.slice(1)];
    expect(events.map(unmeasured)).toEqual(whole.store.events.map(unmeasured));
    expect(second.store.checkpoint).toEqual(whole.store.checkpoint);
  });

  test("is told apart from one that rises", async () => {
    const choice = parts({}, long);
    const { environment } = choice;
    const step = environment.step.bind(environment);
    let steps = 0;
    environment.step = (actions) => {
      const stepped = step(actions);
      steps++;
      for (let i = 0; i < 4; i++) environment.episodeReturns[i] += steps;
      return stepped;
    };
    const { result } = await train(choice);
    expect(result.warning).toBeUndefined();
    expect(choice.store.events.some((event) => event.event === "warning")).toBe(false);
  });
});

describe("a number that is not finite", () => {
  test("is refused in a figure: the error names the figure and the step", async () => {
    const choice = parts({
      spoil: (figures, iteration) => {
        if (iteration === 60) figures.loss = Number.NaN;
      },
    });
    await expect(train(choice)).rejects.toThrow(
      /fake: loss is not finite after the update at step 1200, expected a finite number, got NaN/,
    );
    expect(savedRun(choice.store).live).toMatchObject({ step: 1000 });
  });

  test("is refused in a parameter: the checkpoint before stays", async () => {
    const choice = parts({
      spoil: (figures, iteration, algorithm) => {
        if (iteration === 60) algorithm.policy.learned[0] = Number.NaN;
        if (iteration >= 60) figures.loss = 0;
      },
    });
    await expect(train(choice)).rejects.toThrow(/fake: parameters\.learned\[0\] is not finite at step 2000/);
    expect(savedRun(choice.store).live).toMatchObject({ step: 1000 });
  });

  test.each(["reward", "observation"])(
    "is refused in a %s: the error names environment and step",
    async (what) => {
      const choice = parts();
      const { environment } = choice;
      const step = environment.step.bind(environment);
      let calls = 0;
      environment.step = (actions) => {
        const stepped = step(actions);
        if (++calls === 3 && what === "reward") environment.rewards[2] = Number.NaN;
        if (calls === 3 && what === "observation")
          environment.observations[2 * 4 + 1] = Number.POSITIVE_INFINITY;
        return stepped;
      };
      await expect(train(choice)).rejects.toThrow(
        /CartPole-v1: .*environment 2.* is not finite at step 12, expected a finite number/,
      );
    },
  );

  test("is refused in a first and in a final observation", async () => {
    const first = parts();
    const reset = first.environment.reset.bind(first.environment);
    first.environment.reset = (streams) => {
      reset(streams);
      first.environment.observations[5] = Number.NaN;
    };
    await expect(train(first)).rejects.toThrow(
      /CartPole-v1: element 1 of environment 1's observation is not finite at step 0/,
    );
    const last = parts();
    const step = last.environment.step.bind(last.environment);
    last.environment.step = (actions) => {
      const stepped = step(actions);
      last.environment.truncated[3] = 1;
      last.environment.finalObservations[3 * 4 + 2] = Number.NaN;
      return stepped;
    };
    await expect(train(last)).rejects.toThrow(
      /CartPole-v1: element 2 of environment 3's final observation is not finite at step 4/,
    );
  });

  test("is refused from a user's environment", async () => {
    const environment = vectorize(
      "Broken-v0",
      () => ({
        observationSpace: { kind: "box", shape: [1], dtype: "float32", low: -1, high: 1 },
        actionSpace: { kind: "discrete", n: 2 },
        reset: (_, observation) => void observation.fill(0),
        step: () => ({ reward: Number.NaN, terminated: false, truncated: false }),
        save: () => ({}),
        restore: () => {},
      }),
      4,
    );
    await expect(train({ ...parts(), environment })).rejects.toThrow(/Broken-v0 .*reward is not finite/);
  });
});

test("an environment of another size is refused", () => {
  expect(() => createTrainer(parts({}, { run, environment: { count: 3 } }))).toThrow(
    "environment.count: the setting is not that of the environment, expected 4, got 3",
  );
});

describe("an environment by value", () => {
  const atari = (protocol: AtariProtocol) =>
    atariEnvironment("ALE/Pong-v5", [new FakeEmulator(), new FakeEmulator()], { protocol, training: true });
  const made = (environment: VectorEnvironment, own: Readonly<Record<string, unknown>> = {}) =>
    createTrainer({
      algorithm: a2c,
      environment,
      executor,
      settings: { run: { steps: 10 }, environment: own },
    });

  test("of Atari gives the configuration its protocol, and no other one is accepted", () => {
    expect(made(atari("sticky")).config.environment).toMatchObject({ atariProtocol: "sticky", count: 2 });
    expect(made(atari("classic")).config.environment).toMatchObject({ atariProtocol: "classic" });
    expect(() => made(atari("classic"), { atariProtocol: "sticky" })).toThrow(
      'environment.atariProtocol: the setting is not that of the environment, expected "classic", got "sticky"',
    );
  });

  test("gives the configuration its options; where it does not say them, the settings do", () => {
    const grid = makeEnvironment("GridWorld-v0", 2, { slip: 0.2 });
    expect(made(grid).config.environment.options).toEqual({ slip: 0.2 });
    expect(() => made(grid, { options: { slip: 0.3 } })).toThrow(
      "environment.options: the setting is not that",
    );
    const own = vectorize("Own-v0", () => new Toy(5), 2);
    expect(made(own).config.environment.options).toEqual({});
    expect(made(own, { options: { end: 5 } }).config.environment.options).toEqual({ end: 5 });
  });
});

test("a trainer makes its own algorithm", () => {
  const { algorithm } = createTrainer(parts());
  expect(algorithm).toBeInstanceOf(FakeAlgorithm);
});

test("the version is the package's", () => {
  expect(version).toBe(manifest.version);
});
