/** Exact measurements of a run while it learns, on an environment with an exact process. */
import type { Algorithm, PolicyValueModel } from "../algorithms/algorithm.js";
import { fail } from "../base/errors.js";
import { type Random, RandomStreams } from "../base/random.js";
import type { Saveable, Snapshot } from "../base/snapshot.js";
import type { VectorEnvironment } from "../envs/environment.js";
import { exp } from "../math/logspace.js";
import { logPrior, stateValues } from "../math/units.js";
import { cosine, type TracedDirections, traceDirections } from "../mdp/directions.js";
import { nStepAdvantages } from "../mdp/policy-gradient.js";
import { relativeDifference } from "../mdp/residual.js";
import type { SoftMdp } from "../mdp/soft-mdp.js";
import { type SoftSolution, softPolicyIteration } from "../mdp/solvers.js";
import { type Mdp, type SparseMdp, sparseMdp, validateMdp } from "../mdp/sparse-mdp.js";
import { reachableStates, type TruthFigures, truthOf } from "../mdp/truth.js";
import { type OracleMeasurement, savedMeasurements, saveMeasurements } from "./oracle-measurement.js";
import type { RunConfig } from "./run-config.js";

/**
 * Solves the exact process of a run's environment, and measures the run against it.
 *
 * It reads θ and changes nothing: a run with an oracle is, bit for bit, the run without. The process has no time limit
 * (a truncation bootstraps, so that V_θ still estimates V_π of the process), and states are weighted by
 * γ-discounted visits from the start. All in float64, on whatever executor the run learns.
 *
 * A run that normalises returns learns from rewards divided by a running deviation σ: it is measured against the process
 * with rewards/σ at the present σ, and the figures are multiplied by σ, so that they are in the environment's reward.
 */
export class Oracle implements Saveable {
  readonly #batch: number;
  readonly #seed: number;
  readonly #model: () => PolicyValueModel;
  readonly #mdp: SparseMdp;
  readonly #reachable: Uint8Array;
  #solved: SolvedProblem;
  #answers: OracleMeasurement[] = [];

  /**
   * @throws SoftrlError when the environment has no exact process, when the algorithm does not learn log π and V, or when
   * nothing is optimal (γ = 1, no end).
   */
  constructor(config: RunConfig, environment: VectorEnvironment, algorithm: Algorithm) {
    const mdp = sparseMdp(exactProcess(environment));
    const model = exactModel("oracleEvery", config.algorithm.name, algorithm);
    this.#batch = environment.size * model.horizon;
    this.#seed = config.run.seed;
    this.#model = () => algorithm.model ?? model;
    this.#mdp = mdp;
    this.#reachable = reachableStates(mdp);
    this.#solved = solve(mdp, model);
  }

  /** V*, Q* and π* with a certified bound on their error; ∞ for γ = 1. */
  get optimum(): SoftSolution {
    return this.#solved.optimum;
  }

  /** All measurements, the newest last. */
  get answers(): readonly OracleMeasurement[] {
    return this.#answers;
  }

