import {
  type AlgorithmKind,
  algorithmKind,
  createReferenceExecutor,
  createTrainer,
  decodeCheckpoint,
  type IterationReport,
  isOfProcess,
  MemoryRunStore,
  makeEnvironment,
  type OnStep,
  type Piece,
  Replay,
  type ReplayBatch,
  type RunEvent,
  type RunStore,
  readRunSnapshot,
  type Snapshot,
  savedPieceFiles,
  snapshotSection,
  train,
  type VectorEnvironment,
} from "softrl";
import { describe, expect, test } from "vitest";
import { FakeAlgorithm } from "./fake-algorithm.js";

const executor = createReferenceExecutor();

/** Acts at random and "learns" from all that it draws from a replay of many small pieces. */
class Hoarder extends FakeAlgorithm {
  readonly replay: Replay;
  readonly #environment: VectorEnvironment;
  readonly #batch: ReplayBatch = {
    observations: new Float64Array(8 * 4),
    nextObservations: new Float64Array(8 * 4),
    actions: new Float64Array(8),
    returns: new Float64Array(8),
    discounts: new Float64Array(8),
    weights: null,
    indices: new Int32Array(8),
  };

  constructor(
    environment: VectorEnvironment,
    streams: ConstructorParameters<typeof FakeAlgorithm>[1],
    capacity: number,
  ) {
    super(environment, streams, () => {});
    const { size, observationSpace } = environment;
    this.#environment = environment;
    this.replay = new Replay({ capacity, size, observationSpace, pieceBytes: 600 });
  }

  override async iterate(onStep: OnStep): Promise<IterationReport> {
    const { policy, replay } = this;
    const environment = this.#environment;
    const actions = new Int32Array(environment.size);
    if (!replay.begun) replay.begin(environment.observations);
    for (let t = 0; t < 5; t++) {
      policy.act(environment.observations, actions);
      await environment.step(actions);
      replay.add(actions, environment);
      onStep(t, environment, 0);
    }
    replay.sample(policy.random, this.#batch, 0.9);
    for (const x of this.#batch.observations) policy.learned[0] = Math.sin(policy.learned[0] * 1.1 + x);
    return { steps: 5 * environment.size, figures: { loss: policy.learned[0] } };
  }

  override save(): Snapshot {
    return { ...super.save(), replay: this.replay.save() };
  }

  override restore(snapshot: Snapshot): void {
    super.restore(snapshot);
    this.replay.restore(snapshotSection("Hoarder", snapshot, "replay"));
  }

  pieces(): readonly Piece[] {
    return this.replay.pieces();
  }
}

const hoarder = (change: (algorithm: Hoarder) => object = (algorithm) => algorithm): AlgorithmKind =>
  algorithmKind({
    name: "hoarder",
    title: "hoarder",
    about: "acts at random, and keeps everything",
    settings: {},
    make: ({ environment, streams }) => {
      const algorithm = new Hoarder(environment, streams, 360);
      return Object.assign(algorithm, change(algorithm));
    },
  });

const parts = <Store extends RunStore>(store: Store, algorithm = hoarder()) => ({
  algorithm,
  environment: makeEnvironment("CartPole-v1", 4),
  executor,
  settings: { run: { steps: 600, seed: 3, logEvery: 60, checkpointEvery: 100 } },
  store,
});

/** A store that notes each thing written: a kill may come after any of them. */
class Journal implements RunStore {
  readonly writes: { readonly kind: string; readonly repeat: (to: MemoryRunStore) => void }[] = [];
  readonly pieces = {
    write: (name: string, bytes: Uint8Array) => this.#note("piece", (to) => to.pieces.write(name, bytes)),
    read: () => null,
    keepOnly: (names: readonly string[]) => {
      // Files are removed one by one, in any order.
      const kept = new Set(names);
      const known = new MemoryRunStore();
      for (const { repeat } of this.writes) repeat(known);
      for (const name of known.pieces.kept.keys()) {
        if (!kept.has(name)) this.#note("removal", (to) => void to.pieces.kept.delete(name));
      }
    },
  };

  append(event: RunEvent): void {
    this.#note("event", (to) => to.append(event));
  }

  writeCheckpoint(bytes: Uint8Array): void {
    this.#note("checkpoint", (to) => to.writeCheckpoint(bytes));
  }

  writePolicy(): void {}

  #note(kind: string, repeat: (to: MemoryRunStore) => void): void {
    this.writes.push({ kind, repeat });
  }
}

/** The store as a kill after so many writes leaves it. */
const killedAfter = (journal: Journal, count: number): MemoryRunStore => {
  const store = new MemoryRunStore();
  for (const { repeat } of journal.writes.slice(0, count)) repeat(store);
  return store;
};

const snapshotOf = ({ checkpoint }: MemoryRunStore) =>
  readRunSnapshot("test", checkpoint ?? new Uint8Array());

