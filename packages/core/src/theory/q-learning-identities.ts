/** Q-learning with a target network (§3.5, §6.2): an update of a table, sampled exhaustively, is the operator T. */
import type { Random } from "../base/random.js";
import { exp } from "../math/logspace.js";
import { type LogProbabilities, logPrior, type QValues, qValues } from "../math/units.js";
import type { FiniteMdp } from "../mdp/finite-mdp.js";
import { boltzmannPolicies, greedyPolicies, optimalityBackup, policyBackupOfQ } from "../mdp/operators.js";
import { relativeDifference } from "../mdp/residual.js";
import type { SoftMdp } from "../mdp/soft-mdp.js";
import type { QNetwork } from "../nn/heads.js";
import { uniform } from "../nn/initialiser.js";
import { gradientVector, Parameters } from "../nn/parameters.js";
import { matmul, state } from "../tensor/operations.js";
import { program } from "../tensor/program.js";
import { createReferenceExecutor } from "../tensor/reference-executor.js";
import { discount, draws, priors, randomMdp, randomPolicy, temperatures } from "./cases.js";
import type { Formulas } from "./formulas.js";
import type { Identity } from "./identity.js";

const states = 4;
const actions = 2;
const gamma = discount;
const munchausenWeight = 0.9;
const munchausenFloor = -0.3;

/** Q_θ(s, ·) = θ[s, ·] for one-hot states. */
const table: QNetwork = {
  observationShape: [states],
  actions,
  parameters: new Parameters([{ name: "q", shape: [states, actions], initialiser: uniform(1) }]),
  apply: (observations, [q]) => qValues(matmul(observations, q)),
};

/** A transition of m steps as a replay gives it, with its probability given its first state and action. */
interface Sample {
  readonly from: number;
  readonly action: number;
  readonly probability: number;
  readonly sum: number;
  readonly discount: number;
  readonly to: number;
}

/** Every transition of at most n steps, whose actions after the first are drawn from μ. */
function everySample(mdp: FiniteMdp, n: number, mu: LogProbabilities): Sample[] {
  const complete: Sample[] = [];
  const extend = (sample: Sample, action: number, left: number): void => {
    const row = sample.to * actions + action;
    for (let to = 0; to < states; to++) {
      const probability = sample.probability * mdp.transitions[row * states + to];
      if (probability === 0) continue;
      const ends = mdp.terminal[to] === 1;
      const longer: Sample = {
        ...sample,
        probability,
        sum: sample.sum + sample.discount * mdp.rewards[row],
        discount: ends ? 0 : sample.discount * gamma,
        to,
      };
      if (ends || left === 1) complete.push(longer);
      else {
        for (let a = 0; a < actions; a++) {
          extend({ ...longer, probability: probability * exp(mu[to * actions + a]) }, a, left - 1);
        }
      }
    }
  };
  for (let from = 0; from < states; from++) {
    if (mdp.terminal[from] === 1) continue;
    for (let action = 0; action < actions; action++) {
      extend({ from, action, probability: 1, sum: 0, discount: 1, to: from }, action, n);
    }
  }
  return complete;
}

interface Case {
  readonly problem: SoftMdp & { readonly mdp: FiniteMdp };
  readonly q: QValues;
  readonly target: QValues;
  readonly mu: LogProbabilities;
}

/** Processes with a terminal state, a temperature each, and a reference that is the same in every state. */
function cases(random: Random): Case[] {
  return temperatures.map((tau) => {
    const mdp = randomMdp(random, states, actions);
    const [, , one] = priors(random, actions);
    const prior = Float64Array.from({ length: states * actions }, (_, i) => one[i % actions]);
    const q = () => qValues(draws(random, states * actions, -1, 1));
    const problem = { mdp, logPrior: logPrior(prior), tau, gamma };
    return { problem, q: q(), target: q(), mu: randomPolicy(random, actions, states) };
  });
}

