import {
  type Backup,
  boltzmannPolicies,
  createReferenceExecutor,
  type Executor,
  garnet,
  greedyPolicies,
  hardValue,
  huber,
  type LogProbabilities,
  logPrior,
  optimalityBackup,
  policyBackupOfQ,
  type QNetwork,
  type QValues,
  qValues,
  type Random,
  RandomStreams,
  type SoftMdp,
  type SparseMdp,
  traceQUpdate,
} from "softrl";
import { describe, expect, it } from "vitest";
import { uniform } from "../../src/nn/initialiser.js";
import { Parameters } from "../../src/nn/parameters.js";
import { descent } from "../../src/optim/descent.js";
import { sgd } from "../../src/optim/sgd.js";
import { gradient } from "../../src/tensor/gradient.js";
import { input, matmul, state, sum } from "../../src/tensor/operations.js";
import { program } from "../../src/tensor/program.js";
import { randomPolicy } from "../../src/theory/cases.js";
import { wasmExecutors } from "../tensor/wasm-builds.js";
import { evaluate } from "./evaluate.js";

const S = 7;
const A = 3;
const gamma = 0.9;
const executors: readonly (readonly [string, Executor, number])[] = [
  ["reference", createReferenceExecutor({ precision: "float64" }), 1e-12],
  ...wasmExecutors.map((executor) => [executor.name, executor, 2e-6] as const),
];

/** Q_θ(s, ·) = θ[s, ·] for one-hot states. */
const table: QNetwork = {
  observationShape: [S],
  actions: A,
  parameters: new Parameters([{ name: "q", shape: [S, A], initialiser: uniform(1) }]),
  apply: (observations, [q]) => qValues(matmul(observations, q)),
};

/** A sampled transition of m steps, with its probability given its first state and action. */
interface Path {
  readonly s: number;
  readonly a: number;
  readonly probability: number;
  readonly sum: number;
  readonly discount: number;
  readonly next: number;
}

/** All paths of at most n steps from every state and action; μ chooses the actions after the first. */
function allPaths(mdp: SparseMdp, n: number, mu: LogProbabilities): Path[] {
  const paths: Path[] = [];
  const extend = (path: Path, from: number, action: number, left: number) => {
    const row = from * A + action;
    for (let k = mdp.rowStarts[row]; k < mdp.rowStarts[row + 1]; k++) {
      const next = mdp.successors[k];
      const ends = mdp.terminal[next] === 1;
      const longer = {
        ...path,
        probability: path.probability * mdp.probabilities[k],
        sum: path.sum + path.discount * mdp.rewards[row],
        discount: ends ? 0 : path.discount * gamma,
        next,
      };
      if (ends || left === 1) paths.push(longer);
      else {
        for (let a = 0; a < A; a++) {
          const probability = longer.probability * Math.exp(mu[next * A + a]);
          extend({ ...longer, probability }, next, a, left - 1);
        }
      }
    }
  };
  for (let s = 0; s < S; s++) {
    if (mdp.terminal[s]) continue;
    for (let a = 0; a < A; a++) extend({ s, a, probability: 1, sum: 0, discount: 1, next: s }, s, a, n);
  }
  return paths;
}

interface Update {
  readonly backup: Backup;
  readonly tau?: number;
  readonly double?: boolean;
  readonly steps?: number;
  readonly munchausenWeight?: number;
}

