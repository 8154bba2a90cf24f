import {
  a2c,
  builtInAlgorithms,
  type ChosenSettings,
  createTrainer,
  createWasmExecutor,
  decodeCheckpoint,
  type Executor,
  encodeCheckpoint,
  evaluate,
  loadPolicy,
  MemoryRunStore,
  makeEnvironment,
  RandomStreams,
  type RunEvent,
  type Snapshot,
  type TrainChoice,
  type Trainer,
  train,
  type VectorEnvironment,
  vectorize,
  version,
} from "softrl";
import { beforeAll, describe, expect, test } from "vitest";
import { fakeAlgorithm } from "./fake-algorithm.js";

let executor: Executor;
beforeAll(async () => {
  executor = await createWasmExecutor();
});

const run = { steps: 3000, checkpointEvery: 1000, logEvery: 500, evaluateEvery: 700, evaluationEpisodes: 5 };

function parts(changed: ChosenSettings["run"] = {}) {
  return {
    algorithm: a2c,
    environment: makeEnvironment("CartPole-v1", 4),
    evaluation: makeEnvironment("CartPole-v1", 2),
    executor,
    settings: { run: { ...run, ...changed } },
    store: new MemoryRunStore(),
  } satisfies TrainChoice;
}

const without = () => {
  const { evaluation: _, ...others } = parts({ evaluateEvery: 0, evaluationEpisodes: 10 });
  return others;
};

const evaluations = ({ events }: MemoryRunStore) => events.filter((event) => event.event === "evaluation");

async function iterateUntil(trainer: Trainer, step: number): Promise<void> {
  while (trainer.step < step) await trainer.iterate();
}

const stateOf = ({ checkpoint }: MemoryRunStore): Snapshot => {
  const snapshot = decodeCheckpoint("test", checkpoint ?? new Uint8Array());
  const { config: _, evaluation: __, events: ___, ...state } = snapshot;
  return state;
};

describe("a run with evaluateEvery", () => {
  test.each(builtInAlgorithms)("learns what $name learns without, bit for bit", async (algorithm) => {
    const [evaluated, plain] = [
      { ...parts(), algorithm },
      { ...without(), algorithm },
    ];
    await train(evaluated);
    await train(plain);
    expect(evaluations(evaluated.store).length).toBeGreaterThan(2);
    expect(stateOf(evaluated.store)).toEqual(stateOf(plain.store));
    const others = (events: readonly RunEvent[]) =>
      events.filter(({ event }) => event !== "evaluation" && event !== "started");
    expect(others(evaluated.store.events)).toEqual(others(plain.store.events));
  });

  test("evaluates at the start, at each multiple, and at the end, and reports the newest and the best", async () => {
    const choice = parts();
    const { result } = await train(choice);
    const events = evaluations(choice.store);
    expect(events.map(({ step }) => step)).toEqual([0, 700, 1400, 2100, 2800, 3000]);
    let best = Number.NEGATIVE_INFINITY;
    for (const event of events) {
      expect(event).toMatchObject({ episodes: 5, cut: 0, best: event.meanReturn > best });
      best = Math.max(best, event.meanReturn);
    }
    const { event: _, best: __, ...last } = events[events.length - 1];
    const top = events.find(({ meanReturn }) => meanReturn === best);
    expect(result.evaluation).toEqual({ last, best: expect.objectContaining({ step: top?.step }) });
    expect(result.evaluation?.best.meanReturn).toBe(best);
    expect((await train(without())).result).not.toHaveProperty("evaluation");
  });

  test("keeps the best policy and the newest one, as loadPolicy reads them", async () => {
    const choice = parts({ evaluationMode: "mode" });
    const { policy, result } = await train(choice);
    const { best, last } = choice.store.policies;
    const saved = (bytes: Uint8Array | null) => decodeCheckpoint("test", bytes ?? new Uint8Array());
    expect(saved(last).parameters).toEqual(saved(choice.store.checkpoint).parameters);
    expect(saved(best).live).toMatchObject({ step: result.evaluation?.best.step });

    const load = (bytes: Uint8Array | null) => loadPolicy(bytes ?? new Uint8Array(), executor);
    expect(load(last).save()).toEqual(policy.save());
    // The most likely actions from the same starts give the same returns.
    const own = new RandomStreams(1).stream(
      "evaluation in training",
      evaluations(choice.store).findLastIndex(({ best }) => best),
    );
    const seed = Math.floor(own.float() * 2 ** 53);
    const play = { environment: makeEnvironment("CartPole-v1", 2), episodes: 5, mode: "mode", seed } as const;
    const again = await evaluate({ ...play, policy: load(best) });
    expect(again.meanReturn).toBe(result.evaluation?.best.meanReturn);

    await expect(createTrainer(parts({ evaluationMode: "mode" })).restore(saved(best))).rejects.toThrow(
      /Trainer\.restore: the snapshot is of a policy alone; restore the run's checkpoint/,
    );
  });

  test("an episode that does not end is cut", async () => {
    const choice = parts({ evaluationMaxSteps: 3 });
    await train(choice);
    for (const event of evaluations(choice.store)) {
      expect(event).toMatchObject({ episodes: 5, cut: 5, meanReturn: 3, standardDeviation: 0 });
    }
  });

  test("a single episode has no standard deviation, in a resumed run either", async () => {
    const first = createTrainer(parts({ evaluationEpisodes: 1 }));
    await first.start();
    const second = createTrainer(parts({ evaluationEpisodes: 1 }));
    await second.restore(decodeCheckpoint("test", encodeCheckpoint(await first.save())));
    expect(second.evaluations).toEqual(first.evaluations);
    expect(second.evaluations).toMatchObject([{ standardDeviation: null }]);
  });
});

