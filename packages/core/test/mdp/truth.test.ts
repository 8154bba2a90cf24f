import {
  denseMdp,
  finiteMdp,
  garnet,
  logPrior,
  logProbabilities,
  occupancy,
  policyValues,
  RandomStreams,
  reachableStates,
  type SoftMdp,
  softPolicyIteration,
  stateValues,
  truthOf,
} from "softrl";
import { describe, expect, it } from "vitest";
import { randomPolicy } from "../../src/theory/cases.js";

const random = new RandomStreams(11).stream("truth");

function randomProblem(): SoftMdp {
  const mdp = garnet({ states: 9, actions: 3, branching: 3, terminal: 0.2 }, random);
  const prior = logPrior(Float64Array.from({ length: 27 }, () => random.uniform(-1, 1)));
  return { mdp, logPrior: prior, tau: random.uniform(0.05, 1), gamma: random.uniform(0.5, 0.95) };
}

/** One state and two actions with rewards 1 and 0; every episode has one step. */
const bandit: SoftMdp = {
  mdp: finiteMdp({
    transitions: [
      [
        [0, 1],
        [0, 1],
      ],
      [
        [0, 1],
        [0, 1],
      ],
    ],
    rewards: [
      [1, 0],
      [0, 0],
    ],
    terminal: [false, true],
  }),
  logPrior: logPrior(new Float64Array(4)),
  tau: 0.5,
  gamma: 0.9,
};

