import {
  chain,
  denseMdp,
  finiteMdp,
  GridWorld,
  garnet,
  logPrior,
  mdpOf,
  RandomStreams,
  riverSwim,
  type SparseMdp,
  softValueIteration,
  sparseMdp,
  validateSparseMdp,
} from "softrl";
import { describe, expect, it } from "vitest";

const random = () => new RandomStreams(3).stream("families");

describe("garnet", () => {
  it("has b different successors in each row, and is reproducible from the seed", () => {
    for (const [states, branching] of [
      [7, 7],
      [30, 3],
      [2, 1],
    ]) {
      const mdp = garnet({ states, actions: 3, branching }, random());
      validateSparseMdp(mdp);
      for (let row = 0; row < states * 3; row++) {
        const list = mdp.successors.subarray(mdp.rowStarts[row], mdp.rowStarts[row + 1]);
        expect(new Set(list).size).toBe(branching);
      }
      expect(garnet({ states, actions: 3, branching }, random())).toEqual(mdp);
    }
  });

  it("draws successors uniformly, and marks the given fraction of states as terminal", () => {
    const mdp = garnet({ states: 10, actions: 500, branching: 3, terminal: 0.25 }, random());
    const counts = new Float64Array(10);
    for (const s of mdp.successors) counts[s]++;
    // 15,000 draws: 1,500 per state, within 4 standard deviations of at most 37.
    for (const count of counts) expect(Math.abs(count - 1500)).toBeLessThan(150);
    expect([...mdp.terminal]).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 1, 1]);
  });

  it("refuses more successors than states", () => {
    expect(() => garnet({ states: 3, actions: 1, branching: 4 }, random())).toThrow(
      /branching is out of range, expected at most 3 states, got 4/,
    );
  });
});

describe("chain and river swim", () => {
  it("chain has five states, a reward of 2 for returning and of 10 at the end", () => {
    const mdp = chain();
    expect(mdp.states).toBe(5);
    expect([...mdp.transitions.subarray(0, 5)]).toEqual([0.2, 0.8, 0, 0, 0]);
    expect([...mdp.rewards]).toEqual(
      [0.4, 1.6, 0.4, 1.6, 0.4, 1.6, 0.4, 1.6, 8.4, 3.6].map((x) => expect.closeTo(x, 12)),
    );
    const problem = { mdp, logPrior: logPrior(new Float64Array(10)), tau: 0, gamma: 0.99 };
    const { logPi } = softValueIteration(problem);
    // With this discount, moving forward is optimal in every state.
    for (let s = 0; s < 5; s++) expect(logPi[s * 2]).toBe(0);
  });

  it("river swim rewards swimming against the current", () => {
    const mdp = riverSwim();
    expect([...mdp.transitions.subarray(6, 12)]).toEqual([0.4, 0.6, 0, 0, 0, 0]);
    // State 2, against the current.
    expect([...mdp.transitions.subarray(30, 36)]).toEqual([0, 0.05, 0.6, 0.35, 0, 0]);
    const { logPi } = softValueIteration({
      mdp,
      logPrior: logPrior(new Float64Array(12)),
      tau: 0,
      gamma: 0.99,
    });
    for (let s = 0; s < 6; s++) expect(logPi[s * 2 + 1]).toBe(0);
  });
});

describe("sparseMdp and denseMdp", () => {
  it("are inverses of each other", () => {
    const sparse = garnet({ states: 8, actions: 2, branching: 3 }, random());
    const dense = denseMdp(sparse);
    const again = denseMdp(sparseMdp(dense));
    expect(again).toEqual(dense);
    expect(sparseMdp(dense).successors).toHaveLength(8 * 2 * 3);
  });
});

describe("mdpOf", () => {
  it("returns the process of a tabular environment, and names an environment without one", () => {
    const world = new GridWorld();
    expect(mdpOf(world)).toBe(world.mdp);
    expect(() => mdpOf({})).toThrow(/mdpOf Object: this environment has no exact process/);
  });
});

describe("finiteMdp", () => {
  it("builds a process from nested arrays; defaults to state 0 as the start and no terminal states", () => {
    const mdp = finiteMdp({ transitions: [[[0, 1]], [[1, 0]]], rewards: [[1], [2]] });
    expect([...mdp.terminal]).toEqual([0, 0]);
    expect([...mdp.initial]).toEqual([1, 0]);
    expect([...mdp.rewards]).toEqual([1, 2]);
  });

  it("names the row that does not fit", () => {
    expect(() => finiteMdp({ transitions: [[[0, 1]], [[1]]], rewards: [[1], [2]] })).toThrow(
      /transitions of state 1, action 0 has the wrong length, expected 2, got 1/,
    );
    expect(() => finiteMdp({ transitions: [[[0, 1]], [[1, 0]]], rewards: [[1], [2, 3]] })).toThrow(
      /rewards of state 1 has the wrong length, expected 1, got 2/,
    );
  });
});

describe("validateSparseMdp", () => {
  const mdp = (changes: Partial<SparseMdp>): SparseMdp => ({
    ...garnet({ states: 4, actions: 2, branching: 2 }, random()),
    ...changes,
  });
  const good = mdp({});

  it.each<[Partial<SparseMdp>, RegExp]>([
    [{ rowStarts: good.rowStarts.map((x, i) => (i === 3 ? 4 : x)) }, /state 1, action 0 has no successors/],
    [
      { successors: good.successors.map((x, i) => (i === 5 ? 4 : x)) },
      /state 1, action 0 has a successor out of range/,
    ],
    [
      { probabilities: good.probabilities.map((x, i) => (i === 6 ? x + 1e-6 : x)) },
      /transitions of state 1, action 1 does not sum to one/,
    ],
    [{ rowStarts: good.rowStarts.map((x, i) => (i === 8 ? 15 : x)) }, /rowStarts does not span/],
    [{ rewards: good.rewards.map((x, i) => (i === 7 ? Number.NaN : x)) }, /rewards of state 3, action 1/],
  ])("refuses %o", (changes, message) => {
    validateSparseMdp(good);
    expect(() => validateSparseMdp(mdp(changes))).toThrow(message);
  });
});
