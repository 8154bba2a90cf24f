import {
  boltzmannPolicies,
  denseMdp,
  evaluatePolicy,
  type FiniteMdp,
  garnet,
  logPrior,
  logProbabilities,
  qValues,
  type Random,
  RandomStreams,
  type SoftMdp,
  SoftrlError,
  softValueIteration,
  sparseMdp,
  validateBandit,
  validateSoftMdp,
} from "softrl";
import { describe, expect, it } from "vitest";
import { requirePositiveTau } from "../../src/mdp/soft-mdp.js";

/**
 * A fault that is put into a valid problem, a call that uses the problem, and the message that the call must
 * throw.
 */
interface Malformed {
  readonly use: () => unknown;
  readonly message: string;
}

interface Drawn {
  readonly problem: SoftMdp;
  readonly mdp: FiniteMdp;
  /**
   * A non-terminal state, one of its actions, the row of both, and an entry of that row with positive
   * probability.
   */
  readonly s: number;
  readonly a: number;
  readonly row: number;
  readonly entry: number;
}

function drawn(random: Random): Drawn {
  const states = 3 + random.integer(5);
  const actions = 2 + random.integer(3);
  const branching = 2 + random.integer(states - 2);
  const mdp = denseMdp(garnet({ states, actions, branching, terminal: 1 / states }, random));
  const s = random.integer(states - 1);
  const a = random.integer(actions);
  const row = s * actions + a;
  const start = row * states;
  const entry = mdp.transitions.findIndex((p, i) => i >= start && p > 0);
  const prior = logPrior(new Float64Array(states * actions).fill(-Math.log(actions)));
  return { problem: { mdp, logPrior: prior, tau: 0.3, gamma: 0.9 }, mdp, s, a, row, entry };
}

/** Half of the faults use the dense form, half the sparse one. */
const inEitherForm = (mdp: FiniteMdp, random: Random) => (random.integer(2) === 0 ? mdp : sparseMdp(mdp));

const changed = (x: Float64Array, at: number, value: number) => x.map((y, i) => (i === at ? value : y));