describe("truthOf", () => {
  it("matches a calculation by hand on a bandit", () => {
    const logPi = logProbabilities(Float64Array.from([0.25, 0.75, 0.5, 0.5], Math.log));
    const optimum = softPolicyIteration(bandit);
    const v = stateValues(Float64Array.of(2, 99));
    const { figures } = truthOf({ problem: bandit, logPi, v }, optimum, Uint8Array.of(1, 1));
    const own = 0.25 - 0.5 * (0.25 * Math.log(0.25) + 0.75 * Math.log(0.75));
    const best = 0.5 * Math.log(Math.exp(2) + 1);
    const toQ = [2 + 0.5 * Math.log(0.25) - 1, 2 + 0.5 * Math.log(0.75)].map(Math.abs);
    const near = (x: number) => expect.closeTo(x, 12);
    const onAverage = 0.25 * toQ[0] + 0.75 * toQ[1];
    const variation = Math.exp(2) / (Math.exp(2) + 1) - 0.25;
    expect(figures).toEqual({
      softReturn: near(own),
      optimalReturn: near(best),
      regret: near(best - own),
      valueError: near(2 - own),
      valueErrorVisited: near(2 - own),
      qError: near(Math.max(...toQ)),
      qErrorVisited: near(onAverage),
      optimalValueError: near(2 - best),
      optimalValueErrorVisited: near(2 - best),
      optimalQError: near(Math.max(...toQ)),
      optimalQErrorVisited: near(onAverage),
      policyError: near(variation),
      policyErrorVisited: near(variation),
    });
  });

  it("ignores actions that π̄ forbids in the errors of Q, and counts actions that only π excludes", () => {
    const problem = { ...bandit, logPrior: logPrior(Float64Array.of(0, Number.NEGATIVE_INFINITY, 0, 0)) };
    const logPi = logProbabilities(Float64Array.of(0, Number.NEGATIVE_INFINITY, -Math.LN2, -Math.LN2));
    const all = Uint8Array.of(1, 1);
    const optimum = softPolicyIteration(problem);
    const at = (v: number) => ({ problem, logPi, v: stateValues(Float64Array.of(v, 0)) });
    const right = truthOf(at(1), optimum, all).figures;
    for (const error of [right.regret, right.qError, right.qErrorVisited, right.optimalQError]) {
      expect(error).toBeCloseTo(0, 12);
    }
    expect(truthOf(at(3), optimum, all).figures.qErrorVisited).toBeCloseTo(2, 12);
    // If π gives zero probability to an action that π̄ allows, Q_θ is −∞ there and has no weight in the
    // average.
    const lost = truthOf({ ...at(1), problem: bandit }, softPolicyIteration(bandit), all).figures;
    expect(lost.qError).toBe(Number.POSITIVE_INFINITY);
    expect(lost.qErrorVisited).toBeCloseTo(0, 12);
  });

  it("finds no error in the optimum itself", () => {
    for (let i = 0; i < 50; i++) {
      const problem = randomProblem();
      const optimum = softPolicyIteration(problem, { tolerance: 1e-12 });
      const { logPi, v } = optimum;
      const { figures } = truthOf({ problem, logPi, v }, optimum, reachableStates(problem.mdp));
      const { softReturn, optimalReturn, ...errors } = figures;
      expect(softReturn).toBeCloseTo(optimalReturn, 10);
      for (const [name, error] of Object.entries(errors)) expect(Math.abs(error), name).toBeLessThan(1e-10);
    }
  });

  it("regret is τ Σ d KL[π‖π*] with d the discounted visits of π", () => {
    for (let i = 0; i < 50; i++) {
      const problem = randomProblem();
      const optimum = softPolicyIteration(problem, { tolerance: 1e-12 });
      const logPi = randomPolicy(random, 3, 9);
      const v = policyValues(problem, logPi);
      const { figures, visits } = truthOf({ problem, logPi, v }, optimum, reachableStates(problem.mdp));
      const d = occupancy(problem, logPi);
      let regret = 0;
      logPi.forEach((logP, row) => {
        const s = Math.floor(row / 3);
        if (!problem.mdp.terminal[s]) {
          regret += problem.tau * d[s] * Math.exp(logP) * (logP - optimum.logPi[row]);
        }
      });
      expect(figures.regret).toBeGreaterThan(0);
      expect(Math.abs(figures.regret / regret - 1)).toBeLessThan(1e-9);
      expect(figures.valueError).toBeLessThan(1e-12);
      expect(visits.reduce((sum, x) => sum + x, 0)).toBeCloseTo(1, 12);
    }
  });

  it("softReturn is the sum of what the policy earns step by step from the start", () => {
    const problem = randomProblem();
    const { mdp, gamma, tau } = problem;
    const { transitions, rewards, terminal, initial } = denseMdp(mdp);
    const logPi = randomPolicy(random, 3, 9);
    let at = Float64Array.from(initial);
    let [earned, discount] = [0, 1];
    for (let t = 0; t < 1000; t++) {
      const next = new Float64Array(9);
      for (let s = 0; s < 9; s++) {
        if (terminal[s]) continue;
        for (let a = 0; a < 3; a++) {
          const row = s * 3 + a;
          const p = at[s] * Math.exp(logPi[row]);
          earned += discount * p * (rewards[row] - tau * (logPi[row] - problem.logPrior[row]));
          for (let to = 0; to < 9; to++) next[to] += p * transitions[row * 9 + to];
        }
      }
      at = next;
      discount *= gamma;
    }
    const v = stateValues(new Float64Array(9));
    const { figures } = truthOf(
      { problem, logPi, v },
      softPolicyIteration(problem),
      new Uint8Array(9).fill(1),
    );
    expect(figures.softReturn).toBeCloseTo(earned, 10);
  });

  it("reports a constant shift of the values as such, and ignores states that no episode reaches", () => {
    const problem = randomProblem();
    const optimum = softPolicyIteration(problem, { tolerance: 1e-12 });
    const reachable = reachableStates(problem.mdp);
    const logPi = randomPolicy(random, 3, 9);
    const v = policyValues(problem, logPi).map((x) => x + 0.3);
    const withOneAway = reachable.slice();
    withOneAway[1] = 0;
    v[1] += 1000;
    const { figures } = truthOf({ problem, logPi, v: stateValues(v) }, optimum, withOneAway);
    expect(figures.valueError).toBeCloseTo(0.3, 12);
    const all = truthOf({ problem, logPi, v: stateValues(v) }, optimum, new Uint8Array(9).fill(1));
    expect(all.figures.valueError).toBeCloseTo(1000.3, 9);
  });

  it("compares V of the naive bonus with V_π without KL", () => {
    const problem = randomProblem();
    const logPi = randomPolicy(random, 3, 9);
    const v = policyValues({ ...problem, tau: 0 }, logPi);
    const optimum = softPolicyIteration(problem);
    const reachable = reachableStates(problem.mdp);
    const estimate = { problem, logPi, v };
    expect(truthOf({ ...estimate, tauOfValues: 0 }, optimum, reachable).figures.valueError).toBeLessThan(
      1e-12,
    );
    expect(truthOf(estimate, optimum, reachable).figures.valueError).toBeGreaterThan(1e-3);
  });

  it("gives NaN if an estimate contains NaN, and refuses a wrong size", () => {
    const logPi = randomPolicy(random, 2, 2);
    const optimum = softPolicyIteration(bandit);
    const v = stateValues(Float64Array.of(Number.NaN, 0));
    const { figures } = truthOf({ problem: bandit, logPi, v }, optimum, Uint8Array.of(1, 1));
    expect(figures.valueError).toBeNaN();
    const short = { problem: bandit, logPi, v: stateValues(new Float64Array(1)) };
    expect(() => truthOf(short, optimum, Uint8Array.of(1, 1))).toThrow(/truthOf: v has the wrong length/);
  });
});

describe("reachableStates", () => {
  it("follows every action from the start, and stops where episodes end", () => {
    const to = (...next: number[]) => next.map((n) => [0, 1, 2, 3, 4].map((s) => (s === n ? 1 : 0)));
    const mdp = finiteMdp({
      transitions: [to(0, 1), to(2, 2), to(3, 3), to(3, 3), to(0, 0)],
      rewards: [0, 1, 2, 3, 4].map(() => [0, 0]),
      terminal: [false, false, true, false, false],
    });
    expect([...reachableStates(mdp)]).toEqual([1, 1, 1, 0, 0]);
    const sparse = garnet({ states: 20, actions: 1, branching: 1 }, random);
    expect(reachableStates(sparse)).toEqual(reachableStates(denseMdp(sparse)));
    expect(reachableStates(sparse)).toContain(0);
  });
});
