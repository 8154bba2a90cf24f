import { fail, requireInteger, requireLength } from "../base/errors.js";
import type { Piece } from "../base/piece.js";
import type { Random } from "../base/random.js";
import { type Saveable, type Snapshot, snapshotArray } from "../base/snapshot.js";
import type { EnvironmentRows, Observations } from "../envs/environment.js";
import { type Box, observationLength, type Space } from "../envs/spaces.js";
import type { Vector } from "../math/units.js";
import type { ObservationStore } from "./observation-store.js";
import type { ReplayBatch } from "./replay-batch.js";
import { ReplayEntries, stackedFrames } from "./replay-entries.js";
import { ENDED, FIRST, requireFlags, STEP, TERMINATED, TRUNCATED } from "./replay-flags.js";
import { ReplayPriorities } from "./replay-priorities.js";

/** What a {@link Replay} is made for. */
export interface ReplayOptions {
  /** Observations that it holds at most, those of all environments together: about as many transitions. */
  readonly capacity: number;
  /** The number of environments S. */
  readonly size: number;
  readonly observationSpace: Space;
  /** n of the n-step returns; 1 if left out. */
  readonly steps?: number;
  /**
   * `"whole"`, the default: every observation is stored as it is. `"stacked"`: the last axis is a stack of frames, newest
   * last, of which each is stored once.
   */
  readonly frames?: "whole" | "stacked";
  /** α of proportional prioritised sampling (Schaul et al. 2016); null, the default, for uniform sampling. */
  readonly priorityExponent?: number | null;
  /** The number of actions A, which restored ones are checked against. */
  readonly actionCount?: number;
  /** Bytes of a piece that is saved, about; 16 MiB if left out. */
  readonly pieceBytes?: number;
}

/**
 * The newest transitions of S environments, stored once and sampled with replacement.
 *
 * Each environment has a ring of entries, one for each observation with the action, the reward and the ending that
 * followed it. The last observation of a truncated episode, which a return bootstraps from, is an entry too. So the
 * successor of an entry is the next one, unless the episode terminated.
 *
 * A transition can be sampled when its n steps are complete or its episode has ended, and while all frames of its
 * observation are still there.
 *
 * `save` holds the places of the rings; what is in them is saved in {@link pieces}, since it may be many gigabytes.
 */
export class Replay implements Saveable {
  readonly steps: number;
  readonly #size: number;
  readonly #width: number;
  /** Frames in a stack; 1 for whole observations. */
  readonly #frames: number;
  /** The places of the frames of an observation that is read, oldest first. */
  readonly #stack: Int32Array;
  /** Entries of an environment's ring L. */
  readonly #length: number;
  readonly #actionCount: number;
  readonly #entries: ReplayEntries;
  readonly #store: ObservationStore;
  // [L, S], as in the store: entry c of environment s is at (c mod L) · S + s.
  readonly #flags: Uint8Array;
  readonly #actions: Int32Array;
  readonly #rewards: Float64Array;
  /** [S] The entry that holds the newest observation, counted from 0 at the start; −1 before. */
  readonly #heads: Float64Array;
  /** [S] The row of the newest observation: its entry modulo L, which takes a division. */
  readonly #headRows: Float64Array;
  readonly #priorities: ReplayPriorities | null;
  /** An entry that began a complete transition when {@link ready} last searched for one. */
  #found = { s: 0, c: -1 };
  /** The names of the pieces that have not been restored yet; null unless some are. */
  #missing: Set<string> | null = null;

  /** @throws SoftrlError when the capacity is too small, or does not fit in memory. */
  constructor(options: ReplayOptions) {
    const {
      capacity,
      size,
      observationSpace,
      steps = 1,
      frames = "whole",
      priorityExponent = null,
      actionCount = Number.POSITIVE_INFINITY,
      pieceBytes,
    } = options;
    requireInteger("Replay", "size", size, 1);
    requireInteger("Replay", "steps", steps, 1);
    requireInteger("Replay", "capacity", capacity, 1);
    const width = observationLength(observationSpace);
    const space = observationSpace as Box;
    this.#frames = frames === "stacked" ? stackedFrames(space) : 1;
    this.#stack = new Int32Array(this.#frames);
    this.steps = steps;
    this.#size = size;
    this.#actionCount = actionCount;
    this.#width = width;
    this.#length = Math.floor(capacity / size);
    // A whole stack before the first observation, n steps, the newest observation, and the last of a truncated episode.
    const least = 2 * this.#frames + steps + 2;
    if (this.#length < least) {
      fail("Replay", "the capacity is too small", {
        expected: `at least ${least * size}: ${least} observations of each of ${size} environments`,
        got: String(capacity),
        remedy: "use a larger replay, fewer steps or fewer environments",
      });
    }
    const entries = this.#length * size;
    const sizes = pieceBytes === undefined ? {} : { pieceBytes };
    this.#entries = new ReplayEntries({ entries, observationSpace: space, frames: this.#frames, ...sizes });
    this.#store = this.#entries.observations;
    this.#flags = this.#entries.flags;
    this.#actions = this.#entries.actions;
    this.#rewards = this.#entries.rewards;
    this.#heads = new Float64Array(size).fill(-1);
    this.#headRows = new Float64Array(size).fill(-1);
    this.#priorities =
      priorityExponent === null ? null : new ReplayPriorities(entries, priorityExponent, pieceBytes);
  }

