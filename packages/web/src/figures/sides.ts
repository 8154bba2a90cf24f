/** One state whose values and policy determine each other (§2, 57), at any temperature from 0 to ∞. */
import {
  boltzmannPolicy,
  finiteMdp,
  greedyPolicy,
  type LogPrior,
  logPrior,
  logProbabilities,
  policyAverage,
  qFromPolicy,
  qValues,
  softValue,
} from "softrl";

/** What a reader can choose. */
export interface Sides {
  /** Q(a), in units of reward. */
  readonly q: readonly number[];
  /** π̄(a): positive, sums to one. */
  readonly prior: readonly number[];
  /** 0 is the greedy limit, ∞ the limit in which the policy is the prior. */
  readonly tau: number;
}

/** What follows from it. */
export interface SidesSolution {
  readonly pi: readonly number[];
  readonly v: number;
  /** E_π̄[Q] and max Q, between which V lies. */
  readonly meanOfQ: number;
  readonly maximumOfQ: number;
  /** τ log(π/π̄), from the policy; at τ = 0 and ∞, where it is 0 · ∞ and ∞ · 0, its limit Q − V. */
  readonly advantages: readonly number[];
}

/** The lowest probability that a knob can choose: log π stays finite. */
export const LOWEST_PROBABILITY = 0.002;

/** π and V of Q (§3.2), by the limits of their formulas at τ = 0 and at τ = ∞. */
export function solveSides({ q, prior, tau }: Sides): SidesSolution {
  const values = qValues(Float64Array.from(q));
  const reference = logPriorOf(prior);
  const meanOfQ = meanUnder(q, reference);
  const maximumOfQ = softValue(values, reference, 0);
  const [v, logPi] =
    tau === 0
      ? [maximumOfQ, greedyPolicy(values, reference)]
      : tau === Number.POSITIVE_INFINITY
        ? [meanOfQ, logProbabilities(Float64Array.from(reference))]
        : [softValue(values, reference, tau), boltzmannPolicy(values, reference, tau)];
  const isLimit = tau === 0 || tau === Number.POSITIVE_INFINITY;
  const advantages = isLimit ? q.map((x) => x - v) : Array.from(qFromPolicy(0, logPi, reference, tau));
  return { pi: Array.from(logPi, Math.exp), v, meanOfQ, maximumOfQ, advantages };
}

/** Q of another policy, with V held: Q = V + τ log(π/π̄) (57). τ must be positive and finite. */
export function withPolicy(sides: Sides, v: number, pi: readonly number[]): Sides {
  const logPi = logProbabilities(Float64Array.from(pi, Math.log));
  return { ...sides, q: Array.from(qFromPolicy(v, logPi, logPriorOf(sides.prior), sides.tau)) };
}

/** The distribution with p(a) set, and the others in their old proportions. */
export function withProbability(p: readonly number[], action: number, wanted: number): readonly number[] {
  const others = 1 - p[action];
  const most = 1 - LOWEST_PROBABILITY * (p.length - 1);
  const chosen = Math.min(most, Math.max(LOWEST_PROBABILITY, wanted));
  const share = (x: number) => (others > 0 ? x / others : 1 / (p.length - 1));
  const next = p.map((x, b) =>
    b === action ? chosen : Math.max(LOWEST_PROBABILITY, share(x) * (1 - chosen)),
  );
  // Where another one was held at the lowest, the sum is above one.
  const sum = next.reduce((total, x) => total + x, 0);
  return next.map((x) => x / sum);
}

function logPriorOf(prior: readonly number[]): LogPrior {
  return logPrior(Float64Array.from(prior, Math.log));
}

/** E_π̄[Q]: the average of one state without a price. */
function meanUnder(q: readonly number[], prior: LogPrior): number {
  const mdp = finiteMdp({ transitions: [q.map(() => [1])], rewards: [[...q]] });
  const problem = { mdp, logPrior: prior, tau: 0, gamma: 0 };
  return policyAverage(problem, logProbabilities(Float64Array.from(prior)), qValues(Float64Array.from(q)))[0];
}
