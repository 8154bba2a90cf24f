import {
  chain,
  denseMdp,
  evaluatePolicy,
  type FiniteMdp,
  frozenLake,
  GridWorld,
  garnet,
  greedyPolicies,
  iteratePolicyEvaluation,
  lambdaBackup,
  lambdaBackupOfQ,
  logPrior,
  logProbabilities,
  nStepBackup,
  nStepBackupOfQ,
  optimalityBackup,
  optimalityBackupOfV,
  policyQ,
  policyValues,
  qValues,
  type Random,
  RandomStreams,
  riverSwim,
  type SoftMdp,
  SoftrlError,
  type SparseMdp,
  softPolicyIteration,
  softValueIteration,
  stateValues,
} from "softrl";
import { describe, expect, it } from "vitest";
import { AndersonExtrapolation } from "../../src/mdp/anderson.js";
import { randomPolicy } from "../../src/theory/cases.js";

const distance = (x: Float64Array, y: Float64Array) =>
  x.reduce((high, xi, i) => Math.max(high, Math.abs(xi - y[i])), 0);

function randomProblem(random: Random): SoftMdp {
  const states = 2 + random.integer(8);
  const actions = 1 + random.integer(4);
  const branching = 1 + random.integer(states);
  const mdp = garnet({ states, actions, branching, terminal: random.integer(2) / states }, random);
  return {
    mdp: random.integer(2) === 0 ? mdp : denseMdp(mdp),
    logPrior: logPrior(Float64Array.from({ length: states * actions }, () => random.uniform(-2, 1))),
    tau: [0, 1e-4, 0.1, 1, 5][random.integer(5)],
    gamma: random.uniform(0, 0.95),
  };
}

describe("solvers on 1,000 random MDPs", () => {
  it("stay within their certified bounds and agree to 1e-10", () => {
    const random = new RandomStreams(1).stream("solvers");
    let tightest = 0;
    for (let i = 0; i < 1000; i++) {
      const problem = randomProblem(random);
      const truth = softPolicyIteration(problem, { tolerance: 1e-10 });
      const jacobi = softValueIteration(problem, { tolerance: 1e-11 });
      const inPlace = softValueIteration(problem, { tolerance: 1e-11, order: "gauss-seidel" });
      const accelerated = (["jacobi", "gauss-seidel"] as const).map((order) =>
        softValueIteration(problem, { tolerance: 1e-11, order, acceleration: "anderson" }),
      );
      const rough = softValueIteration(problem, { tolerance: 0.1 });
      const scale = 1 + Math.max(...truth.v.map(Math.abs));
      expect(distance(jacobi.v, truth.v)).toBeLessThan(1e-10 * scale);
      expect(distance(inPlace.v, truth.v)).toBeLessThan(1e-10 * scale);
      expect(rough.bound).toBeLessThanOrEqual(0.1 + 1e-10);
      const error = distance(rough.v, truth.v);
      expect(error).toBeLessThanOrEqual(rough.bound + truth.bound);
      tightest = Math.max(tightest, error / rough.bound);
      for (const { v } of accelerated) expect(distance(v, truth.v)).toBeLessThan(1e-10 * scale);
      for (const { v, bound } of [jacobi, inPlace, truth, ...accelerated]) {
        // The fixed point itself is only known to within `truth.bound`.
        expect(distance(v, truth.v)).toBeLessThanOrEqual(bound + truth.bound);
      }
    }
    // A bound of ten times the error would also hold; this one is nearly tight.
    expect(tightest).toBeGreaterThan(0.9);
  });

  it("apply operators that contract: T by γ, T_π^n by γⁿ", () => {
    const random = new RandomStreams(2).stream("contraction");
    let largest = 0;
    for (let i = 0; i < 1000; i++) {
      const problem = randomProblem(random);
      const { mdp, gamma } = problem;
      const draws = (length: number) => Float64Array.from({ length }, () => random.uniform(-3, 3));
      const size = mdp.states * mdp.actions;
      const [p, q] = [qValues(draws(size)), qValues(draws(size))];
      const [u, v] = [stateValues(draws(mdp.states)), stateValues(draws(mdp.states))];
      const slack = 1 + 1e-12;
      const ratio = distance(optimalityBackup(problem, p), optimalityBackup(problem, q)) / distance(p, q);
      expect(ratio).toBeLessThanOrEqual(gamma * slack + 1e-14);
      largest = Math.max(largest, ratio / gamma);
      expect(distance(optimalityBackupOfV(problem, u), optimalityBackupOfV(problem, v))).toBeLessThanOrEqual(
        gamma * distance(u, v) * slack + 1e-14,
      );
      const logPi = randomPolicy(random, mdp.actions, mdp.states);
      for (const n of [1, 2, 5]) {
        const rate = gamma ** n * slack;
        expect(
          distance(nStepBackup(problem, logPi, u, n), nStepBackup(problem, logPi, v, n)),
        ).toBeLessThanOrEqual(rate * distance(u, v) + 1e-14);
        expect(
          distance(nStepBackupOfQ(problem, logPi, p, n), nStepBackupOfQ(problem, logPi, q, n)),
        ).toBeLessThanOrEqual(rate * distance(p, q) + 1e-14);
      }
    }
    expect(largest).toBeGreaterThan(0.5);
  });

  it("evaluate policies within their bounds", () => {
    const random = new RandomStreams(3).stream("evaluation");
    for (let i = 0; i < 200; i++) {
      const problem = randomProblem(random);
      const logPi = randomPolicy(random, problem.mdp.actions, problem.mdp.states);
      const exact = evaluatePolicy(problem, logPi);
      const swept = iteratePolicyEvaluation(problem, logPi, { tolerance: 1e-6 });
      expect(distance(exact.v, swept.v)).toBeLessThanOrEqual(exact.bound + swept.bound);
      expect(exact.bound).toBeLessThan(1e-9 * (1 + Math.max(...exact.v.map(Math.abs))));
    }
  });
});

