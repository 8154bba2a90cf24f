import {
  type Derivatives,
  dampedSoftQStep,
  evaluatePolicy,
  finiteMdp,
  fisherMatrix,
  GridWorld,
  garnet,
  linearScores,
  logLinearPolicy,
  logPrior,
  logProbabilities,
  naivePolicyGradient,
  naturalGradient,
  naturalGradientByConjugateGradients,
  naturalGradientByLeastSquares,
  occupancy,
  policyAdvantages,
  policyGradient,
  properPolicyGradient,
  RandomStreams,
  regressionTargets,
  type SoftMdp,
  tabularFeatures,
  visitedPolicyGradient,
  visitsOf,
} from "softrl";
import { describe, expect, it } from "vitest";

/** A bandit as an MDP: one state, an episode of one step, rewards 1 and 0. */
const oneStep: SoftMdp = {
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
  logPrior: logPrior(new Float64Array(4).fill(Math.log(0.5))),
  tau: 0,
  gamma: 0.9,
};
const quarter = logProbabilities(Float64Array.from([0.25, 0.75, 0.5, 0.5], Math.log));
/** π is the sigmoid of one parameter: φ is 1 for action 0. */
const oneNumber: Derivatives = { parameters: 1, rows: Float64Array.of(1, 0, 0, 0) };

const random = () => new RandomStreams(9).stream("gradients");

/** A grid world with a random log-linear policy of three features. */
function maze(gamma: number) {
  const { mdp } = new GridWorld();
  const draws = random();
  const rows = Float64Array.from({ length: mdp.states * mdp.actions * 3 }, () => draws.uniform(-1, 1));
  const features: Derivatives = { parameters: 3, rows };
  const prior = logPrior(new Float64Array(mdp.states * mdp.actions).fill(-Math.log(4)));
  const problem: SoftMdp = { mdp, logPrior: prior, tau: 0.1, gamma };
  const theta = Float64Array.of(0.3, -0.2, 0.5);
  return { problem, features, theta, logPi: logLinearPolicy(problem, features, theta) };
}

describe("a bandit calculated by hand", () => {
  const scores = linearScores(oneNumber, quarter, 2);
  const weights = occupancy(oneStep, quarter);
  const visits = visitsOf(oneStep, quarter, weights);
  const advantages = policyAdvantages(oneStep, quarter);

  it("linearScores are φ − E_π φ, and Δ = r − E_π r", () => {
    expect([...scores.rows].slice(0, 2)).toEqual([0.75, -0.25]);
    expect([...advantages]).toEqual([0.75, -0.25, 0, 0]);
    expect([...weights]).toEqual([1, 0]);
    expect([...visits]).toEqual([0.25, 0.75, 0, 0].map((x) => expect.closeTo(x, 15)));
  });

  it("the policy gradient and the Fisher matrix are π(1 − π), so the natural gradient is 1", () => {
    const g = policyGradient({ problem: oneStep, logPi: quarter, scores, weights, advantages });
    expect(g[0]).toBeCloseTo(0.1875, 14);
    expect(fisherMatrix(scores, visits)[0]).toBeCloseTo(0.1875, 14);
    expect(naturalGradient(scores, visits, g)[0]).toBeCloseTo(1, 14);
    expect(naturalGradientByConjugateGradients(scores, visits, g)[0]).toBeCloseTo(1, 14);
    expect(naturalGradient(scores, visits, g, 0.1875)[0]).toBeCloseTo(0.5, 14);
  });

  it("naturalGradientByLeastSquares on Δ is the natural gradient (66)", () => {
    expect(naturalGradientByLeastSquares(scores, visits, advantages)[0]).toBeCloseTo(1, 14);
  });

  it("regressionTargets are Δ − τ (log(π/π̄) − KL) (71)", () => {
    const problem = { ...oneStep, tau: 2 };
    const kl = 0.25 * Math.log(0.5) + 0.75 * Math.log(1.5);
    const targets = regressionTargets(problem, quarter, advantages);
    expect(targets[0]).toBeCloseTo(0.75 - 2 * (Math.log(0.5) - kl), 14);
    expect(targets[1]).toBeCloseTo(-0.25 - 2 * (Math.log(1.5) - kl), 14);
    expect([...targets.slice(2)]).toEqual([0, 0]);
    // An action with π = 0 has no visits, whatever π̄ is.
    const forbidding = { ...problem, logPrior: logPrior(Float64Array.of(0, Number.NEGATIVE_INFINITY, 0, 0)) };
    const certain = logProbabilities(Float64Array.of(0, Number.NEGATIVE_INFINITY, 0, 0));
    expect(regressionTargets(forbidding, certain, advantages)[1]).toBe(0);
  });
});

