import { fail, requireInteger, requireLength } from "../base/errors.js";
import { Random, type RandomStreams } from "../base/random.js";
import { type Snapshot, snapshotArray } from "../base/snapshot.js";
import { type Terminated, type Truncated, terminatedFlags, truncatedFlags } from "../math/endings.js";
import type { Observations, VectorEnvironment } from "./environment.js";
import { requireEnvironmentMemory } from "./environment-memory.js";
import { type Box, type Discrete, observationLength } from "./spaces.js";

/** The parameters common to all built-in vector environments. */
export interface ArrayEnvironmentParts {
  readonly id: string;
  /** S */
  readonly size: number;
  readonly observationSpace: Box;
  /** A */
  readonly actions: number;
  /** The time limit; Infinity for none. */
  readonly maxEpisodeSteps: number;
}

/** Up to this length, a loop copies an observation faster than `set`. */
const FEW = 32;

/**
 * The common part of all vector environments over typed arrays: arrays, checks, time limit, returns, reset within the
 * step, and snapshots.
 *
 * A subclass keeps its states in its own arrays and steps all of them in one loop ({@link advance}), so that the
 * JavaScript engine compiles the loop for this subclass alone.
 */
export abstract class ArrayEnvironment<Seen extends Observations> implements VectorEnvironment {
  readonly id: string;
  readonly size: number;
  readonly observationSpace: Box;
  readonly actionSpace: Discrete;
  readonly observations: Seen;
  readonly finalObservations: Seen;
  readonly rewards: Float64Array;
  readonly episodeReturns: Float64Array;
  readonly episodeLengths: Int32Array;
  readonly episodeEnded: Uint8Array;
  readonly terminated: Terminated;
  readonly truncated: Truncated;
  /** Numbers in one observation. */
  protected readonly width: number;
  /** [S], steps of the current episodes. */
  protected readonly steps: Int32Array;
  /** [S], sums of the unclipped rewards of the current episodes. */
  protected readonly returns: Float64Array;
  readonly #limit: number;
  /** A view of each environment's observation; empty if observations have at most {@link FEW} numbers. */
  readonly #rows: readonly Observations[];
  readonly #finalRows: readonly Observations[];
  #randoms: Random[] = [];
  #closed = false;

  /** @param observations makes an array of the given length: bytes or float32. */
  protected constructor(parts: ArrayEnvironmentParts, observations: (length: number) => Seen) {
    const { id, size, observationSpace, actions, maxEpisodeSteps } = parts;
    requireInteger(id, "size", size, 1);
    if (maxEpisodeSteps !== Infinity) requireInteger(id, "maxEpisodeSteps", maxEpisodeSteps, 1);
    requireEnvironmentMemory(id, size, observationSpace);
    this.id = id;
    this.size = size;
    this.observationSpace = observationSpace;
    this.actionSpace = { kind: "discrete", n: actions };
    this.width = observationLength(observationSpace);
    this.observations = observations(size * this.width);
    this.finalObservations = observations(size * this.width);
    this.rewards = new Float64Array(size);
    this.episodeReturns = new Float64Array(size);
    this.episodeLengths = new Int32Array(size);
    this.episodeEnded = new Uint8Array(size);
    this.terminated = terminatedFlags(size);
    this.truncated = truncatedFlags(size);
    this.steps = new Int32Array(size);
    this.returns = new Float64Array(size);
    this.#limit = maxEpisodeSteps;
    const rowsOf = (all: Seen) =>
      Array.from({ length: this.width > FEW ? size : 0 }, (_, i) =>
        all.subarray(i * this.width, (i + 1) * this.width),
      );
    this.#rows = rowsOf(this.observations);
    this.#finalRows = rowsOf(this.finalObservations);
  }

  reset(streams: RandomStreams): void {
    this.#requireOpen("reset");
    this.#randoms = Array.from({ length: this.size }, (_, i) => streams.stream("environment", i));
    this.seeded();
    for (let i = 0; i < this.size; i++) this.begin(i);
    this.#clearOutcomes();
  }

  step(actions: Int32Array): void {
    this.requireStarted("step");
    requireLength(this.id, "actions", actions.length, this.size, "give one action per environment");
    this.#requireActions(actions);
    this.advance(actions);
  }

