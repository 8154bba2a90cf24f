import { describe, expect, test } from "vitest";
import manifest from "../../package.json" with { type: "json" };
import { makeEnvironment } from "../../src/envs/registry.js";
import { vectorize } from "../../src/envs/vectorize.js";
import { trainConfig } from "../../src/experiment/config.js";
import { MemoryRunStore } from "../../src/experiment/run-store.js";
import { train } from "../../src/experiment/train.js";
import { openCheckpoint, Trainer } from "../../src/experiment/trainer.js";
import { version } from "../../src/experiment/version.js";
import { FakeAlgorithm } from "./fake-algorithm.js";

const config = trainConfig({ environments: 4, steps: 4000, seed: 3, logEvery: 500, checkpointEvery: 1000 });

function parts(seed = config.seed) {
  let seconds = 0;
  const environment = makeEnvironment("CartPole-v1", config.environments);
  return {
    environment,
    algorithm: new FakeAlgorithm(environment, seed),
    store: new MemoryRunStore(),
    clock: () => {
      seconds += 0.001;
      return seconds;
    },
  };
}

const checkpointOf = (store: MemoryRunStore): Uint8Array => store.checkpoint ?? new Uint8Array();

describe("train", () => {
  test("counts what the events say", async () => {
    const run = parts();
    const result = await train(config, run);
    const { events } = run.store;
    const episodes = events.filter((event) => event.event === "episode");
    expect(result).toMatchObject({ steps: 4000, interrupted: false, episodes: episodes.length });
    expect(result.episodes).toBeGreaterThan(100);
    const last = episodes.slice(-100).map((episode) => episode.return);
    expect(result.meanReturn).toBeCloseTo(last.reduce((a, b) => a + b) / 100, 9);
    expect(result.stepsPerSecond).toBeCloseTo(4000 / (200 * 0.001), 6);
    expect(episodes.every((episode) => episode.return === episode.length)).toBe(true);

    expect(events[0]).toEqual({ event: "started", version, config });
    expect(events.at(-1)).toEqual({ event: "finished", step: 4000 });
    const steps = (kind: string) =>
      events.filter((event) => event.event === kind).map((event) => ("step" in event ? event.step : -1));
    expect(steps("update")).toEqual([500, 1000, 1500, 2000, 2500, 3000, 3500, 4000]);
    expect(steps("checkpoint")).toEqual([1000, 2000, 3000, 4000]);
    expect(steps("episode")).toEqual(steps("episode").toSorted((a, b) => a - b));
  });

  test("logs the mean of the losses since the last event", async () => {
    const run = parts();
    run.algorithm.spoil = (report, iteration) => {
      report.losses.loss = iteration;
    };
    await train(config, run);
    const [first, second] = run.store.events.filter((event) => event.event === "update");
    expect(first).toMatchObject({ step: 500, losses: { loss: 13 } });
    expect(second).toMatchObject({ step: 1000, losses: { loss: (26 + 50) / 2 } });
  });

  test("gives the same bytes for the same seed, others for another", async () => {
    const [first, second, other] = [parts(), parts(), parts()];
    await train(config, first);
    await train(config, second);
    await train({ ...config, seed: 4 }, other);
    expect(checkpointOf(second.store)).toEqual(checkpointOf(first.store));
    expect(second.store.events).toEqual(first.store.events);
    const state = (store: MemoryRunStore) => openCheckpoint("test", checkpointOf(store)).snapshot.algorithm;
    expect(state(other.store)).not.toEqual(state(first.store));
  });

  test("stops between iterations when told to, complete up to then", async () => {
    const run = parts();
    const signal = { aborted: false };
    run.algorithm.spoil = (_, iteration) => {
      signal.aborted = iteration === 7;
    };
    const result = await train(config, { ...run, signal });
    expect(result).toMatchObject({ steps: 140, interrupted: true });
    expect(run.store.events.at(-1)).toEqual({ event: "interrupted", step: 140 });
    expect(openCheckpoint("test", checkpointOf(run.store)).snapshot.step).toBe(140);
  });

  test("lets its host work and tells it how it stands", async () => {
    const run = parts();
    let pauses = 0;
    const reports: number[] = [];
    await train(config, {
      ...run,
      pause: async () => {
        pauses++;
      },
      onProgress: ([progress]) => reports.push(progress.step),
    });
    expect(pauses).toBeGreaterThan(2);
    expect(reports.length).toBe(pauses + 1);
    expect(reports.at(-1)).toBe(4000);
  });
});

