import { fail } from "../../base/errors.js";
import { type Snapshot, snapshotArray } from "../../base/snapshot.js";
import { type FiniteMdp, validateFiniteMdp } from "../../mdp/finite-mdp.js";
import { ArrayEnvironment } from "../array-environment.js";
import type { Picture } from "../canvas.js";
import type { Observations } from "../environment.js";
import { oneHotSpace } from "../spaces.js";

/** One possible outcome of a step. */
export interface Outcome {
  readonly probability: number;
  /** The next state s'. */
  readonly next: number;
  readonly reward: number;
  /** Whether it ends the episode. */
  readonly ended: boolean;
}

/** A small world given as a table: the outcomes of every state and action. */
export interface TabularWorld {
  readonly id: string;
  /** S */
  readonly states: number;
  /** A */
  readonly actions: number;
  /** P(s_0 = s): [S], sums to one. */
  readonly initial: readonly number[];
  readonly maxEpisodeSteps: number;
  /** The possible outcomes of action a in state s; their probabilities sum to one. */
  outcomes(s: number, a: number): readonly Outcome[];
  /** Draws state s. */
  paint(s: number): Picture;
}

/**
 * S copies of a tabular world, stepped together over typed arrays, with their exact Markov decision process
 * ({@link TabularEnvironment.mdp}). The observation is the state as a one-hot vector.
 */
export class TabularEnvironment extends ArrayEnvironment<Float32Array> {
  readonly #world: TabularWorld;
  /** [S A + 1]: the outcomes of (s, a) begin at first[s A + a] and end before first[s A + a + 1]. */
  readonly #first: Int32Array;
  /** For each outcome, the sum of its row's probabilities up to and including it. */
  readonly #cumulative: Float64Array;
  readonly #next: Int32Array;
  readonly #rewards: Float64Array;
  readonly #ended: Uint8Array;
  readonly #places: Int32Array;
  #mdp: FiniteMdp | null = null;

  /** @param size the number of environments. */
  constructor(world: TabularWorld, size: number) {
    const { id, states, actions, maxEpisodeSteps } = world;
    super({ id, size, observationSpace: oneHotSpace(states), actions, maxEpisodeSteps }, (length) => {
      return new Float32Array(length);
    });
    this.#world = world;
    const rows = Array.from({ length: states * actions }, (_, row) =>
      world.outcomes(Math.floor(row / actions), row % actions),
    );
    const all = rows.flat();
    this.#first = new Int32Array(rows.length + 1);
    rows.forEach((row, k) => {
      this.#first[k + 1] = this.#first[k] + row.length;
    });
    this.#cumulative = Float64Array.from(
      rows.flatMap((row) => {
        let sum = 0;
        return row.map(({ probability }) => {
          sum += probability;
          return sum;
        });
      }),
    );
    this.#next = Int32Array.from(all, ({ next }) => next);
    this.#rewards = Float64Array.from(all, ({ reward }) => reward);
    this.#ended = Uint8Array.from(all, ({ ended }) => (ended ? 1 : 0));
    this.#places = new Int32Array(size);
  }

  /**
   * The exact process, computed on first use. States are numbered as in the observation; a state in which a step can
   * end the episode is terminal. It is exact for every state that an episode can reach.
   */
  get mdp(): FiniteMdp {
    this.#mdp ??= finiteMdpOf(this.#world);
    return this.#mdp;
  }

  /** Starts a new episode of environment i in the given state. */
  setState(i: number, state: number): void {
    this.requirePlace("setState", i);
    this.#requireState(`${this.id} setState`, state);
    this.begin(i);
    this.#move(i, state);
  }

  paint(observation: Observations): Picture {
    return this.#world.paint(observation.indexOf(1));
  }

  protected advance(actions: Int32Array): void {
    const { n } = this.actionSpace;
    const cumulative = this.#cumulative;
    for (let i = 0; i < actions.length; i++) {
      const row = this.#places[i] * n + actions[i];
      const last = this.#first[row + 1] - 1;
      const draw = this.random(i).float();
      let outcome = this.#first[row];
      while (outcome < last && cumulative[outcome] <= draw) outcome++;
      this.#move(i, this.#next[outcome]);
      this.settle(i, this.#rewards[outcome], this.#ended[outcome] === 1);
    }
  }

  protected start(i: number): void {
    const { initial } = this.#world;
    let left = this.random(i).float();
    let state = initial.length - 1;
    for (let s = 0; s < initial.length; s++) {
      left -= initial[s];
      if (left >= 0 || initial[s] === 0) continue;
      state = s;
      break;
    }
    this.#move(i, state);
  }

  protected saveStates(): Snapshot {
    return { places: this.#places.slice() };
  }

  protected restoreStates(where: string, snapshot: Snapshot): void {
    const places = snapshotArray(where, snapshot, "places", "int32", this.size);
    for (const place of places) this.#requireState(where, place);
    for (let i = 0; i < this.size; i++) this.#move(i, places[i]);
  }

  #move(i: number, state: number): void {
    this.observations[i * this.width + this.#places[i]] = 0;
    this.observations[i * this.width + state] = 1;
    this.#places[i] = state;
  }

  #requireState(where: string, state: number): void {
    if (!(Number.isInteger(state) && state >= 0 && state < this.width)) {
      fail(where, "no such state", {
        expected: `an integer in [0, ${this.width - 1}]`,
        got: String(state),
      });
    }
  }
}

function finiteMdpOf(world: TabularWorld): FiniteMdp {
  const { id, states, actions } = world;
  const transitions = new Float64Array(states * actions * states);
  const rewards = new Float64Array(states * actions);
  const terminal = new Uint8Array(states);
  for (let row = 0; row < states * actions; row++) {
    for (const outcome of world.outcomes(Math.floor(row / actions), row % actions)) {
      transitions[row * states + outcome.next] += outcome.probability;
      rewards[row] += outcome.probability * outcome.reward;
      if (outcome.ended) terminal[outcome.next] = 1;
    }
  }
  for (let row = 0; row < states * actions; row++) {
    const state = Math.floor(row / actions);
    if (terminal[state] === 0) continue;
    transitions.fill(0, row * states, (row + 1) * states);
    transitions[row * states + state] = 1;
    rewards[row] = 0;
  }
  const mdp = { states, actions, transitions, rewards, terminal, initial: Float64Array.from(world.initial) };
  validateFiniteMdp(mdp, id);
  return mdp;
}
