import type { Random } from "../base/random.js";
import { exp } from "../math/logspace.js";
import { emptyTrajectory, successorValuesInto, type Trajectory } from "../math/returns.js";
import {
  type LogProbabilities,
  type QValues,
  qValues,
  type StateValues,
  stateValues,
} from "../math/units.js";
import {
  boltzmannPolicies,
  policyAverage,
  policyBackup,
  policyBackupOfQ,
  softValues,
  stateDivergences,
} from "../mdp/operators.js";
import { relativeDifference } from "../mdp/residual.js";
import type { SoftMdp } from "../mdp/soft-mdp.js";
import { denseMdp } from "../mdp/sparse-mdp.js";
import { discount, draws, priors, randomMdp, randomPolicy, temperatures } from "./cases.js";
import type { Formulas } from "./formulas.js";
import type { Identity } from "./identity.js";

const horizons = [1, 2, 3];
const gamma = discount;

/** One MDP for every combination of temperature and kind of reference measure. */
function problems(random: Random): SoftMdp[] {
  return temperatures.flatMap((tau) => {
    const mdp = randomMdp(random);
    return priors(random, mdp.actions, mdp.states).map((logPrior) => ({ mdp, logPrior, tau, gamma }));
  });
}

/** The identities of §3: value functions, backups, and sampled targets whose expectations are the backups. */
export const backupIdentities: readonly Identity[] = [
  {
    identity: "V_π = E_π[Q_π] − τ KL, and both are fixed points of T_π",
    equation: "§3.1, (24–25)",
    bound: 1e-12,
    residual(formulas, random) {
      const left: number[] = [];
      const right: number[] = [];
      for (const problem of problems(random)) {
        const { states, actions } = problem.mdp;
        const logPi = randomPolicy(random, actions, states);
        const v = formulas.policyValues(problem, logPi);
        let q: QValues = qValues(new Float64Array(states * actions));
        // 0.9^400 is below the rounding error of float64.
        for (let i = 0; i < 400; i++) q = formulas.policyBackupOfQ(problem, logPi, q);
        left.push(...v, ...v);
        right.push(...formulas.policyBackup(problem, logPi, v), ...policyAverage(problem, logPi, q));
      }
      return relativeDifference(left, right);
    },
  },
  {
    identity: "T is a γ-contraction in the sup norm",
    equation: "§3.3",
    bound: 1e-12,
    residual(formulas, random) {
      let excess = 0;
      for (const withEnd of problems(random)) {
        // In an MDP without terminal states, a constant shift of Q meets the bound exactly, so a contraction
        // factor above γ is detected.
        const endless = new Uint8Array(withEnd.mdp.states);
        const problem = { ...withEnd, mdp: { ...withEnd.mdp, terminal: endless } };
        for (let i = 0; i < 20; i++) {
          const q = qValues(draws(random, problem.logPrior.length, -2, 2));
          const step = i % 2 === 0 ? new Float64Array(q.length).fill(i + 1) : draws(random, q.length, -1, 1);
          const other = qValues(q.map((x, k) => x + step[k]));
          const left = distance(
            formulas.optimalityBackup(problem, q),
            formulas.optimalityBackup(problem, other),
          );
          excess = Math.max(excess, left / (gamma * distance(q, other)) - 1);
        }
      }
      return excess;
    },
  },
  {
    identity: "T Q = T_π Q for π = π_Q",
    equation: "§3.3",
    bound: 1e-12,
    residual(formulas, random) {
      const left: number[] = [];
      const right: number[] = [];
      for (const problem of problems(random)) {
        const q = qValues(draws(random, problem.logPrior.length, -1, 1));
        left.push(...formulas.optimalityBackup(problem, q));
        right.push(...formulas.policyBackupOfQ(problem, boltzmannPolicies(problem, q), q));
      }
      return relativeDifference(left, right);
    },
  },
  {
    identity: "n-step returns with terminations and truncations match their definition",
    equation: "(36), §3.6",
    bound: 1e-12,
    residual(formulas, random) {
      const left: number[] = [];
      const right: number[] = [];
      for (const tau of temperatures) {
        const trajectory = trajectoryWithEndings(random);
        for (const n of [1, 2, 5, 7, 12, 30]) {
          left.push(...valueTargets(formulas, trajectory, tau, n));
          right.push(...everyReturn(trajectory, (t, s) => definedReturn(trajectory, t, s, tau, n)));
        }
      }
      return relativeDifference(left, right);
    },
  },
  {
    identity: "the λ-return is the mixture (1 − λ) Σ λ^(n−1) of n-step returns",
    equation: "§3.4",
    bound: 1e-12,
    residual(formulas, random) {
      const left: number[] = [];
      const right: number[] = [];
      for (const tau of temperatures) {
        const trajectory = trajectoryWithEndings(random);
        for (const lambda of [0, 0.4, 0.95, 1]) {
          left.push(...lambdaTargets(formulas, trajectory, tau, lambda));
          right.push(...everyReturn(trajectory, (t, s) => mixedReturn(trajectory, t, s, tau, lambda)));
        }
      }
      return relativeDifference(left, right);
    },
  },
  {
    identity: "T_π^n V = V + E Σ γ^d δ_d, by enumeration of all paths",
    equation: "§3.4, (36)",
    bound: 1e-12,
    residual(formulas, random) {
      const left: number[] = [];
      const right: number[] = [];
      for (const problem of problems(random)) {
        const { states, actions } = problem.mdp;
        const logPi = randomPolicy(random, actions, states);
        const v = stateValues(draws(random, states, -1, 1));
        for (const start of [0, 1]) {
          const paths = enumeratePaths(problem, logPi, v, start, random);
          for (const n of horizons) {
            const targets = valueTargets(formulas, paths.trajectory, problem.tau, n);
            left.push(expectation(paths.probabilities, targets));
            right.push(repeated((x: StateValues) => policyBackup(problem, logPi, x), v, n)[start]);
          }
        }
      }
      return relativeDifference(left, right);
    },
  },
  {
    identity: "T_π^n Q = τ KL + V_Q + E Σ γ^d δ_d for π = π_Q, by enumeration of all paths",
    equation: "§3.4–3.5",
    bound: 1e-12,
    residual(formulas, random) {
      const left: number[] = [];
      const right: number[] = [];
      for (const problem of problems(random)) {
        const { states, actions } = problem.mdp;
        const q = qValues(draws(random, states * actions, -1, 1));
        const logPi = boltzmannPolicies(problem, q);
        for (let action = 0; action < actions; action++) {
          const paths = enumeratePaths(problem, logPi, softValues(problem, q), 0, random, action);
          for (const n of horizons) {
            const targets = softQTargets(formulas, paths.trajectory, problem.tau, n);
            left.push(expectation(paths.probabilities, targets));
            right.push(repeated((x: QValues) => policyBackupOfQ(problem, logPi, x), q, n)[action]);
          }
        }
      }
      return relativeDifference(left, right);
    },
  },
];