describe("acceleration", () => {
  const random = new RandomStreams(5).stream("acceleration");
  const problems: readonly (readonly [name: string, mdp: SoftMdp["mdp"], gain: number])[] = [
    ["a Garnet without terminal states", garnet({ states: 300, actions: 4, branching: 5 }, random), 100],
    [
      "a Garnet with terminal states",
      garnet({ states: 300, actions: 4, branching: 5, terminal: 0.02 }, random),
      100,
    ],
    ["a large Garnet, in WebAssembly", garnet({ states: 1500, actions: 3, branching: 5 }, random), 100],
    ["FrozenLake8x8-v1", frozenLake("8x8", 1).mdp, 5],
    ["a river of 50 states, on which extrapolations fail", riverSwim(50), 5],
  ];

  it.each(problems)("needs fewer sweeps on %s in both orders, and gives the same V", (_, mdp, gain) => {
    for (const tau of [0, 0.1]) {
      const prior = logPrior(new Float64Array(mdp.states * mdp.actions).fill(-Math.log(mdp.actions)));
      const problem = { mdp, logPrior: prior, tau, gamma: 0.999 };
      const plain = softValueIteration(problem, { tolerance: 1e-7, order: "gauss-seidel" });
      for (const order of ["jacobi", "gauss-seidel"] as const) {
        const fast = softValueIteration(problem, { tolerance: 1e-7, order, acceleration: "anderson" });
        expect(distance(fast.v, plain.v)).toBeLessThanOrEqual(fast.bound + plain.bound);
        expect(fast.bound).toBeLessThan(1e-6);
        if (order === "gauss-seidel") expect(fast.iterations * gain).toBeLessThan(plain.iterations);
      }
    }
  });

  it("reduces the change by γ at least every twelve sweeps, even if no operator gives such images", () => {
    // An adversary: every extrapolated V gets a change of 5, and only the best image gets γ times the
    // smallest change.
    const v = Float64Array.of(0, 0);
    const anderson = new AndersonExtrapolation(v, 0.99);
    let [least, sinceLeast, longest] = [1, 0, 0];
    let image = Float64Array.of(1, 0);
    for (let t = 0; t < 500; t++) {
      const fromBest = v.every((x, s) => x === image[s]);
      const change = t === 0 ? least : fromBest ? 0.99 * least : 5 * least;
      v.set([Math.sin(t * 1.7), Math.cos(t * 2.3)]);
      if (t === 0 || fromBest) {
        least = change;
        longest = Math.max(longest, sinceLeast);
        sinceLeast = 0;
        image = v.slice();
      } else sinceLeast++;
      anderson.extrapolate(v, change);
    }
    expect(longest).toBeGreaterThan(1);
    expect(longest).toBeLessThanOrEqual(11);
    expect(least).toBeLessThan(0.99 ** 35);
  });

  it("reduces the change by γ at least every twelve sweeps, even if extrapolations hardly improve", () => {
    const v = Float64Array.of(0, 0);
    const anderson = new AndersonExtrapolation(v, 0.99);
    let least = 1;
    let image = Float64Array.of(1, 0);
    for (let t = 0; t < 480; t++) {
      const fromBest = t > 0 && v.every((x, s) => x === image[s]);
      if (t > 0) least *= fromBest ? 0.99 : 1 - 1e-9;
      v.set([Math.sin(t * 1.7), Math.cos(t * 2.3)]);
      image = v.slice();
      anderson.extrapolate(v, least);
    }
    expect(least).toBeLessThan(0.99 ** 39);
  });

  it("keeps terminal states at zero, and stays at a fixed point", () => {
    const mdp = garnet({ states: 20, actions: 2, branching: 3, terminal: 0.3 }, random);
    const problem = { mdp, logPrior: logPrior(new Float64Array(40)), tau: 0.2, gamma: 0.9 };
    const { v } = softValueIteration(problem, { acceleration: "anderson" });
    mdp.terminal.forEach((ends, s) => {
      if (ends) expect(v[s]).toBe(0);
    });
    const again = softValueIteration(problem, { acceleration: "anderson", start: v });
    expect(again.iterations).toBeLessThanOrEqual(2);
    expect(distance(again.v, v)).toBeLessThan(1e-9);
  });
});