/** θ after one update of DQN's program with learning rate 1, from every path at its probability. */
function updated(
  executor: Executor,
  problem: SoftMdp,
  mdp: SparseMdp,
  q: QValues,
  target: QValues,
  mu: LogProbabilities,
  update: Update,
) {
  const { backup, tau = 0, double = false, steps = 1, munchausenWeight = 0.9 } = update;
  const paths = allPaths(mdp, steps, mu);
  const theta = state("theta", [S * A]);
  const held = state("target", [S * A]);
  const views = table.parameters.views(theta);
  const { loss } = traceQUpdate(table, paths.length, views, table.parameters.views(held), {
    backup,
    double,
    measure: "squared",
    weighted: true,
    logPrior: logPrior(problem.logPrior.slice(0, A)),
    munchausenWeight,
    munchausenFloor: -1,
  });
  // The loss is a mean over the paths; a learning rate of their number makes each (s, a) step by its own mean error.
  const step = descent({
    theta,
    views,
    loss,
    optimiser: sgd(),
    learningRate: paths.length,
    maxGradientNorm: 1e9,
  });
  const traced = program({ outputs: { loss }, updates: step.updates });
  const session = executor.load({ update: traced });
  const loaded = session.programs.update;
  session.state(theta).set(q);
  session.state(held).set(target);
  const oneHot = (states: readonly number[]) =>
    Float64Array.from({ length: states.length * S }, (_, i) => (states[Math.floor(i / S)] === i % S ? 1 : 0));
  const numbers: Record<string, ArrayLike<number>> = {
    observations: oneHot(paths.map(({ s }) => s)),
    nextObservations: oneHot(paths.map(({ next }) => next)),
    actions: paths.map(({ a }) => a),
    returns: paths.map(({ sum }) => sum),
    discounts: paths.map(({ discount }) => discount),
    weights: paths.map(({ probability }) => probability),
    tau: [tau],
  };
  for (const [name, values] of Object.entries(numbers)) {
    if (traced.inputs.has(name)) loaded.input(name).set(values);
  }
  loaded.run();
  return Float64Array.from(session.state(theta));
}

function draw(random: Random) {
  const mdp = garnet({ states: S, actions: A, branching: 3, terminal: 0.3 }, random);
  const table = () => {
    const q = qValues(Float64Array.from({ length: S * A }, () => random.uniform(-2, 2)));
    // A terminal state's row is not read: its value is 0.
    for (let i = 0; i < q.length; i++) if (mdp.terminal[Math.floor(i / A)]) q[i] = 0;
    return q;
  };
  const one = Float64Array.from({ length: A }, () => random.uniform(-2, 0.5));
  const prior = logPrior(Float64Array.from({ length: S * A }, (_, i) => one[i % A]));
  return { mdp, q: table(), target: table(), prior, mu: randomPolicy(random, A, S) };
}

const counting = logPrior(new Float64Array(S * A));

/** [T Q] of the hard operator. */
const hardBackup = (problem: SoftMdp, q: QValues) =>
  policyBackupOfQ({ ...problem, tau: 0 }, greedyPolicies({ ...problem, logPrior: counting }, q), q);

describe.each(executors)("DQN's update of a table on the %s executor", (_, executor, tolerance) => {
  const cases = Array.from({ length: 20 }, (_, seed) => draw(new RandomStreams(seed).stream("q-learning")));

  function check(
    update: Update,
    expected: (problem: SoftMdp, drawn: (typeof cases)[number]) => Float64Array,
  ) {
    for (const drawn of cases) {
      const { mdp, q, target, prior, mu } = drawn;
      const problem: SoftMdp = {
        mdp,
        logPrior: update.backup === "soft-kl" ? prior : counting,
        tau: update.tau ?? 0,
        gamma,
      };
      const found = updated(executor, problem, mdp, q, target, mu, update);
      const exact = expected(problem, drawn);
      for (let i = 0; i < exact.length; i++) {
        if (!mdp.terminal[Math.floor(i / A)]) expect(Math.abs(found[i] - exact[i])).toBeLessThan(tolerance);
      }
    }
  }

  it("hard is T with max", () =>
    check({ backup: "hard" }, (problem, { target }) => hardBackup(problem, target)));

  it.each(["soft-entropy", "soft-kl"] as const)("%s is the soft operator T", (backup) => {
    check({ backup, tau: 0.3 }, (problem, { target }) => optimalityBackup(problem, target));
  });

  it("munchausen is T with α max(τ log π, l₀) in the reward", () => {
    check({ backup: "munchausen", tau: 0.4 }, (problem, { target }) => {
      const logPi = boltzmannPolicies(problem, target);
      const backup = optimalityBackup(problem, target);
      const bonus = logPi.map((logP) => 0.9 * Math.max(0.4 * logP, -1));
      // Both sides of the clip occur.
      expect(bonus.some((x) => x === -0.9)).toBe(true);
      return backup.map((x, i) => x + bonus[i]);
    });
  });

  it("double hard takes the online network's action", () => {
    check({ backup: "hard", double: true }, (problem, { q, target }) =>
      policyBackupOfQ(problem, greedyPolicies(problem, q), target),
    );
  });

  it.each(["soft-entropy", "soft-kl"] as const)("double %s takes the online network's policy", (backup) => {
    check({ backup, double: true, tau: 0.3 }, (problem, { q, target }) =>
      policyBackupOfQ(problem, boltzmannPolicies(problem, q), target),
    );
  });

  it.each(["hard", "soft-entropy", "soft-kl"] as const)("3-step %s is T_μ T_μ T", (backup) => {
    check({ backup, steps: 3, tau: backup === "hard" ? 0 : 0.3 }, (problem, { target, mu }) => {
      const unregularised = { ...problem, tau: 0 };
      let q = backup === "hard" ? hardBackup(problem, target) : optimalityBackup(problem, target);
      for (let i = 0; i < 2; i++) q = policyBackupOfQ(unregularised, mu, q);
      return q;
    });
  });
});