function distance(left: Float64Array, right: Float64Array): number {
  return left.reduce((high, x, i) => Math.max(high, Math.abs(x - right[i])), 0);
}

function repeated<X>(operator: (x: X) => X, x: X, n: number): X {
  let result = x;
  for (let i = 0; i < n; i++) result = operator(result);
  return result;
}

/** Σ pᵢ xᵢ, where xᵢ is the first x of path i. */
function expectation(probabilities: readonly number[], targets: Float64Array): number {
  return probabilities.reduce((total, p, i) => total + p * targets[i], 0);
}

/** Computes δ and Δ with `n` steps, and returns V̂ [T, S]. */
function valueTargets(formulas: Formulas, trajectory: Trajectory, tau: number, n: number): StateValues {
  const targets = stateValues(new Float64Array(trajectory.rewards.length));
  formulas.valueTargetsInto(trajectory.values, advantages(formulas, trajectory, tau, n), targets);
  return targets;
}

/** Computes δ and Δ with `n` steps, and returns y [T, S]. */
function softQTargets(formulas: Formulas, trajectory: Trajectory, tau: number, n: number): QValues {
  const targets = qValues(new Float64Array(trajectory.rewards.length));
  const { kl, values } = trajectory;
  formulas.softQTargetsInto(kl, tau, values, advantages(formulas, trajectory, tau, n), targets);
  return targets;
}

function advantages(formulas: Formulas, trajectory: Trajectory, tau: number, n: number): Float64Array {
  const delta = new Float64Array(trajectory.rewards.length);
  const sums = new Float64Array(delta.length);
  formulas.softTemporalDifferencesInto(trajectory, tau, gamma, delta);
  formulas.nStepAdvantagesInto(trajectory, delta, gamma, n, sums);
  return sums;
}

function lambdaTargets(formulas: Formulas, trajectory: Trajectory, tau: number, lambda: number): StateValues {
  const delta = new Float64Array(trajectory.rewards.length);
  const targets = stateValues(new Float64Array(delta.length));
  formulas.softTemporalDifferencesInto(trajectory, tau, gamma, delta);
  formulas.lambdaAdvantagesInto(trajectory, delta, gamma, lambda, delta);
  formulas.valueTargetsInto(trajectory.values, delta, targets);
  return targets;
}

/**
 * A trajectory of 12 steps of 6 environments with random numbers; about a third of the steps end an episode.
 */
