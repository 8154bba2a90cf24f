import { readFileSync } from "node:fs";
import {
  cliffWalking,
  frozenLake,
  logPrior,
  RandomStreams,
  softPolicyIteration,
  softValueIteration,
  type TabularEnvironment,
  taxi,
  validateFiniteMdp,
} from "softrl";
import { describe, expect, it } from "vitest";

/** One of Gymnasium's tables: lists of all outcomes, ordered by state and action. */
interface Table {
  readonly states: number;
  readonly actions: number;
  readonly limit: number | null;
  /** The number of outcomes of each state and action. */
  readonly counts: readonly number[];
  readonly probabilities: readonly number[];
  /** For each outcome, an index into `probabilities`. */
  readonly probability: readonly number[];
  readonly next: readonly number[];
  readonly rewards: readonly number[];
  /** Indices of the outcomes that end the episode. */
  readonly ended: readonly number[];
  readonly starts: readonly number[];
}

/** Written by golden/toy-text.py from Gymnasium 1.3.0. */
const golden: { readonly gymnasium: string; readonly tables: Readonly<Record<string, Table>> } = JSON.parse(
  readFileSync(new URL("golden/toy-text.json", import.meta.url), "utf8"),
);

const worlds: readonly (readonly [string, (size: number) => TabularEnvironment])[] = [
  ["FrozenLake-v1", (size) => frozenLake("4x4", size)],
  ["FrozenLake-v1 dry", (size) => frozenLake("4x4", size, { slippery: false })],
  ["FrozenLake8x8-v1", (size) => frozenLake("8x8", size)],
  ["CliffWalking-v1", (size) => cliffWalking(size)],
  ["CliffWalking-v1 slippery", (size) => cliffWalking(size, { slippery: true })],
  ["Taxi-v4", (size) => taxi(size)],
];

describe.each(worlds)("%s, beside Gymnasium 1.3.0's table", (name, make) => {
  const table = golden.tables[name];
  const { states, actions } = table;
  const outcomes = outcomesOf(table);

  it("is the same process in every reachable state", () => {
    expect(golden.gymnasium).toBe("1.3.0");
    const { mdp } = make(1);
    validateFiniteMdp(mdp);
    expect([mdp.states, mdp.actions]).toEqual([states, actions]);
    const reached = reachable(table);
    expect(reached.size).toBeGreaterThan(states / 2);
    for (const s of reached) {
      const terminal = outcomes.flat().some(({ next, ended }) => ended && next === s);
      expect(mdp.terminal[s]).toBe(terminal ? 1 : 0);
      for (let a = 0; a < actions; a++) {
        const row = s * actions + a;
        const transitions = new Float64Array(states);
        let reward = 0;
        if (terminal) transitions[s] = 1;
        for (const outcome of terminal ? [] : outcomes[row]) {
          transitions[outcome.next] += outcome.probability;
          reward += outcome.probability * outcome.reward;
        }
        expect(mdp.transitions.subarray(row * states, (row + 1) * states)).toEqual(transitions);
        expect(mdp.rewards[row]).toBe(reward);
      }
    }
    expect(Array.from(mdp.initial)).toEqual(
      Array.from({ length: states }, (_, s) => (table.starts.includes(s) ? 1 / table.starts.length : 0)),
    );
  });

  it("steps from every state with the table's outcomes and frequencies", () => {
    const repeats = table.counts.some((count) => count > 1) ? 200 : 1;
    const environment = make(states * actions);
    environment.reset(new RandomStreams(6));
    const chosen = Int32Array.from({ length: states * actions }, (_, row) => row % actions);
    const seen = outcomes.map((row) => row.map(() => 0));
    for (let n = 0; n < repeats; n++) {
      for (let row = 0; row < chosen.length; row++) environment.setState(row, Math.floor(row / actions));
      environment.step(chosen);
      for (let row = 0; row < chosen.length; row++) {
        const { terminated, truncated, rewards } = environment;
        const from = terminated[row] === 1 ? environment.finalObservations : environment.observations;
        const next = from.subarray(row * states, (row + 1) * states).indexOf(1);
        const k = outcomes[row].findIndex(
          (one) => one.next === next && one.reward === rewards[row] && one.ended === (terminated[row] === 1),
        );
        expect(k, `state ${Math.floor(row / actions)}, action ${row % actions}`).toBeGreaterThanOrEqual(0);
        expect(truncated[row]).toBe(0);
        seen[row][k]++;
      }
    }
    // All rows with three different outcomes together: the sum detects a bias that is too small for any one row.
    const distinct = seen.filter(
      (_, at) => outcomes[at].length === 3 && new Set(outcomes[at].map(({ next }) => next)).size === 3,
    );
    const trials = distinct.length * repeats;
    for (const k of [0, 1, 2]) {
      const count = distinct.reduce((sum, row) => sum + row[k], 0);
      expect(Math.abs(count - trials / 3)).toBeLessThanOrEqual(5 * Math.sqrt((trials * 2) / 9));
    }
    outcomes.forEach((row, at) => {
      row.forEach((one, k) => {
        // Equal outcomes are counted under the first of them.
        const equal = row.filter((other) => sameOutcome(other, one));
        if (equal[0] !== one) return;
        const p = Math.min(
          1,
          equal.reduce((sum, other) => sum + other.probability, 0),
        );
        expect(Math.abs(seen[at][k] - repeats * p)).toBeLessThanOrEqual(
          5 * Math.sqrt(repeats * p * (1 - p)) + 1e-6,
        );
      });
    });
  });

  it("has the same start states and time limit", () => {
    const size = 3000;
    const environment = make(size);
    environment.reset(new RandomStreams(8));
    const counts = new Float64Array(states);
    for (let i = 0; i < size; i++) {
      counts[environment.observations.subarray(i * states, (i + 1) * states).indexOf(1)]++;
    }
    const p = 1 / table.starts.length;
    counts.forEach((count, s) => {
      if (!table.starts.includes(s)) expect(count).toBe(0);
      else expect(Math.abs(count - size * p)).toBeLessThanOrEqual(6 * Math.sqrt(size * p * (1 - p)));
    });
    expect(limitOf(make)).toBe(table.limit);
  });
});

