import type { PolicyValueModel } from "../algorithms/algorithm.js";
import { hasStatistics } from "../algorithms/observation-moments.js";
import { fail } from "../base/errors.js";
import { RandomStreams } from "../base/random.js";
import { measureTheorem, type TheoremResidual } from "../theory/theorem.js";
import type { Host } from "./host.js";
import type { LearningCurve } from "./learning-curve.js";
import { exactModel } from "./oracle.js";
import { iterateTogether } from "./train.js";
import type { TrainResult } from "./train-result.js";
import type { Trainer } from "./trainer.js";

/** The outcome of a comparison. */
export interface Comparison {
  /** In the trainers' order. */
  readonly runs: readonly (TrainResult & { readonly curve: LearningCurve })[];
  /** The theorem at the networks that were learned, the larger residual of all; null where none has log π and V. */
  readonly theorem: TheoremInTraining | null;
  /** The largest distance between the trainers' parameters after an update; null unless watched. */
  readonly parameterDistance: ParameterDistance | null;
  readonly interrupted: boolean;
}

/** Residuals of the theorem in float64 on traced gradients, in the form of §6.3, relative to the gradients. */
export interface TheoremInTraining extends TheoremResidual {
  /** States measured. */
  readonly states: number;
  readonly bound: number;
  readonly holds: boolean;
}

/** max |θ − θ'| / max |θ| over all pairs with the first trainer. */
export interface ParameterDistance {
  readonly updates: number;
  readonly largest: number;
}

interface CompareOptions {
  readonly onStarted?: () => void;
  readonly watchParameters?: boolean;
}

const BOUND = 1e-12;
const STATES = 4;

/**
 * Trains runs side by side, an iteration of each in turn, so that their curves grow together. Where algorithms learn log π and
 * V, it measures the theorem that says why A2C's and soft Q-learning's should look alike. It closes no trainer's algorithm:
 * `trainer.algorithm.close?.()` ends the threads of one that has any, and a process waits for threads that are left open.
 *
 * @param onStarted called once all trainers have started
 * @param watchParameters whether to compare the trainers' parameters after every update
 * @throws SoftrlError when parameters are watched of an algorithm that does not learn log π and V, or of different networks.
 */
export async function compare(
  trainers: readonly Trainer[],
  host: Host,
  { onStarted, watchParameters = false }: CompareOptions = {},
): Promise<Comparison> {
  if (watchParameters) requireSameParameters(trainers.map(modelOf));
  for (const trainer of trainers) await trainer.start();
  onStarted?.();
  let distance: ParameterDistance = { updates: 0, largest: 0 };
  await iterateTogether(trainers, host, () => {
    if (watchParameters) distance = larger(distance, trainers);
  });
  const runs = [];
  for (const trainer of trainers) runs.push({ ...(await trainer.finish()), curve: trainer.curve });
  return {
    runs,
    theorem: theoremInTraining(trainers),
    parameterDistance: watchParameters ? distance : null,
    interrupted: runs.some(({ interrupted }) => interrupted),
  };
}

const modelOf = ({ algorithm, config }: Trainer) => exactModel("compare", config.algorithm.name, algorithm);

/** @throws SoftrlError unless all networks have the same parameters, by name and size. */
function requireSameParameters(models: readonly PolicyValueModel[]): void {
  const [first, ...others] = models.map(({ network }) =>
    network.parameters.entries.map(({ name, size }) => `${name} [${size}]`).join(", "),
  );
  const other = others.find((parameters) => parameters !== first);
  if (other === undefined) return;
  fail("compare", "the networks have different parameters, whose distance cannot be watched", {
    expected: first,
    got: other,
    remedy: "give all runs the same network and bodies, or leave watchParameters out",
  });
}

function larger({ updates, largest }: ParameterDistance, trainers: readonly Trainer[]): ParameterDistance {
  const [first, ...others] = trainers.map((trainer) => learnedParameters(modelOf(trainer)));
  const scale = first.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  let distance = largest;
  for (const theta of others) {
    for (let i = 0; i < first.length; i++) {
      distance = Math.max(distance, Math.abs(first[i] - theta[i]) / scale);
    }
  }
  return { updates: updates + 1, largest: distance };
}

/** θ without the statistics of the observations, which no update moves. */
function learnedParameters({ network, theta }: PolicyValueModel): Float64Array {
  const { entries } = network.parameters;
  const all = theta();
  if (!hasStatistics(network.parameters)) return all;
  const learned = entries.filter(({ statistic }) => statistic === undefined);
  return Float64Array.from(
    learned.flatMap(({ offset, size }) => Array.from(all.subarray(offset, offset + size))),
  );
}

/** The theorem at the parameters of each trainer that has log π and V, at the present states of its environments. */
function theoremInTraining(all: readonly Trainer[]): TheoremInTraining | null {
  const trainers = all.filter(({ algorithm }) => algorithm.model !== undefined);
  if (trainers.length === 0) return null;
  const measured = trainers.map((trainer) => {
    const { environment, config } = trainer;
    const { network, theta, logPrior, tau, valueCoefficient } = modelOf(trainer);
    return measureTheorem({
      network,
      theta: theta(),
      observations: environment.observations,
      batch: environment.size,
      logPrior,
      tau,
      valueWeight: valueCoefficient,
      random: new RandomStreams(config.run.seed).stream("theorem"),
      // Frames take seconds in float64: one state of them is enough.
      states: network.observationShape.length > 1 ? 1 : STATES,
    });
  });
  const perSample = Math.max(...measured.map((residual) => residual.perSample));
  const expected = Math.max(...measured.map((residual) => residual.expected));
  const states = measured.reduce((sum, residual) => sum + residual.states, 0);
  return { perSample, expected, states, bound: BOUND, holds: perSample <= BOUND && expected <= BOUND };
}