/** Whole bytes as text: comparing arrays of them takes a second. */
const contentOf = ({ checkpoint, pieces }: MemoryRunStore) => ({
  checkpoint: Buffer.from(checkpoint ?? []).toString("latin1"),
  pieces: Object.fromEntries(
    [...pieces.kept].map(([name, bytes]) => [name, Buffer.from(bytes).toString("latin1")]),
  ),
});

/** Drops the events after the checkpoint, as a store that continues does. */
function continueFrom(store: MemoryRunStore): Snapshot {
  const snapshot = snapshotOf(store);
  let counted = 0;
  const end = store.events.findIndex(({ event }) => !isOfProcess(event) && ++counted === snapshot.events) + 1;
  if (end > 0) store.events.splice(end);
  else store.events.push({ event: "checkpoint", step: (snapshot.live as { readonly step: number }).step });
  return snapshot;
}

async function resume(store: MemoryRunStore) {
  const trainer = createTrainer(parts(store));
  const snapshot = continueFrom(store);
  await trainer.restore(snapshot);
  // A kill may have come before the earlier pieces were removed, or the later ones named.
  expect([...store.pieces.kept.keys()].sort()).toEqual([...savedPieceFiles("test", snapshot)].sort());
  if (trainer.done) return;
  while (!trainer.done) await trainer.iterate();
  await trainer.finish();
}