describe("soft backups", () => {
  it("tend to the hard one as τ → 0, within γ τ log A", () => {
    const [, executor] = executors[0];
    const { mdp, q, target, mu } = draw(new RandomStreams(77).stream("limit"));
    const problem = (tau: number): SoftMdp => ({ mdp, logPrior: counting, tau, gamma });
    const hard = updated(executor, problem(0), mdp, q, target, mu, { backup: "hard" });
    for (const tau of [1, 0.1, 0.01, 0.001]) {
      const soft = updated(executor, problem(tau), mdp, q, target, mu, { backup: "soft-entropy", tau });
      for (let i = 0; i < soft.length; i++) {
        expect(soft[i] - hard[i]).toBeGreaterThanOrEqual(-1e-9);
        expect(soft[i] - hard[i]).toBeLessThanOrEqual(gamma * tau * Math.log(A) + 1e-9);
      }
    }
  });

  it("are Munchausen's without its weight", () => {
    const [, executor] = executors[0];
    const { mdp, q, target, mu } = draw(new RandomStreams(78).stream("limit"));
    const problem: SoftMdp = { mdp, logPrior: counting, tau: 0.2, gamma };
    const munchausen: Update = { backup: "munchausen", tau: 0.2, munchausenWeight: 0 };
    const found = updated(executor, problem, mdp, q, target, mu, munchausen);
    const soft = updated(executor, problem, mdp, q, target, mu, { backup: "soft-entropy", tau: 0.2 });
    for (let i = 0; i < soft.length; i++) expect(found[i]).toBeCloseTo(soft[i], 12);
  });
});

describe("huber", () => {
  it("is ½x² within ±1 and |x| − ½ outside, with the derivative clip(x, ±1)", () => {
    const xs = [-3, -1, -0.4, 0, 0.2, 1, 1.5];
    const x = input("x", [xs.length]);
    const [slope] = gradient(sum(huber(x)), [x]);
    const found = evaluate({ value: huber(x), slope }, { x: xs });
    xs.forEach((at, i) => {
      expect(found.value[i]).toBeCloseTo(Math.abs(at) <= 1 ? at ** 2 / 2 : Math.abs(at) - 0.5, 14);
      expect(found.slope[i]).toBeCloseTo(Math.max(-1, Math.min(1, at)), 14);
    });
  });
});

describe("hardValue", () => {
  it("is the largest Q of a row", () => {
    const q = qValues(input("q", [2, 3]));
    expect(evaluate({ v: hardValue(q) }, { q: [1, 3, 2, -5, -4, -6] }).v).toEqual([3, -4]);
  });
});