  save(): Snapshot {
    this.requireStarted("save");
    const randoms = new Uint32Array(this.size * 4);
    this.#randoms.forEach((random, i) => {
      randoms.set(random.save(), i * 4);
    });
    return { randoms, steps: this.steps.slice(), returns: this.returns.slice(), ...this.saveStates() };
  }

  restore(snapshot: Snapshot): void {
    this.#requireOpen("restore");
    const where = `${this.id} restore`;
    const randoms = snapshotArray(where, snapshot, "randoms", "uint32", this.size * 4);
    const steps = snapshotArray(where, snapshot, "steps", "int32", this.size);
    const returns = snapshotArray(where, snapshot, "returns", "float64", this.size);
    const restored = Array.from(
      { length: this.size },
      (_, i) => new Random(randoms.subarray(i * 4, i * 4 + 4)),
    );
    this.restoreStates(where, snapshot);
    this.#randoms = restored;
    this.steps.set(steps);
    this.returns.set(returns);
    this.#clearOutcomes();
  }

  close(): void {
    this.#closed = true;
  }

  /** Steps all environments. Calls {@link settle} for each after writing its new observation. */
  protected abstract advance(actions: Int32Array): void;
  /** Draws the first state of environment i and writes its observation. */
  protected abstract start(i: number): void;
  /** A snapshot with copies of the states. */
  protected abstract saveStates(): Snapshot;
  /** Restores the states of a snapshot and writes the observations. Checks everything before it changes anything. */
  protected abstract restoreStates(where: string, snapshot: Snapshot): void;

  /** Called after `reset` has set the random streams, before the first episodes start. */
  protected seeded(): void {}

  /** The stream of environment i. */
  protected random(i: number): Random {
    return this.#randoms[i];
  }

  /** Starts an episode of environment i. */
  protected begin(i: number): void {
    this.steps[i] = 0;
    this.returns[i] = 0;
    this.start(i);
  }

  /** Records the outcome of a step of environment i and, if the episode ended, starts the next one. */
  protected settle(i: number, reward: number, ended: boolean): void {
    const late = ++this.steps[i] >= this.#limit;
    this.returns[i] += reward;
    this.rewards[i] = reward;
    this.terminated[i] = ended ? 1 : 0;
    this.truncated[i] = late ? 1 : 0;
    this.episodeEnded[i] = 0;
    if (ended || late) this.#end(i);
  }

  /** Copies the current observation of environment i to its final observation. */
  protected keepFinal(i: number): void {
    const { width, observations, finalObservations } = this;
    if (width > FEW) {
      this.#finalRows[i].set(this.#rows[i]);
      return;
    }
    for (let at = i * width, end = at + width; at < end; at++) finalObservations[at] = observations[at];
  }

  /** Records the finished episode of environment i and starts the next one. */
  protected finish(i: number): void {
    this.episodeEnded[i] = 1;
    this.episodeReturns[i] = this.returns[i];
    this.episodeLengths[i] = this.steps[i];
    this.begin(i);
  }

  protected get closed(): boolean {
    return this.#closed;
  }

  protected requireStarted(what: string): void {
    this.#requireOpen(what);
    if (this.#randoms.length === 0) {
      fail(`${this.id} ${what}`, "no episode has begun", { remedy: "call reset(streams) first" });
    }
  }

  /** Throws unless environment i exists and has been reset. */
  protected requirePlace(what: string, i: number): void {
    this.requireStarted(what);
    requireInteger(`${this.id} ${what}`, "i", i, 0);
    if (i >= this.size) fail(`${this.id} ${what}`, "no such environment", { got: `${i} of ${this.size}` });
  }

  /** Copies a state into row i of `states` and resets the step count; implements `setState` of the subclasses. */
  protected takeState(i: number, state: ArrayLike<number>, states: Float64Array): void {
    const where = `${this.id} setState`;
    this.requirePlace("setState", i);
    const length = states.length / this.size;
    requireLength(where, "state", state.length, length);
    for (let j = 0; j < length; j++) {
      if (!Number.isFinite(state[j])) fail(where, `state[${j}] is not finite`, { got: String(state[j]) });
    }
    states.set(state, i * length);
    this.steps[i] = 0;
    this.returns[i] = 0;
  }

  #end(i: number): void {
    this.keepFinal(i);
    this.finish(i);
  }

  #clearOutcomes(): void {
    this.rewards.fill(0);
    this.terminated.fill(0);
    this.truncated.fill(0);
    this.episodeEnded.fill(0);
  }

  /** Runs before any state changes, so that an invalid action cannot leave a step half done. */
  #requireActions(actions: Int32Array): void {
    const { n } = this.actionSpace;
    for (let i = 0; i < actions.length; i++) {
      if (!(actions[i] >= 0 && actions[i] < n)) {
        fail(`${this.id} environment ${i}, step ${this.steps[i] + 1}`, "the action is out of range", {
          expected: n === 2 ? "0 or 1" : `an integer in [0, ${n - 1}]`,
          got: String(actions[i]),
        });
      }
    }
  }

  #requireOpen(what: string): void {
    if (this.#closed) fail(`${this.id} ${what}`, "the environment is closed", { remedy: "make a new one" });
  }
}