describe("a run with a replay", () => {
  test("has, after a kill at any write, a checkpoint with all of its pieces, and resumes to the same bytes", async () => {
    const whole = new MemoryRunStore();
    await train(parts(whole));
    const journal = new Journal();
    await train(parts(journal));
    const kinds = journal.writes.map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind === "piece").length).toBeGreaterThan(30);
    expect(kinds.filter((kind) => kind === "removal").length).toBeGreaterThan(15);
    let resumptions = 0;
    for (let count = 0; count <= journal.writes.length; count++) {
      const store = killedAfter(journal, count);
      if (store.checkpoint === null) continue;
      for (const name of savedPieceFiles("test", snapshotOf(store))) {
        expect(store.pieces.kept.has(name), `${name} after ${count} writes`).toBe(true);
      }
      if (kinds[count - 1] === "event" && kinds[count] === "event") continue;
      await resume(store);
      resumptions++;
      expect(contentOf(store)).toEqual(contentOf(whole));
    }
    expect(resumptions).toBeGreaterThan(50);
  });

  test("writes only the pieces that have changed, and none twice", async () => {
    const journal = new Journal();
    await train(parts(journal));
    const perCheckpoint: number[] = [];
    let written = 0;
    for (const { kind } of journal.writes) {
      if (kind === "piece") written++;
      if (kind === "checkpoint") {
        perCheckpoint.push(written);
        written = 0;
      }
    }
    const names = savedPieceFiles("test", snapshotOf(killedAfter(journal, journal.writes.length)));
    // 20 entries a piece: 100 steps, and some ends of episodes, are in 5 pieces and the two beside them.
    expect(names.length).toBe(18);
    expect(Math.max(...perCheckpoint)).toBeLessThan(9);
    expect(Math.min(...perCheckpoint)).toBeGreaterThan(4);
  });

  test("pauses between two pieces, in a checkpoint and in a resumption", async () => {
    const store = new MemoryRunStore();
    let pauses = 0;
    const pause = async () => {
      pauses++;
    };
    const trainer = createTrainer({ ...parts(store), pause });
    await trainer.start();
    while (trainer.step < 80) await trainer.iterate();
    expect(pauses).toBe(0);
    await trainer.finish();
    const count = store.pieces.kept.size;
    expect(count).toBeGreaterThan(3);
    expect(pauses).toBe(count);
    await createTrainer({ ...parts(store), pause }).restore(snapshotOf(store));
    expect(pauses).toBe(2 * count);
  });

  test("can be saved and continued without a store", async () => {
    const whole = new MemoryRunStore();
    await train(parts(whole));
    const { store: _, ...others } = parts(new MemoryRunStore());
    const first = createTrainer(others);
    await first.start();
    while (first.step < 300) await first.iterate();
    const second = createTrainer(parts(new MemoryRunStore()));
    await second.restore(await first.save());
    expect(await second.save()).toEqual(await first.save());
    while (!second.done) await second.iterate();
    const { policy, algorithm } = snapshotOf(whole);
    expect(await second.save()).toMatchObject({ policy, algorithm });
  });

  test("whose store cannot keep pieces is refused", () => {
    const { append, writeCheckpoint, writePolicy } = new MemoryRunStore();
    expect(() => createTrainer(parts({ append, writeCheckpoint, writePolicy }))).toThrow(
      "Trainer: the store cannot keep the replay of hoarder, expected a store with pieces; add them",
    );
    const forgetful = hoarder(() => ({ pieces: () => [], unsaved: "nothing is kept" }));
    createTrainer(parts({ append, writeCheckpoint, writePolicy }, forgetful));
  });

  test.each([
    ["../x", "a piece has no name of its own"],
    ["Entries", "a piece has no name of its own"],
    ["", "a piece has no name of its own"],
  ])("refuses the piece %j", async (name, message) => {
    const piece = { name, version: 1, save: () => ({}), restore() {} };
    const named = hoarder(() => ({ pieces: () => [piece] }));
    const trainer = createTrainer(parts(new MemoryRunStore(), named));
    await trainer.start();
    await expect(trainer.finish()).rejects.toThrow(`hoarder: ${message}`);
    const twice = hoarder(() => ({
      pieces: () => [
        { ...piece, name: "a" },
        { ...piece, name: "a" },
      ],
    }));
    const other = createTrainer(parts(new MemoryRunStore(), twice));
    await other.start();
    await expect(other.finish()).rejects.toThrow(`hoarder: ${message}`);
  });

  describe("whose pieces were changed", () => {
    const remedy = "restore the store from a copy, or continue without the replay: withoutReplay";
    const stopped = async () => {
      const store = new MemoryRunStore();
      const trainer = createTrainer(parts(store));
      await trainer.start();
      while (trainer.step < 300) await trainer.iterate();
      await trainer.finish();
      const [name] = savedPieceFiles("test", snapshotOf(store));
      const bytes = store.pieces.kept.get(name) ?? new Uint8Array();
      return { store, name, bytes };
    };
    const refusal = async (store: MemoryRunStore, snapshot = snapshotOf(store)) => {
      const events = store.events.length;
      const trainer = createTrainer(parts(store));
      const error = await trainer.restore(snapshot).then(
        () => "",
        (thrown: Error) => thrown.message,
      );
      expect(store.events.length).toBe(events);
      return error;
    };

    test("is refused: one is missing", async () => {
      const { store, name } = await stopped();
      store.pieces.kept.delete(name);
      expect(await refusal(store)).toBe(`piece ${name}: this file of the replay is missing; ${remedy}.`);
    });

    test("is refused: one has another bit, is shorter or longer", async () => {
      const { store, name, bytes } = await stopped();
      for (const at of [0, 20, 40, 400, bytes.length - 1]) {
        const flipped = bytes.slice();
        flipped[at] ^= 4;
        store.pieces.kept.set(name, flipped);
        expect(await refusal(store)).toMatch(
          `piece ${name}: this file of the replay is damaged, expected ${bytes.length} bytes with the CRC-32 `,
        );
      }
      for (const changed of [bytes.slice(0, -1), new Uint8Array([...bytes, 0]), new Uint8Array()]) {
        store.pieces.kept.set(name, changed);
        expect(await refusal(store)).toMatch(`got ${changed.length} bytes; ${remedy}`);
      }
    });

    test("is refused: one is another piece of the same size", async () => {
      const { store, name } = await stopped();
      const { length } = store.pieces.kept.get(name) ?? [];
      const other = [...store.pieces.kept].find(([its, bytes]) => its !== name && bytes.length === length);
      if (other === undefined) throw new Error("no other piece");
      store.pieces.kept.set(name, other[1]);
      expect(await refusal(store)).toMatch(/this file of the replay is damaged, .*got the CRC-32 "/);
    });

    test.each([
      [{ bytes: -1, checksum: "00000000" }, "is not valid"],
      [{ bytes: 2 ** 31, checksum: "00000000" }, "is not valid"],
      [{ bytes: 100, checksum: "../../x" }, "is not valid"],
      [{ bytes: 100, checksum: 7 }, "is not valid"],
      [{ bytes: "100", checksum: "00000000" }, "does not fit"],
      [{}, "does not fit"],
    ])("is refused: the checkpoint says %j", async (entry, message) => {
      const { store } = await stopped();
      const snapshot = snapshotOf(store);
      const pieceFiles = { ...(snapshot.pieceFiles as Snapshot), "entries-0": entry };
      expect(await refusal(store, { ...snapshot, pieceFiles })).toMatch(message);
    });

    test("is refused where a piece is not named", async () => {
      const { store } = await stopped();
      const { pieceFiles, ...others } = snapshotOf(store);
      expect(await refusal(store, others)).toMatch('"pieces" of the snapshot does not fit');
      expect(await refusal(store, { ...others, pieceFiles: {} })).toMatch('"entries-0" of the snapshot');
    });
  });

  test("has pieces that any reader of checkpoints opens", async () => {
    const store = new MemoryRunStore();
    await train(parts(store));
    const [name] = savedPieceFiles("test", snapshotOf(store));
    const piece = decodeCheckpoint(name, store.pieces.kept.get(name) ?? new Uint8Array());
    expect(Object.keys(piece).sort()).toEqual(["actions", "flags", "observations", "rewards"]);
    expect(piece.observations).toBeInstanceOf(Float32Array);
  });
});