describe("a restored run", () => {
  test.each([0, 20, 680, 700, 1400, 2020])(
    "continued from step %i evaluates as one that never stopped",
    async (stop) => {
      const whole = parts();
      await train(whole);

      const first = parts();
      const trainer = createTrainer(first);
      await trainer.start();
      await iterateUntil(trainer, stop);
      const snapshot = decodeCheckpoint("test", encodeCheckpoint(await trainer.save()));

      const second = parts();
      // A kill may leave policies of evaluations after the checkpoint.
      second.store.writePolicy("best", new Uint8Array([1]));
      second.store.writePolicy("last", new Uint8Array([2]));
      const resumed = createTrainer(second);
      await resumed.restore(snapshot);
      expect(second.store.policies).toEqual(first.store.policies);
      await iterateUntil(resumed, 3000);
      await resumed.finish();
      expect(second.store.checkpoint).toEqual(whole.store.checkpoint);
      expect(second.store.policies).toEqual(whole.store.policies);
      const [resumption, ...later] = second.store.events;
      expect(resumption).toMatchObject({ event: "resumed", step: trainer.step, version });
      expect([...first.store.events, ...later]).toEqual(whole.store.events);
    },
  );

  test("makes an evaluation anew that the signal stopped", async () => {
    const whole = parts();
    await train(whole);

    const signal = { aborted: false };
    const stopped = { ...parts(), signal };
    const { step } = stopped.evaluation;
    stopped.evaluation.step = (actions) => {
      if (stopped.store.events.some((event) => event.event === "update" && event.step >= 1000)) {
        signal.aborted = true;
      }
      step.call(stopped.evaluation, actions);
    };
    const { result } = await train(stopped);
    expect(result).toMatchObject({ interrupted: true, steps: 1400 });
    expect(evaluations(stopped.store).map((event) => event.step)).toEqual([0, 700]);

    const resumed = parts();
    const trainer = createTrainer(resumed);
    await trainer.restore(decodeCheckpoint("test", stopped.store.checkpoint ?? new Uint8Array()));
    expect(trainer.evaluations.map((point) => point.step)).toEqual([0, 700, 1400]);
    await iterateUntil(trainer, 3000);
    await trainer.finish();
    expect(resumed.store.checkpoint).toEqual(whole.store.checkpoint);
    expect(resumed.store.policies).toEqual(whole.store.policies);
    expect([...evaluations(stopped.store), ...evaluations(resumed.store)]).toEqual(evaluations(whole.store));
  });

  test("is refused with another number of environments to evaluate in", async () => {
    const trainer = createTrainer(parts());
    await trainer.start();
    const other = createTrainer({ ...parts(), evaluation: makeEnvironment("CartPole-v1", 3) });
    await expect(other.restore(await trainer.save())).rejects.toThrow(
      /evaluated in another number of environments, expected 2, got 3/,
    );
  });
});

describe("refuses", () => {
  test("evaluateEvery without environments, and environments without evaluateEvery", () => {
    const { evaluation: _, ...missing } = parts();
    expect(() => createTrainer(missing)).toThrow(
      /a run with evaluateEvery needs environments to evaluate in.*evaluation: makeEnvironment\("CartPole-v1", 8\)/,
    );
    expect(() => createTrainer({ ...without(), evaluation: makeEnvironment("CartPole-v1", 2) })).toThrow(
      /these environments have no effect without evaluateEvery/,
    );
  });

  test("the training's own environments, and those of other spaces", () => {
    const choice = parts();
    expect(() => createTrainer({ ...choice, evaluation: choice.environment })).toThrow(
      /Trainer: evaluation: these are the environments of the training; make others/,
    );
    expect(() => createTrainer({ ...parts(), evaluation: makeEnvironment("Acrobot-v1", 2) })).toThrow(
      /Trainer: evaluation: the observationSpace is not that of the training/,
    );
    // @ts-expect-error a name, as a caller in JavaScript may pass it
    expect(() => createTrainer({ ...parts(), evaluation: "CartPole-v1" })).toThrow(
      /train: evaluation is not a vector of environments/,
    );
  });

  test("environments that do not start anew from a seed", async () => {
    const { observationSpace, actionSpace } = makeEnvironment("CartPole-v1", 1);
    let starts = 0;
    const make = () => ({
      observationSpace,
      actionSpace,
      reset: (_: unknown, observation: Float32Array | Uint8Array) => {
        observation.fill(++starts / 1000);
      },
      step: () => ({ reward: 1, terminated: true, truncated: false }),
      save: () => ({}),
      restore: () => {},
    });
    const evaluation: VectorEnvironment = vectorize("Unseeded-v0", make, 2);
    await expect(createTrainer({ ...parts(), evaluation }).start()).rejects.toThrow(
      /Unseeded-v0: two resets from the same streams gave different observations/,
    );
  });

  test("a policy whose actions would change the training", async () => {
    const algorithm = fakeAlgorithm({ ownDraws: true });
    await expect(createTrainer({ ...parts(), algorithm }).start()).rejects.toThrow(
      /fake: the policy changed the training while it was evaluated.*fourth argument of act/,
    );
  });
});
