import type { Algorithm } from "../algorithms/algorithm.js";
import { algorithmEntry } from "../algorithms/registry.js";
import { RandomStreams } from "../base/random.js";
import type { VectorEnvironment } from "../envs/environment.js";
import { actionCount, observationLength } from "../envs/spaces.js";
import { theoremGap } from "../losses/theorem-gap.js";
import { log } from "../math/logspace.js";
import { type LogPrior, logPrior } from "../math/units.js";
import { minAtarCnn, mlp, natureCnn } from "../nn/body.js";
import { policyValueNetwork } from "../nn/heads.js";
import type { LayerDefinition } from "../nn/layer.js";
import { rmsprop } from "../optim/rmsprop.js";
import { constantSchedule, linearSchedule } from "../optim/schedule.js";
import type { Executor } from "../tensor/executor.js";
import { sub } from "../tensor/operations.js";
import type { TrainConfig } from "./config.js";

/** What an experiment may change about an algorithm without being a setting of it. */
export interface AlgorithmVariation {
  /**
   * Whether soft Q-learning descends its own loss, or that less the gap between it and the policy gradient (§4),
   * which leaves A2C's step.
   */
  readonly gap?: "kept" | "subtracted";
}

/**
 * The algorithm that a configuration describes, its parameters drawn from the seed.
 * @throws SoftrlError when the network cannot read the environment's observations, or actions are not discrete.
 */
export function makeAlgorithm(
  config: TrainConfig,
  environment: VectorEnvironment,
  executor: Executor,
  { gap = "kept" }: AlgorithmVariation = {},
): Algorithm {
  const actions = actionCount(environment.actionSpace);
  const space = environment.observationSpace;
  const shape = space.kind === "box" ? space.shape : [observationLength(space)];
  const body = networkBody(config);
  const { learningRate, schedule } = config;
  return algorithmEntry(config.algorithm).make(
    environment,
    policyValueNetwork(body, shape, actions),
    executor,
    new RandomStreams(config.seed),
    {
      horizon: config.horizon,
      gamma: config.gamma,
      tau: config.tau,
      logPrior: referencePolicy(config.reference, actions),
      entropyBonus: config.entropyBonus,
      valueCoefficient: config.valueCoefficient,
      optimiser: rmsprop({
        decay: config.rmspropDecay,
        epsilon: config.rmspropEpsilon,
        epsilonPlace: "inside",
      }),
      learningRate: schedule === "linear" ? linearSchedule(learningRate, 0) : constantSchedule(learningRate),
      totalSteps: config.steps,
      maxGradientNorm: config.maxGradientNorm,
      trustRegion: config.trustRegion,
      longestStep: config.longestStep,
      fisherDamping: config.fisherDamping,
      conjugateGradientSteps: config.conjugateGradientSteps,
      valueSteps: config.valueSteps,
      ...(gap === "kept" ? {} : { variation: (loss, terms) => sub(loss, theoremGap(terms)) }),
    },
  );
}

function networkBody({ network, hiddenSizes }: TrainConfig): LayerDefinition {
  switch (network) {
    case "mlp":
      return mlp(hiddenSizes);
    case "nature-cnn":
      return natureCnn();
    case "minatar-cnn":
      return minAtarCnn();
  }
}

/** log π̄ [A]: zeros for the counting measure, −log A for the uniform distribution. */
export function referencePolicy(reference: TrainConfig["reference"], actions: number): LogPrior {
  return logPrior(new Float64Array(actions).fill(reference === "uniform" ? -log(actions) : 0));
}