  /** Whether {@link begin} was called, here or before the state was saved. */
  get begun(): boolean {
    return this.#heads[0] >= 0;
  }

  /** Whether a transition can be sampled. Takes a search only where the one found last is there no longer. */
  get ready(): boolean {
    const { s, c } = this.#found;
    if (c >= this.#tail(s) && c <= this.#heads[s] && this.#isComplete(s, c)) return true;
    for (let s = 0; s < this.#size; s++) {
      // The newest one stays the longest.
      for (let c = this.#heads[s]; c >= this.#tail(s); c--) {
        if (!this.#isComplete(s, c)) continue;
        this.#found = { s, c };
        return true;
      }
    }
    return false;
  }

  /** Starts all episodes. @param observations [S, ...] */
  begin(observations: Observations): void {
    requireLength("Replay.begin", "observations", observations.length, this.#size * this.#width);
    if (this.begun) fail("Replay.begin", "the episodes have already begun", { remedy: "add their steps" });
    for (let s = 0; s < this.#size; s++) this.#appendFirst(s, observations, s * this.#width);
  }

  /**
   * Adds a step of some environments: those from `first` on.
   * @param actions [rows.size] what they did; @param rows what it led to
   */
  add(actions: Int32Array, rows: EnvironmentRows, first = 0): void {
    requireLength("Replay.add", "actions", actions.length, rows.size, "give one action per environment");
    if (!this.begun) fail("Replay.add", "no episode has begun", { remedy: "call begin(observations) first" });
    this.#requireRestored("Replay.add");
    const { observations, finalObservations, rewards, terminated, truncated } = rows;
    for (let i = 0; i < rows.size; i++) {
      const s = first + i;
      const offset = i * this.#width;
      const head = this.#heads[s];
      const at = this.#at(s, head);
      const ending = terminated[i] ? TERMINATED : truncated[i] ? TRUNCATED : 0;
      this.#entries.touch(at);
      this.#flags[at] |= STEP | ending;
      this.#actions[at] = actions[i];
      this.#rewards[at] = rewards[i];
      if (ending === TRUNCATED) this.#append(s, finalObservations, offset);
      if (ending === 0) this.#append(s, observations, offset);
      else this.#appendFirst(s, observations, offset);
      if (this.#priorities !== null) this.#admit(s, head);
    }
  }

  /**
   * Cuts all episodes off where they are and goes on from these observations, where steps were lost or the environments
   * were restarted. @param observations [S, ...]
   */
  cut(observations: Observations): void {
    requireLength("Replay.cut", "observations", observations.length, this.#size * this.#width);
    if (!this.begun) fail("Replay.cut", "no episode has begun", { remedy: "call begin(observations) first" });
    this.#requireRestored("Replay.cut");
    for (let s = 0; s < this.#size; s++) {
      // The newest observation becomes the last one of a truncated episode.
      const last = this.#heads[s] - 1;
      const at = this.#at(s, last);
      if (last >= this.#tail(s) && (this.#flags[at] & (STEP | ENDED)) === STEP) {
        this.#entries.touch(at);
        this.#flags[at] |= TRUNCATED;
        if (this.#priorities !== null) this.#admit(s, last);
      }
      this.#appendFirst(s, observations, s * this.#width);
    }
  }

  /**
   * Draws transitions into `batch`, uniformly, or in proportion to their priorities: then one from each of B equal shares
   * of the sum, with the weights (N P)^−β over the largest of the batch, N being the number of entries.
   * @param beta β, the exponent of the importance weights; not read for uniform sampling
   */
  sample(random: Random, batch: ReplayBatch, gamma: number, beta = 0): void {
    this.#requireRestored("Replay.sample");
    if (!this.ready) {
      fail("Replay.sample", "no transition is complete", { remedy: `add ${this.steps} steps first` });
    }
    const { indices, weights } = batch;
    const count = indices.length;
    const priorities = this.#priorities;
    if (priorities === null) {
      let filled = 0;
      for (let s = 0; s < this.#size; s++) filled = Math.max(filled, this.#heads[s] - this.#tail(s) + 1);
      for (let b = 0; b < count; b++) indices[b] = this.#draw(random, filled);
      weights?.fill(1);
    } else {
      priorities.sample(random, indices);
      if (weights !== null) priorities.weigh(indices, beta, weights);
    }
    for (let b = 0; b < count; b++) this.#read(b, indices[b], gamma, batch);
  }

  /** Sets the priorities (|δ| + 10⁻⁶)^α of sampled transitions. @param errors [B] δ of each */
  setErrors(indices: Int32Array, errors: Vector): void {
    this.#priorities?.setErrors(indices, errors);
  }

  /** The place of entry c of environment s, one of the newest L. */
  #at(s: number, c: number): number {
    const row = this.#headRows[s] - (this.#heads[s] - c);
    return (row < 0 ? row + this.#length : row) * this.#size + s;
  }

  /** The oldest entry of environment s. */
  #tail(s: number): number {
    return Math.max(0, this.#heads[s] - this.#length + 1);
  }

  /** Appends an observation that follows the newest one. */
  #append(s: number, observations: Observations, offset: number): void {
    const frames = this.#frames;
    const head = this.#heads[s];
    for (let age = 1; age < frames; age++) {
      const entry = this.#frameOf(s, head, age - 1);
      if (this.#store.equals(entry, observations, offset + frames - 1 - age, frames)) continue;
      fail("Replay.add", "an observation is not a stack of frames", {
        expected: "the newest frame last, after the newer ones of the observation before",
        got: `other values in channel ${frames - 1 - age}`,
        remedy: "store whole observations",
      });
    }
    this.#store.write(this.#next(s, 0), observations, offset + frames - 1, frames);
  }

  /** Appends the first observation of an episode: its newest frame, and the older ones where they are others. */
  #appendFirst(s: number, observations: Observations, offset: number): void {
    const frames = this.#frames;
    const first = this.#next(s, FIRST);
    this.#store.write(first, observations, offset, frames);
    let equal = true;
    for (let k = 1; k < frames && equal; k++) {
      equal = this.#store.equals(first, observations, offset + k, frames);
    }
    if (equal) return;
    for (let k = 1; k < frames; k++) this.#store.write(this.#next(s, 0), observations, offset + k, frames);
  }

  /** Moves the head to a new entry, over the oldest one if the ring is full. @returns its place */
  #next(s: number, flags: number): number {
    const head = ++this.#heads[s];
    if (++this.#headRows[s] === this.#length) this.#headRows[s] = 0;
    const at = this.#at(s, head);
    this.#entries.touch(at);
    this.#flags[at] = flags;
    const priorities = this.#priorities;
    if (priorities === null || head < this.#length) return at;
    priorities.drop(at);
    // Entries whose oldest frame this was.
    const tail = this.#tail(s);
    for (let c = tail; c < tail + this.#frames - 1; c++) {
      if (!this.#isComplete(s, c)) priorities.drop(this.#at(s, c));
    }
    return at;
  }

  /** The place of the frame `age` steps before entry c, as its observation has it. */
  #frameOf(s: number, c: number, age: number): number {
    let at = this.#at(s, c);
    for (let left = age, entry = c; left > 0 && (this.#flags[at] & FIRST) === 0; left--) {
      at = this.#at(s, --entry);
    }
    return at;
  }

  /** Whether entry c of environment s, which is in the ring, begins a transition that can be sampled. */
  #isComplete(s: number, c: number): boolean {
    if ((this.#flags[this.#at(s, c)] & STEP) === 0) return false;
    const tail = this.#tail(s);
    for (let entry = c; entry > c - this.#frames + 1; entry--) {
      if ((this.#flags[this.#at(s, entry)] & FIRST) !== 0) break;
      if (entry === tail) return false;
    }
    const head = this.#heads[s];
    if (c + this.steps <= head) return true;
    for (let entry = c; entry < head; entry++) {
      if ((this.#flags[this.#at(s, entry)] & ENDED) !== 0) return true;
    }
    return false;
  }

  /** Gives the transitions that step c completed their first priority. */
  #admit(s: number, c: number): void {
    for (let entry = Math.max(this.#tail(s), c - this.steps + 1); entry <= c; entry++) {
      if (this.#isComplete(s, entry)) this.#priorities?.admit(this.#at(s, entry));
    }
  }

  /** A complete transition, all with the same probability. @param filled entries of the fullest ring */
  #draw(random: Random, filled: number): number {
    for (;;) {
      const s = this.#size === 1 ? 0 : random.integer(this.#size);
      const c = this.#heads[s] - random.integer(filled);
      if (c >= this.#tail(s) && this.#isComplete(s, c)) return this.#at(s, c);
    }
  }

  /** Writes the transition at a place of the ring as row b. */
  #read(b: number, at: number, gamma: number, batch: ReplayBatch): void {
    const s = at % this.#size;
    // The newest entry with this place: entries of one place are L apart.
    const age = this.#headRows[s] - (at - s) / this.#size;
    const c = this.#heads[s] - (age < 0 ? age + this.#length : age);
    let sum = 0;
    let discount = 1;
    let taken = 0;
    let ending = 0;
    while (taken < this.steps && ending === 0) {
      const entry = this.#at(s, c + taken);
      sum += discount * this.#rewards[entry];
      discount *= gamma;
      taken++;
      ending = this.#flags[entry] & ENDED;
    }
    batch.actions[b] = this.#actions[at];
    batch.returns[b] = sum;
    batch.discounts[b] = ending === TERMINATED ? 0 : discount;
    const offset = b * this.#width;
    this.#observe(s, c, batch.observations, offset);
    if (ending === TERMINATED) batch.nextObservations.fill(0, offset, offset + this.#width);
    else this.#observe(s, c + taken, batch.nextObservations, offset);
  }

  /** Writes the observation of entry c. */
  #observe(s: number, c: number, out: Vector, offset: number): void {
    const frames = this.#frames;
    if (frames === 1) {
      this.#store.read(this.#at(s, c), out, offset);
      return;
    }
    for (let age = 0; age < frames; age++) this.#stack[frames - 1 - age] = this.#frameOf(s, c, age);
    this.#store.readStack(this.#stack, out, offset);
  }

  save(): Snapshot {
    return { heads: this.#heads.slice(), ...this.#priorities?.save() };
  }

  /** Restores the places of the rings. Then all {@link pieces} have to be restored. */
  restore(snapshot: Snapshot): void {
    const where = "Replay.restore";
    const heads = snapshotArray(where, snapshot, "heads", "float64", this.#size);
    if (!heads.every((head) => Number.isSafeInteger(head) && head >= -1)) {
      fail(where, "the heads of the rings are not valid", { expected: "integers of at least -1" });
    }
    const takeOver = this.#priorities?.restoring(where, snapshot);
    if (this.begun) this.#entries.clear();
    takeOver?.();
    this.#heads.set(heads);
    heads.forEach((head, s) => {
      this.#headRows[s] = head < 0 ? -1 : head % this.#length;
    });
    const names = this.#pieces().map(({ name }) => name);
    this.#missing = names.length === 0 ? null : new Set(names);
  }

  /** Empties the rings, also those of pieces that have not been restored. */
  clear(): void {
    this.#entries.clear();
    this.#priorities?.clear();
    this.#heads.fill(-1);
    this.#headRows.fill(-1);
    this.#missing = null;
  }

  /** What the rings hold, to be saved and restored piece by piece. */
  pieces(): readonly Piece[] {
    return this.#pieces().map((piece) => ({
      ...piece,
      restore: (snapshot: Snapshot) => {
        piece.restore(snapshot);
        if (this.#missing?.delete(piece.name) !== true || this.#missing.size > 0) return;
        this.#requireTransitions("Replay.restore");
        this.#missing = null;
      },
    }));
  }

  /** Entries of the fullest ring. */
  get #usedRows(): number {
    return Math.min(this.#length, Math.max(...this.#heads) + 1);
  }

  #pieces(): readonly Piece[] {
    const used = this.#usedRows * this.#size;
    return [...this.#entries.pieces(used), ...(this.#priorities?.pieces(used) ?? [])];
  }

  /** @throws SoftrlError while pieces are missing. */
  #requireRestored(where: string): void {
    if (this.#missing === null) return;
    fail(where, "the replay is not restored yet", {
      expected: `its piece ${[...this.#missing][0]}`,
      remedy: "restore all pieces first",
    });
  }

  /** @throws SoftrlError for entries that no replay saves. */
  #requireTransitions(where: string): void {
    const rows = this.#usedRows;
    for (let s = 0; s < this.#size; s++) {
      const tail = this.#tail(s);
      const head = this.#heads[s];
      requireFlags(where, tail, head, (c) => this.#flags[this.#at(s, c)]);
      for (let c = tail; c < tail + rows; c++) {
        const at = this.#at(s, c);
        const action = this.#actions[at];
        if (!(action >= 0 && action < this.#actionCount)) {
          fail(where, "an action is not valid", {
            expected: `at least 0, less than ${this.#actionCount}`,
            got: String(action),
          });
        }
        const isComplete = c <= head && this.#isComplete(s, c);
        if (!isComplete && (this.#priorities?.at(at) ?? 0) > 0) {
          fail(where, "an entry that begins no transition has a priority", { expected: "0" });
        }
      }
    }
  }
}
