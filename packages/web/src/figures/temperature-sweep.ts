/** The maze's exact solution at each temperature: how soft, how costly, and how fast it is found. */
import {
  entropy,
  largest,
  occupancy,
  optimalityBackupOfV,
  policyValues,
  type SoftMdp,
  type SoftSolution,
  type StateValues,
  softPolicyIteration,
  stateValues,
} from "softrl";
import { maze, startCell, uniformPrior } from "./maze.js";

/** What the solution of one temperature is like. */
export interface TemperatureFacts {
  readonly tau: number;
  /** exp(entropy of π), averaged over the discounted visits: 1 is certain, A is uniform. */
  readonly softness: number;
  /** V* − V_π of the start at τ = 0: the expected reward that π gives up. */
  readonly regret: number;
}

/** A temperature's solution, and the errors of value iteration on the way to it. */
export interface TemperatureSolution extends TemperatureFacts {
  /** [S] */
  readonly v: Float64Array;
  /** [S, A] π */
  readonly pi: readonly number[];
  /** max_s |T^n V − V*| from V = 0, for n = 0, 1, …, until rounding. */
  readonly errors: readonly number[];
}

const problemOf = (tau: number, gamma: number): SoftMdp => ({
  mdp: maze,
  logPrior: uniformPrior,
  tau,
  gamma,
});

/** The facts of each temperature. */
export function sweepTemperatures(taus: readonly number[], gamma: number): readonly TemperatureFacts[] {
  const best = bestReturn(gamma);
  return taus.map((tau) => {
    const problem = problemOf(tau, gamma);
    return factsOf(problem, softPolicyIteration(problem), best);
  });
}

/** The solution of one temperature, with at most `backups` errors. */
export function solveTemperature(tau: number, gamma: number, backups: number): TemperatureSolution {
  const problem = problemOf(tau, gamma);
  const solution = softPolicyIteration(problem, { tolerance: 1e-12 });
  const errors: number[] = [];
  let v: StateValues = stateValues(new Float64Array(maze.states));
  for (let n = 0; n <= backups; n++) {
    const error = largest(v.map((x, s) => Math.abs(x - solution.v[s])));
    if (error < 1e-11) break;
    errors.push(error);
    v = optimalityBackupOfV(problem, v);
  }
  return {
    ...factsOf(problem, solution, bestReturn(gamma)),
    v: solution.v,
    pi: Array.from(solution.logPi, Math.exp),
    errors,
  };
}

/** V* of the start without a price. */
function bestReturn(gamma: number): number {
  return softPolicyIteration(problemOf(0, gamma)).v[startCell.state];
}

function factsOf(problem: SoftMdp, { logPi }: SoftSolution, best: number): TemperatureFacts {
  const visits = occupancy(problem, logPi);
  let [weighted, total] = [0, 0];
  visits.forEach((weight, s) => {
    weighted += weight * Math.exp(entropy(logPi, s * maze.actions, maze.actions));
    total += weight;
  });
  const earned = policyValues({ ...problem, tau: 0 }, logPi)[startCell.state];
  return { tau: problem.tau, softness: weighted / total, regret: best - earned };
}