describe("a tabular environment", () => {
  it("refuses states that it does not have", () => {
    const environment = frozenLake("4x4", 1);
    expect(() => environment.setState(0, 1)).toThrow(/reset/);
    environment.reset(new RandomStreams(1));
    expect(() => environment.setState(0, 16)).toThrow(
      /no such state, expected an integer in \[0, 15\], got 16/,
    );
    const saved = environment.save();
    expect(() => environment.restore({ ...saved, places: Int32Array.of(-1) })).toThrow(/no such state/);
  });
});

describe("the hard optimum of the start state", () => {
  it.each([
    ["FrozenLake-v1", 0.99, 0.5420259],
    ["FrozenLake-v1 dry", 0.99, 0.99 ** 5],
    ["FrozenLake8x8-v1", 0.99, 0.4146404],
    ["CliffWalking-v1", 1, -13],
    ["Taxi-v4", 1, 7.93],
  ])("of %s at γ = %d is %d, from Gymnasium's table and from the solvers", (name, gamma, known) => {
    const [, make] = worlds.find(([world]) => world === name) ?? worlds[0];
    const { mdp } = make(1);
    const start = (v: Float64Array) => mdp.initial.reduce((sum, p, s) => sum + p * v[s], 0);
    expect(start(optimumOf(golden.tables[name], gamma))).toBeCloseTo(known, 7);
    const prior = logPrior(new Float64Array(mdp.states * mdp.actions));
    const problem = { mdp, logPrior: prior, tau: 0, gamma };
    for (const order of ["jacobi", "gauss-seidel"] as const) {
      expect(start(softValueIteration(problem, { order }).v)).toBeCloseTo(known, 7);
    }
    expect(start(softPolicyIteration(problem).v)).toBeCloseTo(known, 7);
  });
});

/** V* by value iteration on Gymnasium's own outcomes; one that ends the episode contributes only its reward. */
function optimumOf(table: Table, gamma: number): Float64Array {
  const rows = outcomesOf(table);
  const v = new Float64Array(table.states);
  for (let sweep = 0; sweep < 5000; sweep++) {
    let change = 0;
    for (let s = 0; s < table.states; s++) {
      let best = Number.NEGATIVE_INFINITY;
      for (const row of rows.slice(s * table.actions, (s + 1) * table.actions)) {
        let worth = 0;
        for (const { probability, next, reward, ended } of row) {
          worth += probability * (reward + (ended ? 0 : gamma * v[next]));
        }
        best = Math.max(best, worth);
      }
      change = Math.max(change, Math.abs(best - v[s]));
      v[s] = best;
    }
    if (change < 1e-13) return v;
  }
  throw new Error("value iteration did not converge");
}

interface GoldenOutcome {
  readonly probability: number;
  readonly next: number;
  readonly reward: number;
  readonly ended: boolean;
}

const sameOutcome = (a: GoldenOutcome, b: GoldenOutcome): boolean =>
  a.next === b.next && a.reward === b.reward && a.ended === b.ended;

function outcomesOf(table: Table): GoldenOutcome[][] {
  const ended = new Set(table.ended);
  let at = 0;
  return table.counts.map((count) =>
    Array.from({ length: count }, () => {
      const k = at++;
      return {
        probability: table.probabilities[table.probability[k]],
        next: table.next[k],
        reward: table.rewards[k],
        ended: ended.has(k),
      };
    }),
  );
}

/** The states that an episode can reach, including final states. */
function reachable(table: Table): Set<number> {
  const outcomes = outcomesOf(table);
  const reached = new Set(table.starts);
  const open = [...reached];
  for (let s = open.pop(); s !== undefined; s = open.pop()) {
    for (const { next, ended } of outcomes.slice(s * table.actions, (s + 1) * table.actions).flat()) {
      if (reached.has(next)) continue;
      reached.add(next);
      if (!ended) open.push(next);
    }
  }
  return reached;
}

/** The length of the first truncated episode; null if none is truncated within 1000 steps. */
function limitOf(make: (size: number) => TabularEnvironment): number | null {
  // Moves against a wall (up, left or, in a taxi, south): at least one of 64 episodes lasts until the limit.
  const environment = make(64);
  environment.reset(new RandomStreams(1));
  for (let t = 0; t < 1000; t++) {
    environment.step(new Int32Array(64).fill(environment.actionSpace.n === 6 ? 0 : 3));
    const i = environment.truncated.indexOf(1);
    if (i >= 0) return environment.episodeLengths[i];
  }
  return null;
}