/** Q after a step of length 1 down the loss of an update, from every sample at its probability. */
function updated(
  formulas: Formulas,
  { problem, q, target, mu }: Case,
  backup: "hard" | "soft-entropy" | "soft-kl" | "munchausen",
  { double = false, n = 1 } = {},
): Float64Array {
  const samples = everySample(problem.mdp, n, mu);
  const theta = state("theta", [q.length]);
  const held = state("target", [q.length]);
  const views = table.parameters.views(theta);
  const { loss } = formulas.traceQUpdate(
    table,
    samples.length,
    views,
    table.parameters.views(held),
    {
      backup,
      double,
      measure: "squared",
      weighted: true,
      logPrior: logPrior(problem.logPrior.slice(0, actions)),
      munchausenWeight,
      munchausenFloor,
    },
    formulas,
  );
  // A mutant may not read the target network: as an output, it is loaded all the same.
  const traced = program({ outputs: { slope: gradientVector(loss, views), target: held } });
  const session = createReferenceExecutor({ precision: "float64" }).load({ traced });
  session.state(theta).set(q);
  session.state(held).set(target);
  const oneHots = (places: readonly number[]) =>
    places.flatMap((place) => Array.from({ length: states }, (_, s) => (s === place ? 1 : 0)));
  const inputs: Readonly<Record<string, readonly number[]>> = {
    observations: oneHots(samples.map(({ from }) => from)),
    nextObservations: oneHots(samples.map(({ to }) => to)),
    actions: samples.map(({ action }) => action),
    returns: samples.map(({ sum }) => sum),
    discounts: samples.map((sample) => sample.discount),
    weights: samples.map(({ probability }) => probability),
    tau: [problem.tau],
  };
  const loaded = session.programs.traced;
  for (const name of traced.inputs.keys()) loaded.input(name).set(inputs[name]);
  loaded.run();
  // The loss is a mean: its gradient times the number of samples is a sum.
  const slope = loaded.output("slope");
  return q.map((x, i) => x - samples.length * slope[i]);
}

/** The largest difference between two backups where a state is not terminal. */
function difference({ problem }: Case, found: Float64Array, expected: Float64Array): number {
  const isInner = (_: number, i: number) => problem.mdp.terminal[Math.floor(i / actions)] === 0;
  return relativeDifference([...found].filter(isInner), [...expected].filter(isInner));
}

const entropyProblem = ({ problem }: Case): Case["problem"] => ({
  ...problem,
  logPrior: logPrior(new Float64Array(problem.logPrior.length)),
});
const hard = (drawn: Case, selector: QValues): QValues => {
  const problem = { ...entropyProblem(drawn), tau: 0 };
  return policyBackupOfQ(problem, greedyPolicies(problem, selector), drawn.target);
};

const largest = (random: Random, residual: (drawn: Case) => number): number =>
  cases(random).reduce((worst, drawn) => Math.max(worst, residual(drawn)), 0);

/** The identities of Q-learning with a target network. */
export const qLearningIdentities: readonly Identity[] = [
  {
    identity: "DQN's hard update of a table is T with max, and double Q-learning's takes the online action",
    equation: "§6.2",
    bound: 1e-12,
    residual: (formulas, random) =>
      largest(random, (drawn) =>
        Math.max(
          difference(drawn, updated(formulas, drawn, "hard"), hard(drawn, drawn.target)),
          difference(drawn, updated(formulas, drawn, "hard", { double: true }), hard(drawn, drawn.q)),
        ),
      ),
  },
  {
    identity: "DQN's soft update of a table is T, for entropy and for any π̄",
    equation: "§3.3, §6.2",
    bound: 1e-12,
    residual: (formulas, random) =>
      largest(random, (drawn) => {
        const { problem, q, target } = drawn;
        const entropy = entropyProblem(drawn);
        const double = policyBackupOfQ(problem, boltzmannPolicies(problem, q), target);
        return Math.max(
          difference(drawn, updated(formulas, drawn, "soft-entropy"), optimalityBackup(entropy, target)),
          difference(drawn, updated(formulas, drawn, "soft-kl"), optimalityBackup(problem, target)),
          difference(drawn, updated(formulas, drawn, "soft-kl", { double: true }), double),
        );
      }),
  },
  {
    identity: "Munchausen's update of a table is T with α max(τ log π, l₀) in the reward",
    equation: "Vieillard et al. (2020)",
    bound: 1e-12,
    residual: (formulas, random) =>
      largest(random, (drawn) => {
        const problem = entropyProblem(drawn);
        const logPi = boltzmannPolicies(problem, drawn.target);
        const expected = optimalityBackup(problem, drawn.target).map(
          (x, i) => x + munchausenWeight * Math.max(problem.tau * logPi[i], munchausenFloor),
        );
        return difference(drawn, updated(formulas, drawn, "munchausen"), expected);
      }),
  },
  {
    identity: "DQN's 2-step update of a table is T_μ T, without the bonus of the second step",
    equation: "§3.4, §6.2",
    bound: 1e-12,
    residual: (formulas, random) =>
      largest(random, (drawn) => {
        const soft = optimalityBackup(entropyProblem(drawn), drawn.target);
        const expected = policyBackupOfQ({ ...entropyProblem(drawn), tau: 0 }, drawn.mu, soft);
        return difference(drawn, updated(formulas, drawn, "soft-entropy", { n: 2 }), expected);
      }),
  },
];