describe("certified bounds in extreme cases", () => {
  // A row may sum to 1 + 1e-9, and then T contracts by slightly more than γ.
  const p = 1 + 9e-10;
  const mdp: FiniteMdp = {
    states: 1,
    actions: 1,
    transitions: Float64Array.of(p),
    rewards: Float64Array.of(1),
    terminal: new Uint8Array(1),
    initial: Float64Array.of(1),
  };
  const problem: SoftMdp = { mdp, logPrior: logPrior(new Float64Array(1)), tau: 0, gamma: 0.9999 };
  const truth = 1 / (1 - problem.gamma * p);

  it("hold if rows sum to slightly more than one", () => {
    const start = stateValues(Float64Array.of(truth - 100));
    const optimal = softValueIteration(problem, { tolerance: 200, start });
    expect(optimal.iterations).toBe(1);
    expect(truth - optimal.v[0]).toBeLessThanOrEqual(optimal.bound);
    const own = iteratePolicyEvaluation(problem, logProbabilities(new Float64Array(1)), { tolerance: 9990 });
    expect(truth - own.v[0]).toBeGreaterThan(9000);
    expect(truth - own.v[0]).toBeLessThanOrEqual(own.bound);
  });

  it("are refused at once if values overflow float64", () => {
    const huge = { ...problem, mdp: { ...mdp, rewards: Float64Array.of(1e308) } };
    const refused = /values are too large for float64/;
    expect(() => softValueIteration(huge)).toThrow(refused);
    expect(() => softPolicyIteration(huge)).toThrow(refused);
    const logPi = logProbabilities(new Float64Array(1));
    expect(() => iteratePolicyEvaluation(huge, logPi)).toThrow(refused);
    expect(() => evaluatePolicy(huge, logPi)).toThrow(refused);
    expect(() => softValueIteration(problem, { start: stateValues(Float64Array.of(Number.NaN)) })).toThrow(
      refused,
    );
  });

  it("are infinite if backups do not contract although γ is below 1", () => {
    const near = { ...problem, gamma: 1 - 1e-10 };
    expect(softValueIteration(near, { tolerance: 2 }).bound).toBe(Number.POSITIVE_INFINITY);
  });

  it("count the roundings of the longest row, not of an average row", () => {
    const bounds = [1, 500].map((length) => {
      // 500 states; all rows except the first have one successor.
      const states = 500;
      const rowStarts = Int32Array.from({ length: states + 1 }, (_, row) =>
        row === 0 ? 0 : row - 1 + length,
      );
      const successors = Int32Array.from({ length: states - 1 + length }, (_, k) => (k < length ? k : 0));
      const probabilities = Float64Array.from(successors, (_, k) => (k < length ? 1 / length : 1));
      const sparse: SparseMdp = {
        states,
        actions: 1,
        rowStarts,
        successors,
        probabilities,
        rewards: new Float64Array(states).fill(1),
        terminal: new Uint8Array(states),
        initial: Float64Array.from({ length: states }, (_, s) => (s === 0 ? 1 : 0)),
      };
      const start = stateValues(new Float64Array(states).fill(10));
      const prior = logPrior(new Float64Array(states));
      return softValueIteration({ mdp: sparse, logPrior: prior, tau: 0, gamma: 0.9 }, { start }).bound;
    });
    expect(bounds[1]).toBeGreaterThan(30 * bounds[0]);
  });

  it("are valid or infinite if the end is too unlikely for float64", () => {
    const random = new RandomStreams(6).stream("edge");
    let infinite = 0;
    for (let i = 0; i < 50; i++) {
      // Rows over three states whose sum is below one by 1 to 8 units in the last place.
      const missing = 1 + random.integer(8);
      const transitions = new Float64Array(16);
      for (let s = 0; s < 3; s++) {
        const part = () => random.integer(2 ** 25) * 2 ** 26 + random.integer(2 ** 26);
        const parts = [part(), part()];
        const rest = 2 ** 53 - missing - parts[0] - parts[1];
        transitions.set(
          [...parts, rest, missing].map((x) => x / 2 ** 53),
          4 * s,
        );
      }
      transitions[15] = 1;
      const leaky: SoftMdp = {
        mdp: {
          states: 4,
          actions: 1,
          transitions,
          rewards: Float64Array.of(1, 1, 1, 0),
          terminal: Uint8Array.of(0, 0, 0, 1),
          initial: Float64Array.of(1, 0, 0, 0),
        },
        logPrior: logPrior(new Float64Array(4)),
        tau: 0,
        gamma: 1,
      };
      // Every step ends the episode with the same probability, so V is exactly its inverse.
      const exact = 2 ** 53 / missing;
      let found: ReturnType<typeof evaluatePolicy>;
      try {
        found = evaluatePolicy(leaky, logProbabilities(new Float64Array(4)));
      } catch (error) {
        if (!(error instanceof SoftrlError)) throw error;
        continue;
      }
      for (let s = 0; s < 3; s++) expect(Math.abs(found.v[s] - exact)).toBeLessThanOrEqual(found.bound);
      if (found.bound === Number.POSITIVE_INFINITY) infinite++;
    }
    expect(infinite).toBeGreaterThan(0);
  });
});

