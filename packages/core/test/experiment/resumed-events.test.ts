import {
  a2c,
  createReferenceExecutor,
  createTrainer,
  isOfProcess,
  type KeptPolicy,
  MemoryRunStore,
  makeEnvironment,
  Oracle,
  type RunEvent,
  type RunStore,
  readRunSnapshot,
  savedOutcome,
  train,
} from "softrl";
import { describe, expect, test } from "vitest";
import { fakeAlgorithm } from "./fake-algorithm.js";

const run = {
  steps: 400,
  seed: 3,
  logEvery: 60,
  checkpointEvery: 100,
  evaluateEvery: 140,
  evaluationEpisodes: 2,
  evaluationMaxSteps: 20,
};
const executor = createReferenceExecutor();

const parts = <Store extends RunStore>(store: Store) => ({
  // The names come in another order from a snapshot, which sorts them.
  algorithm: fakeAlgorithm({
    spoil: (figures) => Object.assign(figures, { zeal: 2 * figures.loss, alpha: -figures.loss }),
  }),
  environment: makeEnvironment("CartPole-v1", 4),
  evaluation: makeEnvironment("CartPole-v1", 2),
  executor,
  settings: { run },
  store,
});

/** A store that notes each thing written: a kill may come after any of them. */
class Journal implements RunStore {
  readonly writes: ((to: MemoryRunStore) => void)[] = [];

  append(event: RunEvent): void {
    this.writes.push((to) => to.append(event));
  }

  writeCheckpoint(bytes: Uint8Array): void {
    this.writes.push((to) => to.writeCheckpoint(bytes));
  }

  writePolicy(which: KeptPolicy, bytes: Uint8Array): void {
    this.writes.push((to) => to.writePolicy(which, bytes));
  }
}

const written = (journal: Journal, count: number): MemoryRunStore => {
  const store = new MemoryRunStore();
  for (const write of journal.writes.slice(0, count)) write(store);
  return store;
};

/** What a store that was killed does before the run goes on. */
function continueFromCheckpoint(store: MemoryRunStore) {
  const snapshot = readRunSnapshot("test", store.checkpoint ?? new Uint8Array());
  const { events } = snapshot;
  let counted = 0;
  const end = store.events.findIndex(({ event }) => !isOfProcess(event) && ++counted === events) + 1;
  if (end > 0) store.events.splice(end);
  else {
    expect(counted + 1).toBe(events);
    const live = snapshot.live as { readonly step: number };
    store.events.push({ event: "checkpoint", step: live.step });
  }
  return snapshot;
}

const text = (events: readonly RunEvent[]) =>
  events.filter(({ event }) => event !== "resumed").map((event) => JSON.stringify(event));

describe("a run that is killed after any write", () => {
  test("and resumed has the events of the uninterrupted one, byte for byte", async () => {
    const journal = new Journal();
    await train(parts(journal));
    const whole = written(journal, journal.writes.length);
    expect(whole.events.filter(({ event }) => event === "checkpoint")).toHaveLength(4);
    let resumptions = 0;
    for (let count = 1; count <= journal.writes.length; count++) {
      const store = written(journal, count);
      if (store.checkpoint === null) continue;
      const snapshot = continueFromCheckpoint(store);
      if (savedOutcome("test", snapshot, { ...run, oracleEvery: 0 }).result.interrupted) {
        const trainer = createTrainer(parts(store));
        await trainer.restore(snapshot);
        while (!trainer.done) await trainer.iterate();
        await trainer.finish();
        resumptions++;
      } else store.append({ event: "finished", step: run.steps });
      expect(text(store.events)).toEqual(text(whole.events));
      expect(store.checkpoint).toEqual(whole.checkpoint);
      expect(store.policies).toEqual(whole.policies);
    }
    expect(resumptions).toBeGreaterThan(30);
  });

  // At step 100 a checkpoint, at 280 an evaluation, at 400 both: the signal may come before any update and any of them.
  test.each(Array.from({ length: 21 }, (_, i) => 20 * i))(
    "and the same if it is stopped by its signal at step %i, evaluations included",
    async (stop) => {
      const whole = parts(new MemoryRunStore());
      await train(whole);
      const signal = { aborted: false };
      const stopped = { ...parts(new MemoryRunStore()), signal };
      const trainer = createTrainer(stopped);
      signal.aborted = stop === 0;
      await trainer.start();
      while (trainer.step < stop) {
        signal.aborted = trainer.step + 20 === stop;
        await trainer.iterate();
      }
      const { interrupted } = await trainer.finish();
      expect(interrupted).toBe(true);
      expect(stopped.store.events.at(-1)).toEqual({ event: "interrupted", step: stop });

      const snapshot = continueFromCheckpoint(stopped.store);
      const { signal: _, ...others } = stopped;
      const resumed = createTrainer({ ...others, ...parts(stopped.store) });
      await resumed.restore(snapshot);
      while (!resumed.done) await resumed.iterate();
      expect(await resumed.finish()).toMatchObject({ interrupted: false, steps: 400 });
      expect(text(stopped.store.events)).toEqual(text(whole.store.events));
      expect(stopped.store.checkpoint).toEqual(whole.store.checkpoint);
    },
  );
});

describe("savedOutcome", () => {
  test.each([200, 400])("is what finish returned at step %i, and the pictures' numbers", async (stop) => {
    const store = new MemoryRunStore();
    const trainer = createTrainer(parts(store));
    await trainer.start();
    while (trainer.step < stop) await trainer.iterate();
    const result = await trainer.finish();
    const snapshot = readRunSnapshot("test", store.checkpoint ?? new Uint8Array());
    const outcome = savedOutcome("test", snapshot, { ...run, oracleEvery: 0 }, result.stepsPerSecond);
    expect(JSON.stringify(outcome.result)).toBe(JSON.stringify(result));
    expect(outcome.curve).toEqual(trainer.curve);
    expect(outcome.evaluations).toEqual(trainer.evaluations);
    expect(outcome.measurements).toEqual([]);
  });

  test("has the oracle's measurements, with their figures in the same order", async () => {
    const store = new MemoryRunStore();
    const { evaluation: _, algorithm: __, ...others } = parts(store);
    const settings = { run: { steps: 200, oracleEvery: 100 } };
    const environment = makeEnvironment("GridWorld-v0", 4);
    const trainer = createTrainer({ ...others, algorithm: a2c, environment, settings, oracle: Oracle });
    await trainer.start();
    while (!trainer.done) await trainer.iterate();
    const result = await trainer.finish();
    const snapshot = readRunSnapshot("test", store.checkpoint ?? new Uint8Array());
    const outcome = savedOutcome("test", snapshot, trainer.config.run, result.stepsPerSecond);
    expect(JSON.stringify(outcome.result)).toBe(JSON.stringify(result));
    expect(JSON.stringify(outcome.measurements)).toBe(JSON.stringify(trainer.measurements));
  });

  test("counts a run as ended only when the steps that were set are taken", async () => {
    const store = new MemoryRunStore();
    const trainer = createTrainer(parts(store));
    await trainer.start();
    while (!trainer.done) await trainer.iterate();
    await trainer.finish();
    await trainer.set({ steps: 800 });
    const snapshot = readRunSnapshot("test", store.checkpoint ?? new Uint8Array());
    expect(savedOutcome("test", snapshot, { ...run, oracleEvery: 0 }).result.interrupted).toBe(true);
  });
});
