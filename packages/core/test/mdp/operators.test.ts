import {
  boltzmannPolicies,
  logPrior,
  logProbabilities,
  optimalityBackup,
  policyAverage,
  policyBackup,
  policyBackupOfQ,
  policyValues,
  type QValues,
  qOfSuccessors,
  qValues,
  RandomStreams,
  type SoftMdp,
  softValues,
  stateDivergences,
  stateValues,
} from "softrl";
import { describe, expect, it } from "vitest";
import { randomMdp, randomPolicy } from "../../src/theory/cases.js";

const half = Math.log(0.5);

/**
 * In state 0, action 0 stays with reward 1 and action 1 ends the episode with reward 2; state 1 is terminal.
 */
const twoStates: SoftMdp = {
  mdp: {
    states: 2,
    actions: 2,
    transitions: Float64Array.of(1, 0, 0, 1, 0, 1, 0, 1),
    rewards: Float64Array.of(1, 2, 0, 0),
    terminal: Uint8Array.of(0, 1),
    initial: Float64Array.of(1, 0),
  },
  logPrior: logPrior(new Float64Array(4)),
  tau: 0.5,
  gamma: 0.8,
};
const uniformPolicy = logProbabilities(new Float64Array(4).fill(half));

function expectClose(found: ArrayLike<number>, expected: ArrayLike<number>): void {
  expect(found.length).toBe(expected.length);
  for (let i = 0; i < expected.length; i++) expect(found[i]).toBeCloseTo(expected[i], 12);
}

describe("operators on an MDP calculated by hand", () => {
  const v = stateValues(Float64Array.of(3, 100));
  const entropy = Math.LN2;

  it("qOfSuccessors adds nothing for terminal states (25)", () => {
    expectClose(qOfSuccessors(twoStates, v), [1 + 0.8 * 3, 2, 0, 0]);
  });

  it("stateDivergences are −entropy under the counting measure, and 0 at the end", () => {
    expectClose(stateDivergences(twoStates, uniformPolicy), [-entropy, 0]);
  });

  it("policyBackup is E_π[r + γV] − τ KL (§3.3)", () => {
    expectClose(policyBackup(twoStates, uniformPolicy, v), [0.5 * 3.4 + 0.5 * 2 + 0.5 * entropy, 0]);
  });

  it("policyBackupOfQ has the KL of the next state, not of this one (§3.3)", () => {
    const q = qValues(Float64Array.of(4, 6, 50, 50));
    expectClose(policyBackupOfQ(twoStates, uniformPolicy, q), [1 + 0.8 * (5 + 0.5 * entropy), 2, 0, 0]);
    expectClose(policyAverage(twoStates, uniformPolicy, q), [5 + 0.5 * entropy, 0]);
  });

  it("softValues and optimalityBackup are soft maxima (§3.3)", () => {
    const q = qValues(Float64Array.of(4, 6, 50, 50));
    const soft = 0.5 * Math.log(Math.exp(8) + Math.exp(12));
    expectClose(softValues(twoStates, q), [soft, 0]);
    expectClose(optimalityBackup(twoStates, q), [1 + 0.8 * soft, 2, 0, 0]);
  });

  it("policyValues solve V = T_π V (24)", () => {
    // V = (1 + 2)/2 + τ H + γ V/2.
    expectClose(policyValues(twoStates, uniformPolicy), [(1.5 + 0.5 * entropy) / 0.6, 0]);
  });

  it("refuses a log π̄ of the wrong size", () => {
    const wrong = { ...twoStates, logPrior: logPrior(new Float64Array(2)) };
    expect(() => policyValues(wrong, uniformPolicy)).toThrow(
      /logPrior has the wrong length, expected 4, got 2/,
    );
  });
});

describe("soft policy iteration", () => {
  it("boltzmannPolicies of the fixed point of T is better than any other policy", () => {
    const random = new RandomStreams(8).stream("operators");
    const mdp = randomMdp(random);
    const problem: SoftMdp = {
      mdp,
      logPrior: logPrior(new Float64Array(8).fill(half)),
      tau: 0.2,
      gamma: 0.9,
    };
    let q: QValues = qValues(new Float64Array(8));
    for (let i = 0; i < 400; i++) q = optimalityBackup(problem, q);
    const best = policyValues(problem, boltzmannPolicies(problem, q));
    expectClose(best, softValues(problem, q));
    for (let i = 0; i < 20; i++) {
      const other = policyValues(problem, randomPolicy(random, 2, 4));
      for (let s = 0; s < 3; s++) expect(best[s]).toBeGreaterThan(other[s]);
    }
  });
});