function trajectoryWithEndings(random: Random): Trajectory {
  const trajectory = emptyTrajectory(12, 6);
  const length = trajectory.rewards.length;
  for (let i = 0; i < length; i++) {
    trajectory.rewards[i] = random.uniform(-1, 1);
    trajectory.kl[i] = random.uniform(-1, 2);
    trajectory.values[i] = random.uniform(-2, 2);
    const ending = random.integer(6);
    trajectory.terminated[i] = ending === 0 ? 1 : 0;
    trajectory.truncated[i] = ending === 1 ? 1 : 0;
  }
  successorValuesInto(
    trajectory.values,
    stateValues(draws(random, 6, -2, 2)),
    stateValues(draws(random, length, -2, 2)),
    trajectory.truncated,
    trajectory.bootstrapValues,
  );
  return trajectory;
}

/** One number per step and environment, [T, S]. */
function everyReturn({ steps, size }: Trajectory, of: (t: number, s: number) => number): number[] {
  return Array.from({ length: steps * size }, (_, i) => of(Math.floor(i / size), i % size));
}

/** Σ γ^d (r − τ KL) plus the discounted value of the state reached, summed step by step and without δ. */
function definedReturn(trajectory: Trajectory, t: number, s: number, tau: number, n: number): number {
  const { size, steps, rewards, kl, bootstrapValues, terminated, truncated } = trajectory;
  const i = t * size + s;
  const now = rewards[i] - tau * kl[i];
  if (terminated[i]) return now;
  if (truncated[i] || n === 1 || t === steps - 1) return now + gamma * bootstrapValues[i];
  return now + gamma * definedReturn(trajectory, t + 1, s, tau, n - 1);
}

/** (1 − λ) Σ λ^(n−1) times the n-step return; the longest return gets the remaining weight. */
function mixedReturn(trajectory: Trajectory, t: number, s: number, tau: number, lambda: number): number {
  const { size, steps, terminated, truncated } = trajectory;
  let total = 0;
  let weight = 1;
  for (let n = 1; ; n++) {
    const last = (t + n - 1) * size + s;
    const value = definedReturn(trajectory, t, s, tau, n);
    if (terminated[last] || truncated[last] || t + n === steps) return total + weight * value;
    total += weight * (1 - lambda) * value;
    weight *= lambda;
  }
}

/** Every path of an MDP from one state, as one environment per path, with its probability. */
interface Paths {
  readonly trajectory: Trajectory;
  readonly probabilities: readonly number[];
}

/**
 * Enumerates all paths that are one step longer than the longest horizon, so that an extra step is detected.
 *
 * After a termination a path continues with random numbers, as a rollout continues with the next episode, and
 * the terminal state has a random value, as a network would give it.
 */
function enumeratePaths(
  problem: SoftMdp,
  logPi: LogProbabilities,
  v: StateValues,
  start: number,
  random: Random,
  firstAction?: number,
): Paths {
  const { states, actions, transitions, rewards, terminal } = denseMdp(problem.mdp);
  const steps = Math.max(...horizons) + 1;
  const kl = stateDivergences(problem, logPi);
  interface Step {
    readonly s: number;
    readonly a: number;
    readonly next: number;
  }
  const complete: { path: readonly Step[]; probability: number }[] = [];
  const extend = (path: readonly Step[], s: number, probability: number): void => {
    if (path.length === steps || terminal[s]) {
      complete.push({ path, probability });
      return;
    }
    for (let a = 0; a < actions; a++) {
      const chosen = path.length > 0 || firstAction === undefined;
      if (!chosen && a !== firstAction) continue;
      const pa = chosen ? exp(logPi[s * actions + a]) : 1;
      for (let next = 0; next < states; next++) {
        const p = transitions[(s * actions + a) * states + next];
        extend([...path, { s, a, next }], next, probability * pa * p);
      }
    }
  };
  extend([], start, 1);

  const trajectory = emptyTrajectory(steps, complete.length);
  complete.forEach(({ path }, column) => {
    for (let t = 0; t < steps; t++) {
      const i = t * complete.length + column;
      const step = path[t];
      trajectory.rewards[i] = step ? rewards[step.s * actions + step.a] : random.uniform(-1, 1);
      trajectory.kl[i] = step ? kl[step.s] : random.uniform(0, 1);
      trajectory.values[i] = step ? v[step.s] : random.uniform(-1, 1);
      const goesOn = step !== undefined && !terminal[step.next];
      trajectory.bootstrapValues[i] = goesOn ? v[step.next] : random.uniform(1, 2);
      trajectory.terminated[i] = step && terminal[step.next] ? 1 : 0;
    }
  });
  return { trajectory, probabilities: complete.map(({ probability }) => probability) };
}
