/** Both sides of the theorem (§4) in each cell of the maze, exactly, with the lines of the proof that can be broken. */
import {
  expectedSoftQTargets,
  type FiniteMdp,
  linearQ,
  nStepAdvantages,
  policySampleGradient,
  type QModel,
  RandomStreams,
  type SoftMdp,
  softQGradient,
  softQSampleGradient,
  tabularFeatures,
  valueSampleGradient,
} from "softrl";
import { cells, maze, uniformPrior } from "./maze.js";

/** The discount, and the number of steps that Δ looks ahead. */
const GAMMA = 0.9;
const N = 3;

/** The lines of the theorem: each can be broken by itself. */
export const lines = ["tau", "behaviour", "kl", "terminal"] as const;
export type Line = (typeof lines)[number];

/** The steps of one cell. Each vector has one number per move: the cell's parameters Q_θ(s,·). */
export interface CellSteps {
  readonly state: number;
  readonly v: number;
  /** The probability of each action of the data: π_θ, or π̄ where that line is broken. */
  readonly probabilities: readonly number[];
  /** E[−∇½(Q_θ − y)²] */
  readonly softQ: readonly number[];
  /** E[τ · policy gradient − value gradient] */
  readonly policy: readonly number[];
  /** softQ − policy */
  readonly difference: readonly number[];
  /** For each action, its probability times the difference of its two steps; they add up to `difference`. */
  readonly samples: readonly (readonly number[])[];
}

const features = tabularFeatures(maze.states, maze.actions);
/** The cells that learn: all but the goal and the pit, whose rows of the table no algorithm should read. */
const weights = Float64Array.from(maze.terminal, (ends) => 1 - ends);
/** The same process without endings: what a bootstrap at a terminal state takes it for. */
const endless: FiniteMdp = { ...maze, terminal: new Uint8Array(maze.states) };

const problemOf = (tau: number): SoftMdp => ({ mdp: maze, logPrior: uniformPrior, tau, gamma: GAMMA });

/**
 * The table of values after k of the (unbroken) expected soft-Q steps, in all cells at once. It takes the steps when they
 * are first asked for.
 */
export function learning(tau: number): (k: number) => Float64Array {
  const problem = problemOf(tau);
  const random = new RandomStreams(7).stream("page", "two-arrows");
  const tables = [Float64Array.from(uniformPrior, () => random.uniform(-0.5, 0.5))];
  return (k) => {
    while (tables.length <= k) {
      const table = tables[tables.length - 1];
      const model = linearQ(problem, features, table);
      const targets = expectedSoftQTargets(problem, model, nStepAdvantages(problem, model.logPi, model.v, N));
      const gradient = softQGradient({ problem, model, weights, targets });
      tables.push(table.map((x, i) => x - gradient[i]));
    }
    return tables[k];
  };
}

/** Both steps in every cell in which the agent acts. */
export function stepsInMaze(
  tau: number,
  table: Float64Array,
  broken: ReadonlySet<Line>,
): readonly CellSteps[] {
  const problem = problemOf(tau);
  const model = linearQ(problem, features, table);
  const { logPi, v } = model;
  const advantages = nStepAdvantages(problem, logPi, v, N);
  const forPolicy = broken.has("kl") ? nStepAdvantages({ ...problem, tau: 0 }, logPi, v, N) : advantages;
  const forSoftQ = broken.has("terminal") ? endlessAdvantages(problem, table) : advantages;
  const targets = expectedSoftQTargets(problem, model, forSoftQ);
  const priced = broken.has("tau") ? { ...problem, tau: 2 * tau } : problem;
  const data = broken.has("behaviour") ? uniformPrior : logPi;
  return cells
    .filter(({ state }) => maze.terminal[state] === 0)
    .map(({ state }) => {
      const rows = Array.from({ length: maze.actions }, (_, a) => state * maze.actions + a);
      const own = (gradient: Float64Array) => Array.from(rows, (row) => gradient[row]);
      const probabilities = rows.map((row) => Math.exp(data[row]));
      const samples = rows.map((row, a) => {
        const p = probabilities[a];
        const softQ = own(softQSampleGradient(problem, model, row, targets[row])).map((x) => -p * x);
        const value = own(valueSampleGradient(problem, model, row, forPolicy[row]));
        const rise = own(policySampleGradient(priced, model, row, forPolicy[row]));
        return { softQ, policy: rise.map((x, i) => p * (tau * x - value[i])) };
      });
      const softQ = total(samples.map((sample) => sample.softQ));
      const policy = total(samples.map((sample) => sample.policy));
      return {
        ...{ state, v: v[state], probabilities, softQ, policy },
        difference: minus(softQ, policy),
        samples: samples.map((sample) => minus(sample.softQ, sample.policy)),
      };
    });
}

/** Δ of a target that bootstraps from the table at the goal and at the pit, as if the episode went on there. */
function endlessAdvantages(problem: SoftMdp, table: Float64Array): Float64Array {
  const open = { ...problem, mdp: endless };
  const model: QModel = linearQ(open, features, table);
  return nStepAdvantages(open, model.logPi, model.v, N);
}

const minus = (x: readonly number[], y: readonly number[]) => x.map((xi, i) => xi - y[i]);

const total = (vectors: readonly (readonly number[])[]) =>
  vectors[0].map((_, i) => vectors.reduce((sum, vector) => sum + vector[i], 0));
