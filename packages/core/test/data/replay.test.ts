import {
  type Box,
  type EnvironmentRows,
  type Observations,
  Random,
  RandomStreams,
  Replay,
  type ReplayBatch,
  terminatedFlags,
  truncatedFlags,
} from "softrl";
import { describe, expect, it } from "vitest";

const streams = new RandomStreams(14);

/** One step as it was added: everything that a transition may need, kept whole. */
interface Kept {
  readonly observation: number[];
  reward: number;
  ending: "none" | "terminated" | "truncated";
  /** s_{t+1} of the same episode. */
  next: number[];
}

interface Case {
  readonly title: string;
  readonly space: Box;
  readonly frames: "whole" | "stacked";
  readonly size: number;
  readonly steps: number;
  readonly capacity: number;
  /** Whether episodes begin with copies of one frame. */
  readonly copies?: boolean;
  readonly prioritised?: boolean;
}

const floats: Box = { kind: "box", shape: [3], dtype: "float32", low: -10, high: 10 };
const boards: Box = { kind: "box", shape: [3, 3, 2], dtype: "uint8", low: 0, high: 1 };
const frames: Box = { kind: "box", shape: [2, 2, 4], dtype: "uint8", low: 0, high: 255 };
const width = (space: Box) => space.shape.reduce((product, length) => product * length, 1);
const empty = (space: Box, rows: number): Observations =>
  space.dtype === "uint8" ? new Uint8Array(rows * width(space)) : new Float32Array(rows * width(space));

/** Environments that keep everything they have done, and whose endings are drawn. */
class Recorder {
  readonly rows: EnvironmentRows;
  /** By the id of the step, which is its action. */
  readonly kept: Kept[] = [];
  /** The ids of each environment's steps, in order. */
  readonly order: number[][];
  readonly actions: Int32Array;
  readonly #case: Case;
  readonly #random: Random;

  constructor(described: Case, random: Random) {
    const { size, space } = described;
    this.#case = described;
    this.#random = random;
    this.actions = new Int32Array(size);
    this.order = Array.from({ length: size }, () => []);
    this.rows = {
      id: "recorder",
      size,
      observations: empty(space, size),
      finalObservations: empty(space, size),
      rewards: new Float64Array(size),
      episodeReturns: new Float64Array(size),
      episodeLengths: new Int32Array(size),
      episodeEnded: new Uint8Array(size),
      terminated: terminatedFlags(size),
      truncated: truncatedFlags(size),
      step: () => {},
    };
    for (let s = 0; s < size; s++) this.#begin(s);
  }