const faults: readonly ((d: Drawn, random: Random) => Malformed)[] = [
  ...[-0.1, -1e-12, Number.NaN, Number.POSITIVE_INFINITY].map(
    (p) =>
      ({ problem, mdp, s, a, entry }: Drawn, random: Random): Malformed => ({
        use: () => {
          const transitions = changed(mdp.transitions, entry, p);
          return softValueIteration({ ...problem, mdp: inEitherForm({ ...mdp, transitions }, random) });
        },
        message: `transitions of state ${s}, action ${a} has an invalid probability`,
      }),
  ),
  ...[1e-6, -1e-6, 2e-9].map(
    (off) =>
      ({ problem, mdp, s, a, entry }: Drawn, random: Random): Malformed => ({
        use: () => {
          const transitions = changed(mdp.transitions, entry, Math.abs(mdp.transitions[entry] + off) || off);
          return softValueIteration({ ...problem, mdp: inEitherForm({ ...mdp, transitions }, random) });
        },
        message: `transitions of state ${s}, action ${a} does not sum to one`,
      }),
  ),
  ...[Number.NaN, Number.POSITIVE_INFINITY].map(
    (r) =>
      ({ problem, mdp, s, a, row }: Drawn, random: Random): Malformed => ({
        use: () => {
          const rewards = changed(mdp.rewards, row, r);
          return softValueIteration({ ...problem, mdp: inEitherForm({ ...mdp, rewards }, random) });
        },
        message: `rewards of state ${s}, action ${a} is not finite`,
      }),
  ),
  ({ problem, mdp }, random) => ({
    use: () => {
      const terminal = new Uint8Array(mdp.states);
      return softValueIteration({ ...problem, gamma: 1, mdp: inEitherForm({ ...mdp, terminal }, random) });
    },
    message: "gamma is 1 and state 0 cannot reach a terminal state",
  }),
  ({ problem, mdp, s, a }) => {
    // One state that only leads to itself is enough.
    const transitions = mdp.transitions.slice();
    for (let action = 0; action < mdp.actions; action++) {
      const start = (s * mdp.actions + action) * mdp.states;
      transitions.fill(0, start, start + mdp.states);
      transitions[start + s] = 1;
    }
    return {
      use: () => validateSoftMdp({ ...problem, gamma: 1, mdp: { ...mdp, transitions } }, `fault ${a}`),
      message: "cannot reach a terminal state",
    };
  },
  ...[-0.1, Number.NaN, Number.POSITIVE_INFINITY].map(
    (tau) =>
      ({ problem }: Drawn): Malformed => ({
        use: () => softValueIteration({ ...problem, tau }),
        message: "tau is out of range",
      }),
  ),
  ...[0, -1].map(
    (tau) =>
      ({ problem }: Drawn): Malformed => ({
        use: () => requirePositiveTau("here", { ...problem, tau }),
        message: "tau is out of range",
      }),
  ),
  ...[1.1, -0.1, Number.NaN].map(
    (gamma) =>
      ({ problem }: Drawn): Malformed => ({
        use: () => softValueIteration({ ...problem, gamma }),
        message: "gamma is out of range",
      }),
  ),
  ({ problem, s, a, row }) => ({
    use: () => {
      const logPi = boltzmannPolicies(problem, qValues(new Float64Array(problem.logPrior.length)));
      const forbidden = logPrior(changed(problem.logPrior, row, Number.NEGATIVE_INFINITY));
      return evaluatePolicy({ ...problem, logPrior: forbidden }, logPi);
    },
    message: `the prior of state ${s}, action ${a} is zero but the policy is not`,
  }),
  ({ problem, mdp, s }) => ({
    use: () => {
      const from = s * mdp.actions;
      const none = problem.logPrior.map((x, i) => (i >= from && i < from + mdp.actions ? -Infinity : x));
      return softValueIteration({ ...problem, logPrior: logPrior(none) });
    },
    message: `logPrior of state ${s} forbids every action`,
  }),
  ({ problem, s, a, row }) => ({
    use: () =>
      softValueIteration({ ...problem, logPrior: logPrior(changed(problem.logPrior, row, Number.NaN)) }),
    message: `logPrior of state ${s}, action ${a} is not the logarithm of a weight`,
  }),
  ({ problem, s, row }) => ({
    use: () => {
      const logPi = boltzmannPolicies(problem, qValues(new Float64Array(problem.logPrior.length)));
      return evaluatePolicy(problem, logProbabilities(changed(logPi, row, logPi[row] + 1e-6)));
    },
    message: `logPi of state ${s} does not sum to one`,
  }),
  ({ problem, mdp }) => ({
    use: () => softValueIteration({ ...problem, mdp: { ...mdp, initial: mdp.initial.map((p) => p / 2) } }),
    message: "initial does not sum to one",
  }),
  ({ mdp }, random) => {
    const at = random.integer(mdp.actions);
    const rewards = new Float64Array(mdp.actions);
    rewards[at] = Number.NaN;
    return {
      use: () => validateBandit({ rewards, logPrior: logPrior(new Float64Array(mdp.actions)), tau: 1 }),
      message: `rewards of action ${at} is not finite`,
    };
  },
];

describe("malformed problems", () => {
  it("are refused, in 1,000 cases, with an error that names the row", () => {
    const random = new RandomStreams(20).stream("malformed");
    for (let i = 0; i < 1000; i++) {
      const base = drawn(random);
      softValueIteration(base.problem, { tolerance: 1 });
      const { use, message } = faults[i % faults.length](base, random);
      let error: unknown;
      try {
        use();
      } catch (caught) {
        error = caught;
      }
      expect(error, `fault ${i % faults.length}: ${message}`).toBeInstanceOf(SoftrlError);
      expect(error).toHaveProperty("message", expect.stringContaining(message));
    }
  });
});
