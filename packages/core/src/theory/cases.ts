/** Seeded problems for the identities: small, in general position, with every kind of reference measure. */
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

/**
 * A uniform, a counting and a random positive (not normalised) measure over A actions, each repeated for
 * `rows` states.
 */
export function priors(random: Random, actions: number, rows = 1): LogPrior[] {
  return [
    new Float64Array(rows * actions).fill(-log(actions)),
    new Float64Array(rows * actions),
    draws(random, rows * actions, -2, 1),
  ].map((numbers) => logPrior(numbers));
}

/** `rows` distributions over A actions with positive probabilities. */
export function randomPolicy(random: Random, actions: number, rows = 1): LogProbabilities {
  const logPi = draws(random, rows * actions, -1.5, 1.5);
  for (let row = 0; row < rows; row++) logSoftmaxInto(logPi, logPi, row * actions, actions);
  return logProbabilities(logPi);
}

/** An MDP whose last state is terminal and in which every state can follow every other one. */
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

/** The temperatures at which identities are checked. */
export const temperatures: readonly number[] = [0.05, 0.3, 1.7];
/** The discount of every case; far from 1/τ for every temperature above. */
export const discount = 0.9;

/** A random problem, policy and log-linear parameterisation. */
export interface DrawnProblem {
  readonly problem: SoftMdp;
  /** [S, A] */
  readonly logPi: LogProbabilities;
  /** φ [S · A, P]. P is smaller than the number of degrees of freedom of the policy, so F is not singular. */
  readonly features: Derivatives;
  /** [P] */
  readonly theta: Float64Array;
}

/**
 * 5 states, one of them terminal, 3 actions and 4 features; any temperature and any kind of reference
 * measure.
 */
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
