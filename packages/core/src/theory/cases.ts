/** Seeded problems for the identities: small, in general position, each kind of reference measure. */
import type { Random } from "../base/random.js";
import { log, logSoftmaxInto } from "../math/logspace.js";
import { type LogPrior, type LogProbabilities, logPrior, logProbabilities } from "../math/units.js";
import type { FiniteMdp } from "../mdp/finite-mdp.js";
import type { Derivatives } from "../mdp/scores.js";
import type { SoftMdp } from "../mdp/soft-mdp.js";

/** `length` numbers, uniform in [low, high). */
export function draws(random: Random, length: number, low: number, high: number): Float64Array {
  return Float64Array.from({ length }, () => random.uniform(low, high));
}

/** Uniform, counting and random positive (not normalised) measures, `rows` times the same over A actions. */
export function priors(random: Random, actions: number, rows = 1): LogPrior[] {
  return [
    new Float64Array(rows * actions).fill(-log(actions)),
    new Float64Array(rows * actions),
    draws(random, rows * actions, -2, 1),
  ].map((numbers) => logPrior(numbers));
}

/** `rows` distributions over A actions, all probabilities positive. */
export function randomPolicy(random: Random, actions: number, rows = 1): LogProbabilities {
  const logPi = draws(random, rows * actions, -1.5, 1.5);
  for (let row = 0; row < rows; row++) logSoftmaxInto(logPi, logPi, row * actions, actions);
  return logProbabilities(logPi);
}

/** An MDP in which the last state is terminal and every state can follow every other. */
export function randomMdp(random: Random, states = 4, actions = 2): FiniteMdp {
  const transitions = draws(random, states * actions * states, 0.1, 1);
  for (let row = 0; row < states * actions; row++) {
    const weights = transitions.subarray(row * states, (row + 1) * states);
    const sum = weights.reduce((x, y) => x + y);
    for (let s = 0; s < states; s++) weights[s] /= sum;
  }
  return {
    states,
    actions,
    transitions,
    rewards: draws(random, states * actions, -1, 1),
    terminal: Uint8Array.from({ length: states }, (_, s) => (s === states - 1 ? 1 : 0)),
    initial: Float64Array.from({ length: states }, (_, s) => (s === 0 ? 1 : 0)),
  };
}

/** Temperatures and discounts that identities are tried at. */
export const temperatures: readonly number[] = [0.05, 0.3, 1.7];
/** The discount of every case; far from 1/τ of every temperature above. */
export const discount = 0.9;

/** A problem, a policy and a log-linear parameterisation, all drawn. */
export interface DrawnProblem {
  readonly problem: SoftMdp;
  /** [S, A] */
  readonly logPi: LogProbabilities;
  /** φ [S · A, P], fewer than the policy has degrees of freedom: F is not singular. */
  readonly features: Derivatives;
  /** [P] */
  readonly theta: Float64Array;
}

/** 5 states of which one ends, 3 actions, 4 features; any temperature and any kind of reference measure. */
export function drawnProblem(random: Random): DrawnProblem {
  const states = 5;
  const actions = 3;
  const parameters = 4;
  const tau = temperatures[random.integer(temperatures.length)];
  const mdp = randomMdp(random, states, actions);
  const logPrior = priors(random, actions, states)[random.integer(3)];
  return {
    problem: { mdp, logPrior, tau, gamma: discount },
    logPi: randomPolicy(random, actions, states),
    features: { parameters, rows: draws(random, states * actions * parameters, -1, 1) },
    theta: draws(random, parameters, -1, 1),
  };
}