describe("occupancy", () => {
  it("sums to 1/(1 − γ) without terminal states, and counts the steps of an episode for γ = 1", () => {
    const mdp = garnet({ states: 6, actions: 2, branching: 3 }, random());
    const prior = logPrior(new Float64Array(12));
    const uniform = logProbabilities(new Float64Array(12).fill(Math.log(0.5)));
    const d = occupancy({ mdp, logPrior: prior, tau: 0, gamma: 0.75 }, uniform);
    expect(d.reduce((a, b) => a + b)).toBeCloseTo(4, 12);
    expect(occupancy(oneStep, quarter, 1)[0]).toBe(1);
  });

  it("refuses to count visits if episodes never end", () => {
    const mdp = garnet({ states: 6, actions: 2, branching: 3 }, random());
    const problem = { mdp, logPrior: logPrior(new Float64Array(12)), tau: 0, gamma: 0.75 };
    const uniform = logProbabilities(new Float64Array(12).fill(Math.log(0.5)));
    expect(() => occupancy(problem, uniform, 1)).toThrow(/singular/);
  });
});

describe("policy gradients in a maze", () => {
  it("properPolicyGradient is the gradient of the value at the start, by central differences", () => {
    const { problem, features, theta, logPi } = maze(0.95);
    const scores = linearScores(features, logPi, 4);
    const g = properPolicyGradient(problem, logPi, scores);
    const value = (at: Float64Array) => {
      const { v } = evaluatePolicy(problem, logLinearPolicy(problem, features, at));
      return v.reduce((total, x, s) => total + problem.mdp.initial[s] * x, 0);
    };
    const h = 1e-5;
    for (let k = 0; k < 3; k++) {
      const shifted = (by: number) => value(theta.map((x, i) => (i === k ? x + by : x)));
      expect(g[k]).toBeCloseTo((shifted(h) - shifted(-h)) / (2 * h), 8);
    }
  });

  it("naive and proper differ, and so do g_γ and g_1", () => {
    const { problem, features, logPi } = maze(0.95);
    const scores = linearScores(features, logPi, 4);
    const proper = properPolicyGradient(problem, logPi, scores);
    const naive = naivePolicyGradient(problem, logPi, scores);
    const visited = visitedPolicyGradient(problem, logPi, scores);
    const undiscounted = visitedPolicyGradient({ ...problem, gamma: 1 }, logPi, scores);
    for (const [a, b] of [
      [proper, naive],
      [visited, proper],
      [visited, undiscounted],
    ]) {
      expect(Math.max(...a.map((x, k) => Math.abs(x - b[k])))).toBeGreaterThan(1e-3);
    }
  });
});

describe("the natural gradient", () => {
  it("needs damping for a table, where each state has a direction that does not change the policy", () => {
    const { problem, logPi } = maze(0.95);
    const { states, actions } = problem.mdp;
    const scores = linearScores(tabularFeatures(states, actions), logPi, actions);
    const visits = visitsOf(problem, logPi, occupancy(problem, logPi));
    const g = properPolicyGradient(problem, logPi, scores);
    expect(() => naturalGradient(scores, visits, g)).toThrow(/singular/);
    expect(naturalGradient(scores, visits, g, 1e-3).every(Number.isFinite)).toBe(true);
  });

  it("is the direction of a damped soft-Q step, up to second order for a log-linear policy", () => {
    const { problem, features, theta, logPi } = maze(0.95);
    const scores = linearScores(features, logPi, 4);
    const visits = visitsOf(problem, logPi, occupancy(problem, logPi));
    const advantages = policyAdvantages(problem, logPi);
    const w = naturalGradient(scores, visits, properPolicyGradient(problem, logPi, scores));
    const policy = (at: Float64Array) => {
      const moved = logLinearPolicy(problem, features, at);
      return { logPi: moved, scores: linearScores(features, moved, 4) };
    };
    const errors = [1e-2, 1e-3].map((epsilon) => {
      const step = dampedSoftQStep({ problem, policy, theta, visits, advantages, epsilon });
      return Math.max(...step.map((x, k) => Math.abs((problem.tau / epsilon) * x - w[k])));
    });
    expect(errors[0]).toBeLessThan(0.1 * Math.max(...w.map(Math.abs)));
    expect(errors[1] / errors[0]).toBeLessThan(0.02);
  });

  it("refuses a step at τ = 0", () => {
    const { problem, theta } = maze(0.95);
    const policy = () => ({ logPi: quarter, scores: oneNumber });
    const parts = { policy, theta, visits: quarter, advantages: quarter, epsilon: 0.1 };
    expect(() => dampedSoftQStep({ ...parts, problem: { ...problem, tau: 0 } })).toThrow(
      /tau is out of range/,
    );
  });
});