  step(): void {
    const { rows, actions } = this;
    const random = this.#random;
    for (let s = 0; s < rows.size; s++) {
      const kind = random.float();
      const ending = kind < 0.06 ? "terminated" : kind < 0.14 ? "truncated" : "none";
      const observation = this.#row(s);
      actions[s] = this.kept.length;
      rows.rewards[s] = random.uniform(-1, 1);
      this.#advance(s);
      this.order[s].push(actions[s]);
      this.kept.push({ observation, reward: rows.rewards[s], ending, next: this.#row(s) });
      rows.terminated[s] = ending === "terminated" ? 1 : 0;
      // An episode that terminates at its time limit has both flags.
      rows.truncated[s] = ending === "truncated" || (ending === "terminated" && kind < 0.02) ? 1 : 0;
      if (ending === "none") continue;
      const w = width(this.#case.space);
      rows.finalObservations.set(this.#row(s), s * w);
      this.#begin(s);
    }
  }

  #row(s: number): number[] {
    const w = width(this.#case.space);
    return Array.from(this.rows.observations.subarray(s * w, (s + 1) * w));
  }

  #element(): number {
    const { space } = this.#case;
    if (space.dtype === "float32") return Math.fround(this.#random.uniform(-10, 10));
    return this.#random.integer(space.high === 1 ? 2 : 256);
  }

  #begin(s: number): void {
    const { space, copies } = this.#case;
    const w = width(space);
    for (let i = 0; i < w; i++) {
      const isCopy = copies === true && i % 4 !== 0;
      this.rows.observations[s * w + i] = isCopy ? this.rows.observations[s * w + i - 1] : this.#element();
    }
  }

  #advance(s: number): void {
    const w = width(this.#case.space);
    const row = this.rows.observations.subarray(s * w, (s + 1) * w);
    for (let i = 0; i < w; i++) {
      const isOld = this.#case.frames === "stacked" && i % 4 !== 3;
      row[i] = isOld ? row[i + 1] : this.#element();
    }
  }
}

function batchOf(count: number, space: Box): ReplayBatch {
  return {
    observations: new Float64Array(count * width(space)),
    nextObservations: new Float64Array(count * width(space)),
    actions: new Float64Array(count),
    returns: new Float64Array(count),
    discounts: new Float64Array(count),
    weights: new Float64Array(count),
    indices: new Int32Array(count),
  };
}

/** The transition that begins with step `position` of a list of steps, by looking at each; null if not complete. */
function naive(kept: readonly Kept[], ids: readonly number[], position: number, n: number, gamma: number) {
  let sum = 0;
  for (let d = 0; d < n; d++) {
    if (position + d >= ids.length) return null;
    const { reward, ending, next } = kept[ids[position + d]];
    sum += gamma ** d * reward;
    if (ending === "terminated") return { sum, discount: 0, next: next.map(() => 0) };
    if (ending === "truncated" || d === n - 1) return { sum, discount: gamma ** (d + 1), next };
  }
  return null;
}

const cases: readonly Case[] = [
  { title: "vectors", space: floats, frames: "whole", size: 1, steps: 1, capacity: 40 },
  {
    title: "vectors, 5 steps, 3 environments",
    space: floats,
    frames: "whole",
    size: 3,
    steps: 5,
    capacity: 200,
  },
  { title: "boards of bits, 3 steps", space: boards, frames: "whole", size: 2, steps: 3, capacity: 100 },
  {
    title: "bytes stored whole",
    space: frames,
    frames: "whole",
    size: 2,
    steps: 2,
    capacity: 64,
    copies: true,
  },
  { title: "stacks", space: frames, frames: "stacked", size: 1, steps: 1, capacity: 50, copies: true },
  {
    title: "stacks that begin with other frames",
    space: frames,
    frames: "stacked",
    size: 2,
    steps: 3,
    capacity: 99,
  },
  {
    title: "stacks, prioritised",
    space: frames,
    frames: "stacked",
    size: 3,
    steps: 4,
    capacity: 180,
    copies: true,
    prioritised: true,
  },
  {
    title: "vectors, prioritised",
    space: floats,
    frames: "whole",
    size: 2,
    steps: 2,
    capacity: 77,
    prioritised: true,
  },
];

const replayOf = ({ capacity, size, space, steps, frames: stored, prioritised }: Case) =>
  new Replay({
    capacity,
    size,
    observationSpace: space,
    steps,
    frames: stored,
    priorityExponent: prioritised ? 0.6 : null,
    pieceBytes: 300,
  });

describe.each(cases)("a replay of $title", (described) => {
  const { space, size, steps, capacity, prioritised } = described;

  it("samples what a list of everything has, over 25,000 steps and as many samples", () => {
    const random = streams.stream(described.title);
    const recorder = new Recorder(described, random);
    const replay = replayOf(described);
    const batch = batchOf(16, space);
    const w = width(space);
    replay.begin(recorder.rows.observations);
    const positions = new Map<number, readonly [s: number, position: number]>();
    const seen = new Set<number>();
    for (let added = 0, sampled = 0; added < 25_000; ) {
      for (let i = random.integer(60); i >= 0; i--) {
        recorder.step();
        replay.add(recorder.actions, recorder.rows);
        recorder.actions.forEach((id, s) => {
          positions.set(id, [s, recorder.order[s].length - 1]);
        });
        added += size;
      }
      for (; replay.ready && sampled < added; sampled += 16) {
        replay.sample(random, batch, 0.9, 0.5);
        for (let b = 0; b < 16; b++) {
          const id = batch.actions[b];
          seen.add(id);
          const [s, position] = positions.get(id) ?? [-1, -1];
          const ids = recorder.order[s];
          const expected = naive(recorder.kept, ids, position, steps, 0.9);
          if (expected === null) throw new Error("a transition is not complete");
          // Not overwritten: fewer steps have followed than the ring has entries.
          expect(ids.length - position).toBeLessThan(capacity / size);
          const observation = batch.observations.subarray(b * w, (b + 1) * w);
          const next = batch.nextObservations.subarray(b * w, (b + 1) * w);
          // Plain loops: 25,000 matchers of arrays take minutes.
          const { observation: kept } = recorder.kept[id];
          if (!kept.every((x, i) => x === observation[i])) throw new Error(`step ${id}: another observation`);
          if (!expected.next.every((x, i) => x === next[i])) throw new Error(`step ${id}: another successor`);
          if (Math.abs(batch.returns[b] - expected.sum) > 1e-12)
            throw new Error(`step ${id}: another return`);
          if (Math.abs(batch.discounts[b] - expected.discount) > 1e-12)
            throw new Error(`step ${id}: discount`);
        }
        if (prioritised) {
          replay.setErrors(
            batch.indices,
            batch.actions.map(() => random.uniform(-2, 2)),
          );
        }
      }
    }
    expect(seen.size).toBeGreaterThan(10_000);
  });

  it("restored, samples the same bytes as if it had never been saved", () => {
    const random = streams.stream("twin", described.title);
    const recorder = new Recorder(described, random);
    const [whole, twin] = [replayOf(described), replayOf(described)];
    whole.begin(recorder.rows.observations);
    for (let i = 0; i < capacity; i++) {
      recorder.step();
      whole.add(recorder.actions, recorder.rows);
      if (i === 5 || i === capacity - 20) {
        restoreInto(twin, savedState(whole));
        expect(savedState(twin)).toEqual(savedState(whole));
      } else if (i > 5) twin.add(recorder.actions, recorder.rows);
    }
    const [a, b] = [batchOf(32, space), batchOf(32, space)];
    whole.sample(new Random(new Uint32Array([1, 2, 3, 4])), a, 0.99, 0.4);
    twin.sample(new Random(new Uint32Array([1, 2, 3, 4])), b, 0.99, 0.4);
    expect(b).toEqual(a);
  });

  it("has pieces that save the same bytes until their version changes", () => {
    const random = streams.stream("pieces", described.title);
    const recorder = new Recorder(described, random);
    const replay = replayOf(described);
    const batch = batchOf(4, space);
    const seen = new Map<string, { readonly version: number; readonly bytes: string }>();
    let [kept, changed] = [0, 0];
    replay.begin(recorder.rows.observations);
    for (let i = 0; i < 3 * capacity; i++) {
      recorder.step();
      if (i % 29 === 28) replay.cut(recorder.rows.observations);
      else replay.add(recorder.actions, recorder.rows);
      if (i % 7 === 0 && replay.ready) {
        replay.sample(random, batch, 0.99);
        replay.setErrors(batch.indices, batch.returns);
      }
      if (random.integer(3) > 0) continue;
      for (const piece of replay.pieces()) {
        const bytes = JSON.stringify(piece.save());
        const before = seen.get(piece.name);
        if (before?.version === piece.version) expect(bytes).toBe(before.bytes);
        if (before?.bytes === bytes) kept++;
        else changed++;
        // What has not changed is not written again, but where an entry was replaced by an equal one.
        if (before?.bytes === bytes && !piece.name.startsWith("priorities")) {
          expect(piece.version).toBe(before.version);
        }
        seen.set(piece.name, { version: piece.version, bytes });
      }
    }
    expect(kept).toBeGreaterThan(capacity / 2);
    expect(changed).toBeGreaterThan(capacity);
    expect([...seen.keys()].filter((name) => name.startsWith("entries")).length).toBeGreaterThan(2);
  });
});

/** All that a replay saves. */
const savedState = (replay: Replay) => ({
  state: replay.save(),
  pieces: replay.pieces().map((piece) => ({ name: piece.name, content: piece.save() })),
});

function restoreInto(replay: Replay, { state, pieces }: ReturnType<typeof savedState>): void {
  replay.restore(state);
  const found = replay.pieces();
  expect(found.map(({ name }) => name)).toEqual(pieces.map(({ name }) => name));
  // In any order.
  for (let i = found.length - 1; i >= 0; i--) found[i].restore(pieces[i].content);
}

/** The upper 10⁻⁴ quantile of χ² with k degrees of freedom (Wilson and Hilferty 1931). */
const chiSquareBound = (k: number) => k * (1 - 2 / (9 * k) + 3.719 * Math.sqrt(2 / (9 * k))) ** 3;

/** χ² of the counts of a replay's actions against expected shares. */
function chiSquare(counts: readonly number[], shares: readonly number[]): number {
  const total = counts.reduce((a, b) => a + b, 0);
  return counts.reduce((sum, count, i) => sum + (count - total * shares[i]) ** 2 / (total * shares[i]), 0);
}

/** A full replay of two environments, the ids of its transitions, and how often each is drawn. */
function counts(prioritised: boolean, errorOf: (id: number) => number) {
  const described = { ...cases[7], steps: 1, capacity: 42, prioritised };
  const random = streams.stream("frequencies", prioritised ? 1 : 0);
  const recorder = new Recorder(described, random);
  const replay = replayOf(described);
  replay.begin(recorder.rows.observations);
  for (let i = 0; i < 100; i++) {
    recorder.step();
    replay.add(recorder.actions, recorder.rows);
  }
  const batch = batchOf(8, described.space);
  // Every transition gets its error, whichever are drawn.
  for (let i = 0; i < 400; i++) {
    replay.sample(random, batch, 0.9, 1);
    replay.setErrors(batch.indices, batch.actions.map(errorOf));
  }
  const found = new Map<number, number>();
  const weights = new Map<number, number>();
  for (let i = 0; i < 10_000; i++) {
    replay.sample(random, batch, 0.9, 1);
    batch.actions.forEach((id, b) => {
      found.set(id, (found.get(id) ?? 0) + 1);
      if (batch.weights !== null) weights.set(id, Math.max(weights.get(id) ?? 0, batch.weights[b]));
    });
  }
  return { found, weights };
}

describe("the frequencies of samples", () => {
  it("are equal without priorities, by χ²", () => {
    const { found } = counts(false, () => 1);
    const shares = [...found].map(() => 1 / found.size);
    expect(found.size).toBeGreaterThan(25);
    expect(chiSquare([...found.values()], shares)).toBeLessThan(chiSquareBound(found.size - 1));
  });

  it("are in proportion to (|δ| + 10⁻⁶)^ω, by χ², and weights undo them", () => {
    const errorOf = (id: number) => (id % 2 === 0 ? 1 : -1) * (0.2 + (id % 7));
    const { found, weights } = counts(true, errorOf);
    const priorities = [...found.keys()].map((id) => (Math.abs(errorOf(id)) + 1e-6) ** 0.6);
    const sum = priorities.reduce((a, b) => a + b, 0);
    const shares = priorities.map((priority) => priority / sum);
    expect(found.size).toBeGreaterThan(25);
    expect(chiSquare([...found.values()], shares)).toBeLessThan(chiSquareBound(found.size - 1));
    // β = 1: weight times probability is the same for all, when the least probable is in the batch.
    const least = Math.min(...priorities);
    [...found.keys()].forEach((id, i) => {
      expect(weights.get(id)).toBeGreaterThanOrEqual((least / priorities[i]) * (1 - 1e-9));
      expect(weights.get(id)).toBeLessThanOrEqual(1);
    });
  });
});

describe("a replay that is cut", () => {
  it.each([false, true])("has no transition over the cut (prioritised: %j)", (prioritised) => {
    const described: Case = { ...cases[1], size: 1, steps: 3, capacity: 60, prioritised };
    const random = streams.stream("cut");
    const replay = replayOf(described);
    const [first, second] = [new Recorder(described, random), new Recorder(described, random)];
    const batch = batchOf(8, floats);
    replay.begin(first.rows.observations);
    for (let i = 0; i < 20; i++) {
      first.step();
      replay.add(first.actions, first.rows);
    }
    // A step that the replay does not get.
    const before = first.kept.length;
    first.step();
    replay.cut(second.rows.observations);
    second.step();
    replay.add(second.actions, second.rows);
    const sums = new Map<number, number>();
    for (let i = 0; i < 200; i++) {
      replay.sample(random, batch, 1);
      batch.actions.forEach((id, b) => {
        sums.set(id, batch.returns[b]);
      });
    }
    const last = before - 1;
    if (first.kept[last].ending === "none" && first.kept[last - 1].ending === "none") {
      expect(sums.get(last)).toBeCloseTo(first.kept[last].reward, 12);
      expect(sums.get(last - 1)).toBeCloseTo(first.kept[last - 1].reward + first.kept[last].reward, 12);
    }
    for (const id of sums.keys()) expect(id).toBeLessThan(before);
  });
});

describe.each([false, true])("a replay without a complete transition (prioritised: %j)", (prioritised) => {
  const whole: Case = { ...cases[0], prioritised };
  const stacked: Case = { ...whole, space: frames, frames: "stacked" };
  /** Refuses to sample, rather than search forever. */
  const expectUnready = (replay: Replay, { space }: Case) => {
    expect(replay.ready).toBe(false);
    expect(() => replay.sample(streams.stream("unready"), batchOf(4, space), 0.9)).toThrow(
      "no transition is complete",
    );
  };
  const expectReadyAfterStep = (replay: Replay, recorder: Recorder, { space }: Case) => {
    recorder.step();
    replay.add(recorder.actions, recorder.rows);
    expect(replay.ready).toBe(true);
    const batch = batchOf(4, space);
    replay.sample(streams.stream("ready"), batch, 0.9);
    expect([...batch.actions]).toEqual([0, 0, 0, 0]);
  };

  it("is not ready with the older frames of a first observation", () => {
    const recorder = new Recorder(stacked, streams.stream("older frames"));
    const replay = replayOf(stacked);
    replay.begin(recorder.rows.observations);
    expectUnready(replay, stacked);
    expectReadyAfterStep(replay, recorder, stacked);
  });

  it("is not ready where it was cut before a step, nor restored from there", () => {
    const recorder = new Recorder(whole, streams.stream("cut early"));
    const [replay, twin] = [replayOf(whole), replayOf(whole)];
    replay.begin(recorder.rows.observations);
    for (let i = 0; i < 3; i++) replay.cut(recorder.rows.observations);
    expectUnready(replay, whole);
    restoreInto(twin, savedState(replay));
    expectUnready(twin, whole);
    expectReadyAfterStep(twin, recorder, whole);
  });

  it("is not ready once it is cleared, or cuts have overwritten all steps", () => {
    const recorder = new Recorder(whole, streams.stream("overwritten"));
    const replay = replayOf(whole);
    replay.begin(recorder.rows.observations);
    expectReadyAfterStep(replay, recorder, whole);
    for (let i = 0; i < whole.capacity; i++) replay.cut(recorder.rows.observations);
    expectUnready(replay, whole);
    recorder.step();
    replay.add(recorder.actions, recorder.rows);
    expect(replay.ready).toBe(true);
    replay.clear();
    expectUnready(replay, whole);
  });
});

describe("a replay refuses", () => {
  const space = floats;
  it("a capacity that cannot hold a transition", () => {
    expect(() => new Replay({ capacity: 9, size: 2, observationSpace: space })).toThrow(
      "Replay: the capacity is too small, expected at least 10",
    );
  });
  it("stacks of a space that has none", () => {
    expect(() => new Replay({ capacity: 90, size: 2, observationSpace: space, frames: "stacked" })).toThrow(
      "Replay: the observations are not stacks of frames",
    );
  });
  it("an observation that is no stack of frames", () => {
    const described: Case = { ...cases[3], frames: "whole" };
    const recorder = new Recorder(described, streams.stream("no stack"));
    const replay = replayOf({ ...described, frames: "stacked" });
    replay.begin(recorder.rows.observations);
    expect(() => {
      for (let i = 0; i < 9; i++) {
        recorder.step();
        replay.add(recorder.actions, recorder.rows);
      }
    }).toThrow("Replay.add: an observation is not a stack of frames");
  });
  it("to sample before a transition is complete, and to begin twice", () => {
    const recorder = new Recorder(cases[1], streams.stream("early"));
    const replay = replayOf(cases[1]);
    expect(() => replay.add(recorder.actions, recorder.rows)).toThrow("no episode has begun");
    replay.begin(recorder.rows.observations);
    expect(() => replay.begin(recorder.rows.observations)).toThrow("already begun");
    expect(() => replay.sample(streams.stream("x"), batchOf(4, space), 0.9)).toThrow(
      "no transition is complete",
    );
  });
  it("a snapshot of another shape, and stays as it was", () => {
    const recorder = new Recorder(cases[0], streams.stream("shape"));
    const replay = replayOf(cases[0]);
    replay.begin(recorder.rows.observations);
    recorder.step();
    replay.add(recorder.actions, recorder.rows);
    const before = savedState(replay);
    const { state } = before;
    expect(() => replay.restore({ ...state, heads: new Float64Array([0.5]) })).toThrow(/not valid/);
    expect(() => replay.restore({})).toThrow(/does not fit/);
    expect(savedState(replay)).toEqual(before);
    const other = replayOf(cases[0]);
    other.restore({ ...state, heads: new Float64Array([1e6]) });
    expect(() => other.pieces()[0].restore(before.pieces[0].content)).toThrow(/does not fit/);
  });
  it("to be used before all of its pieces are restored", () => {
    const recorder = new Recorder(cases[0], streams.stream("half"));
    const replay = replayOf(cases[0]);
    replay.begin(recorder.rows.observations);
    for (let i = 0; i < 30; i++) {
      recorder.step();
      replay.add(recorder.actions, recorder.rows);
    }
    const twin = replayOf(cases[0]);
    twin.restore(replay.save());
    twin.pieces()[0].restore(replay.pieces()[0].save());
    const message = /the replay is not restored yet, expected its piece entries-1; restore all pieces first/;
    expect(() => twin.add(recorder.actions, recorder.rows)).toThrow(message);
    expect(() => twin.cut(recorder.rows.observations)).toThrow(message);
    expect(() => twin.sample(streams.stream("x"), batchOf(4, space), 0.9)).toThrow(message);
  });
  it.each([
    ["flags", (flags: Uint8Array) => flags.fill(0), /the flags of the entries are not valid/],
    ["flags", (flags: Uint8Array) => flags.fill(255), /the flags of the entries are not valid/],
    ["flags", (flags: Uint8Array) => flags.set([9, 9]), /the flags of the entries are not valid/],
    ["actions", (actions: Int32Array) => actions.fill(-1), /an action is not valid/],
    ["actions", (actions: Int32Array) => actions.fill(1000), /an action is not valid/],
    ["priorities", (priorities: Float64Array) => priorities.fill(Number.NaN), /invalid weight/],
    ["priorities", (priorities: Float64Array) => priorities.fill(1), /begins no transition has a priority/],
  ] as const)("%s that no replay saves: %s", (name, change, message) => {
    const described: Case = { ...cases[7], size: 1, capacity: 60 };
    const recorder = new Recorder(described, streams.stream("hostile"));
    const make = () =>
      new Replay({
        capacity: 60,
        size: 1,
        observationSpace: floats,
        steps: 2,
        priorityExponent: name === "flags" ? null : 0.6,
        actionCount: 100,
      });
    const replay = make();
    replay.begin(recorder.rows.observations);
    for (let i = 0; i < 20; i++) {
      recorder.step();
      replay.add(recorder.actions, recorder.rows);
    }
    const saved = savedState(replay);
    const array = saved.pieces.map(({ content }) => content[name]).find((entry) => entry !== undefined);
    (change as (array: unknown) => void)(array);
    expect(() => restoreInto(make(), saved)).toThrow(message);
  });
});