describe("the hard limit", () => {
  it("is reached as τ → 0, without overflow", () => {
    const mdp = riverSwim();
    const prior = logPrior(new Float64Array(12));
    const hard = softValueIteration({ mdp, logPrior: prior, tau: 0, gamma: 0.95 });
    let last = Number.POSITIVE_INFINITY;
    for (const tau of [1, 1e-2, 1e-4, 1e-8, 1e-50, 1e-300, Number.MIN_VALUE]) {
      const soft = softValueIteration({ mdp, logPrior: prior, tau, gamma: 0.95 });
      for (const x of [...soft.v, ...soft.q]) expect(Number.isFinite(x)).toBe(true);
      const gap = distance(soft.v, hard.v);
      // 0 ≤ V_τ − V_0 ≤ τ log A / (1 − γ).
      expect(gap).toBeLessThanOrEqual((tau * Math.log(2)) / 0.05 + 2e-10);
      expect(gap).toBeLessThanOrEqual(last + 2e-10);
      last = gap;
    }
  });

  it("greedyPolicies splits ties in proportion to π̄, within its support", () => {
    const problem: SoftMdp = {
      mdp: chain({ length: 2 }),
      logPrior: logPrior(Float64Array.from([0.25, 0.75, 0, 1], Math.log)),
      tau: 0,
      gamma: 0.9,
    };
    const logPi = greedyPolicies(problem, qValues(Float64Array.of(3, 3, 9, 1)));
    expect([...logPi].map(Math.exp)).toEqual([0.25, 0.75, 0, 1].map((x) => expect.closeTo(x, 12)));
  });
});

describe("λ forms", () => {
  it("are one backup at λ = 0 and the values of the policy at λ = 1", () => {
    const random = new RandomStreams(4).stream("lambda");
    const problem = { ...randomProblem(random), tau: 0.3, gamma: 0.8 };
    const { states, actions, terminal } = problem.mdp;
    const logPi = randomPolicy(random, actions, states);
    const v = stateValues(
      Float64Array.from({ length: states }, (_, s) => (terminal[s] ? 0 : random.uniform(-1, 1))),
    );
    const q = qValues(Float64Array.from({ length: states * actions }, () => random.uniform(-1, 1)));
    const near = (x: Float64Array, y: Float64Array) => expect(distance(x, y)).toBeLessThan(1e-12);
    near(lambdaBackup(problem, logPi, v, 0), nStepBackup(problem, logPi, v, 1));
    near(lambdaBackup(problem, logPi, v, 1), policyValues(problem, logPi));
    near(lambdaBackupOfQ(problem, logPi, q, 0), nStepBackupOfQ(problem, logPi, q, 1));
    near(lambdaBackupOfQ(problem, logPi, q, 1), policyQ(problem, logPi));
  });
});

describe("without a discount", () => {
  it("solves a maze with terminal states, and gives no certified bound for value iteration", () => {
    const { mdp } = new GridWorld();
    const problem: SoftMdp = {
      mdp,
      logPrior: logPrior(new Float64Array(mdp.states * mdp.actions).fill(-Math.log(4))),
      tau: 0.05,
      gamma: 1,
    };
    const swept = softValueIteration(problem);
    expect(swept.bound).toBe(Number.POSITIVE_INFINITY);
    const exact = evaluatePolicy(problem, swept.logPi);
    expect(exact.bound).toBeLessThan(1e-10);
    expect(distance(exact.v, swept.v)).toBeLessThan(1e-8);
  });

  it("throws if the tolerance cannot be reached", () => {
    const problem: SoftMdp = { mdp: chain(), logPrior: logPrior(new Float64Array(10)), tau: 1, gamma: 0.99 };
    expect(() => softValueIteration(problem, { sweeps: 3 })).toThrow(
      /the tolerance was not reached.*3 sweeps/,
    );
  });
});
