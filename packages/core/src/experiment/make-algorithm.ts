import type { Algorithm, AlgorithmContext } from "../algorithms/algorithm.js";
import { hasStatistics } from "../algorithms/observation-moments.js";
import { NetworkPolicy, type Policy } from "../algorithms/policy.js";
import { requireEffects } from "../algorithms/setting-effects.js";
import { fail } from "../base/errors.js";
import type { LiveSettings } from "../base/live-settings.js";
import { RandomStreams } from "../base/random.js";
import type { VectorEnvironment } from "../envs/environment.js";
import { inputSettings } from "../nn/network-kind.js";
import { stepRule, stepSettings } from "../optim/optimiser-kind.js";
import type { Executor } from "../tensor/executor.js";
import { bodyOf } from "./make-body.js";
import type { RunConfig, RunKinds } from "./run-config.js";
import { sectionValues } from "./section.js";

/**
 * The algorithm that a configuration describes, its parameters drawn from the seed.
 * @param live receives the settings that may change during the run
 * @param threads what the algorithm has to do with other threads
 * @throws SoftrlError when a setting has no effect, the network cannot read the environment's observations, actions are not
 * discrete, or the algorithm does not follow the statistics of observations that the network normalises.
 */
export function makeAlgorithm(
  config: RunConfig,
  { algorithm, network, optimiser }: RunKinds,
  environment: VectorEnvironment,
  executor: Executor,
  live: LiveSettings,
  threads: Pick<AlgorithmContext, "shared" | "workers"> = {},
): Algorithm {
  const own = sectionValues("optimiser", optimiser.settings, config.optimiser);
  const steps = sectionValues("optimiser", stepSettings, config.optimiser);
  const settings = sectionValues("algorithm", algorithm.settings, config.algorithm);
  requireEffects(algorithm, settings);
  const { inputs } = sectionValues("network", inputSettings, config.network);
  const made = algorithm.make(
    {
      environment,
      body: bodyOf(network, config.network, environment.observationSpace),
      stepRule: stepRule(optimiser.make(own), steps, live),
      executor,
      streams: new RandomStreams(config.run.seed),
      ...threads,
    },
    live.add(algorithm.settings, settings),
  );
  if (inputs === "normalised" && !followsObservations(made.policy)) {
    fail("network.inputs", `${algorithm.name} does not keep the statistics of its observations`, {
      expected: "an algorithm that learns with PolicyValueLearner, such as a2c",
      remedy: "choose the inputs unit or raw",
      setting: "inputs",
    });
  }
  return made;
}

function followsObservations(policy: Policy): boolean {
  return (
    policy instanceof NetworkPolicy && policy.followsObservations && hasStatistics(policy.network.parameters)
  );
}