describe("a restored run", () => {
  test.each([20, 480, 1000, 2020])("continued from step %i equals one that never stopped", async (stop) => {
    const whole = parts();
    await train(config, whole);

    const first = parts();
    const trainer = new Trainer(config, first);
    await trainer.start();
    while (trainer.progress.step < stop) await trainer.iterate();
    const snapshot = await trainer.save();

    const second = parts(99);
    const resumed = new Trainer(config, second);
    await resumed.restore(snapshot);
    expect(resumed.progress.step).toBe(stop);
    while (!resumed.done) await resumed.iterate();
    const result = await resumed.finish();
    expect(result.steps).toBe(4000);
    expect(checkpointOf(second.store)).toEqual(checkpointOf(whole.store));
    const [resumption, ...later] = second.store.events;
    expect(resumption).toEqual({ event: "resumed", step: stop, version });
    expect([...first.store.events, ...later]).toEqual(whole.store.events);
  });

  test("is refused under another configuration, and without an environment", async () => {
    const trainer = new Trainer(config, parts());
    await trainer.start();
    await trainer.iterate();
    const snapshot = await trainer.save();
    const other = new Trainer({ ...config, tau: 0.5 }, parts());
    await expect(other.restore(snapshot)).rejects.toThrow(/the checkpoint is of another run/);
    await expect(new Trainer(config, parts()).restore({ ...snapshot, environment: null })).rejects.toThrow(
      /CartPole-v1 cannot save its state/,
    );
    await expect(new Trainer(config, parts()).restore({ step: 1 })).rejects.toThrow(/not a checkpoint/);
  });
});

describe("numbers that are not finite", () => {
  test("in a loss name the loss and the step", async () => {
    const run = parts();
    run.algorithm.spoil = (report, iteration) => {
      if (iteration === 60) report.losses.loss = Number.NaN;
    };
    await expect(train(config, run)).rejects.toThrow(
      /a2c: loss is not finite after the update at step 1200, expected a finite number, got NaN/,
    );
    expect(openCheckpoint("test", checkpointOf(run.store)).snapshot.step).toBe(1000);
  });

  test("in a parameter leave the checkpoint before alone", async () => {
    const run = parts();
    run.algorithm.spoil = (_, iteration) => {
      if (iteration === 60) run.algorithm.parameters[0] = Number.NaN;
      if (iteration >= 60) _.losses.loss = 0;
    };
    await expect(train(config, run)).rejects.toThrow(/a2c: parameters\[0\] is not finite at step 2000/);
    expect(openCheckpoint("test", checkpointOf(run.store)).snapshot.step).toBe(1000);
  });

  test.each(["reward", "observation"])("in a %s name the environment and the step", async (what) => {
    const run = parts();
    const { environment } = run;
    const step = environment.step.bind(environment);
    let calls = 0;
    environment.step = (actions) => {
      const stepped = step(actions);
      if (++calls === 3 && what === "reward") environment.rewards[2] = Number.NaN;
      if (calls === 3 && what === "observation")
        environment.observations[2 * 4 + 1] = Number.POSITIVE_INFINITY;
      return stepped;
    };
    await expect(train(config, run)).rejects.toThrow(
      /CartPole-v1: .*environment 2.* is not finite at step 12, expected a finite number/,
    );
  });

  test("in a first and in a final observation are told for what they are", async () => {
    const first = parts();
    const reset = first.environment.reset.bind(first.environment);
    first.environment.reset = (streams) => {
      reset(streams);
      first.environment.observations[5] = Number.NaN;
    };
    await expect(train(config, first)).rejects.toThrow(
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
    await expect(train(config, last)).rejects.toThrow(
      /CartPole-v1: element 2 of environment 3's final observation is not finite at step 4/,
    );
  });

  test("from a user's environment are refused too", async () => {
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
    const algorithm = new FakeAlgorithm(environment);
    await expect(train(config, { ...parts(), environment, algorithm })).rejects.toThrow(
      /Broken-v0 .*reward is not finite/,
    );
  });
});

test("an environment of another size is refused", () => {
  expect(() => new Trainer({ ...config, environments: 3 }, parts())).toThrow(
    "Trainer: the environment has the wrong size, expected 3 environments, got 4",
  );
});

test("the version is the package's", () => {
  expect(version).toBe(manifest.version);
});