  /** Measures the parameters as they are now; the batch is drawn from the run's seed and the step. */
  measure(step: number): OracleMeasurement {
    const model = this.#model();
    if (!isSolved(this.#solved, model)) this.#solved = solve(this.#mdp, model);
    const { problem, optimum, traced } = this.#solved;
    const { terminal, actions } = problem.mdp;
    const { logPi, v: estimated } = traced.evaluate(model.theta());
    const v = stateValues(estimated.map((x, s) => (terminal[s] ? 0 : x)));
    // The naive bonus leaves KL out of the returns, and so out of what V_θ estimates.
    const learned = model.bonusInReturns ? problem : { ...problem, tau: 0 };
    const estimate = { problem, logPi, v, tauOfValues: learned.tau };
    const { figures, v: trueV, visits } = truthOf(estimate, optimum, this.#reachable);

    const weights = Float64Array.from(logPi, (logP, row) => visits[Math.floor(row / actions)] * exp(logP));
    const batch = batchWeights(weights, this.#batch, new RandomStreams(this.#seed).stream("oracle", step));
    const advantages = nStepAdvantages(learned, logPi, v, model.horizon, model.lambda);
    const trueAdvantages = nStepAdvantages(problem, logPi, trueV, 1);
    const expected = traced.directions(weights, advantages);
    const sampled = traced.directions(batch, advantages);
    const truth = traced.directions(weights, trueAdvantages);
    const answer = {
      step,
      figures: {
        ...inReward(figures, rewardScaleOf(model)),
        theoremResidual: relativeDifference(expected.softQ, expected.policyAndValue),
        batchCosine: cosine(sampled.softQ, sampled.policyAndValue),
        batchGap: relativeDistance(sampled.softQ, sampled.policyAndValue),
        gradientCosine: cosine(expected.policy, truth.policy),
      },
    };
    this.#answers.push(answer);
    return answer;
  }

  /** The answers. */
  save(): Snapshot {
    return saveMeasurements(this.#answers);
  }

  restore(snapshot: Snapshot): void {
    this.#answers = savedMeasurements("Oracle.restore", snapshot);
  }
}

/** The exact problem of a run at its present τ and γ, and its solution. */
interface SolvedProblem {
  readonly model: PolicyValueModel;
  readonly problem: SoftMdp;
  readonly optimum: SoftSolution;
  readonly traced: TracedDirections;
}

function solve(mdp: SparseMdp, model: PolicyValueModel): SolvedProblem {
  const { tau, gamma, logPrior: prior, network, valueCoefficient } = model;
  const { states, actions } = mdp;
  const priors = Float64Array.from({ length: states * actions }, (_, row) => prior[row % actions]);
  const scale = rewardScaleOf(model);
  const scaled = scale === 1 ? mdp : { ...mdp, rewards: mdp.rewards.map((reward) => reward / scale) };
  const problem = { mdp: scaled, logPrior: logPrior(priors), tau, gamma };
  const observations = new Float32Array(states * states);
  for (let s = 0; s < states; s++) observations[s * states + s] = 1;
  return {
    model,
    problem,
    optimum: softPolicyIteration(problem),
    traced: traceDirections({
      network,
      observations,
      states,
      logPrior: prior,
      tau,
      valueWeight: valueCoefficient,
    }),
  };
}

/** Whether the problem is that of the model now: τ, γ, c and the unit of rewards may change during a run. */
function isSolved({ model }: SolvedProblem, now: PolicyValueModel): boolean {
  return (
    model.tau === now.tau &&
    model.gamma === now.gamma &&
    model.valueCoefficient === now.valueCoefficient &&
    rewardScaleOf(model) === rewardScaleOf(now)
  );
}

const rewardScaleOf = ({ rewardScale = 1 }: PolicyValueModel): number => rewardScale;

/** Figures of rewards that were divided by `scale`, in units of the environment's reward again. */
function inReward(figures: TruthFigures, scale: number): TruthFigures {
  const { policyError, policyErrorVisited, ...inUnits } = figures;
  const values = Object.fromEntries(Object.entries(inUnits).map(([name, figure]) => [name, figure * scale]));
  return { ...(values as typeof inUnits), policyError, policyErrorVisited };
}

/**
 * What the exact tools read of an algorithm.
 * @throws SoftrlError when it does not learn log π and V.
 */
export function exactModel(where: string, name: string, { model }: Algorithm): PolicyValueModel {
  return (
    model ??
    fail(where, `${name} cannot be measured exactly`, {
      expected: "an algorithm with a model of log π and V, such as a2c or soft-q",
      got: name,
    })
  );
}

/**
 * The process of an environment whose observations are its states, one-hot.
 * @throws SoftrlError that lists the built-in environments that have one.
 */
export function exactProcess(environment: VectorEnvironment): Mdp {
  const { id, mdp, observationSpace, actionSpace } = environment;
  if (mdp === undefined) {
    fail("oracleEvery", `${id} has no exact process`, {
      expected:
        "a table such as FrozenLake-v1 or GridWorld-v0, or an environment of your own with a property mdp",
      remedy: "choose one of them, or leave oracleEvery at 0",
      setting: "oracleEvery",
    });
  }
  validateMdp(mdp, `the process of ${id}`);
  const observed = observationSpace.kind === "box" ? observationSpace.shape : [];
  if (observed.length !== 1 || observed[0] !== mdp.states) {
    fail("oracleEvery", `the observations of ${id} are not the states of its process`, {
      expected: `one-hot vectors of length ${mdp.states}, oneHotSpace(${mdp.states})`,
      got: `[${observed.join(", ")}]`,
    });
  }
  if (actionSpace.kind !== "discrete" || actionSpace.n !== mdp.actions) {
    fail("oracleEvery", `the actions of ${id} are not those of its process`, {
      expected: String(mdp.actions),
      got: actionSpace.kind === "discrete" ? String(actionSpace.n) : "a box",
    });
  }
  return mdp;
}

/** How often each (s, a) is in a batch of draws from `weights` [S, A], as a share of it. */
function batchWeights(weights: Float64Array, size: number, random: Random): Float64Array {
  const shares = new Float64Array(weights.length);
  for (let i = 0; i < size; i++) {
    let left = random.float();
    let row = 0;
    // Rounding may leave a draw beyond the last: the last with any weight has it.
    let last = 0;
    for (; row < weights.length; row++) {
      if (weights[row] === 0) continue;
      last = row;
      left -= weights[row];
      if (left < 0) break;
    }
    shares[last] += 1 / size;
  }
  return shares;
}

/** |x − y| / |y|; 0 for two zeros. */
function relativeDistance(x: Float64Array, y: Float64Array): number {
  let [difference, norm] = [0, 0];
  for (let i = 0; i < x.length; i++) {
    difference += (x[i] - y[i]) ** 2;
    norm += y[i] * y[i];
  }
  return difference === 0 ? 0 : Math.sqrt(difference / norm);
}
