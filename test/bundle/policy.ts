import {
  decodeCheckpoint,
  type Executor,
  input,
  learnedTheta,
  logProbabilities,
  mlp,
  mode,
  policyValueNetwork,
  program,
  state,
} from "softrl";

/** CartPole's policy: the most probable action for an observation. */
export function policyOf(checkpoint: Uint8Array, executor: Executor) {
  const network = policyValueNetwork(mlp([64, 64]), [4], 2);
  const theta = state("theta", [network.parameters.size]);
  const { logPi } = network.apply(input("observation", [1, 4]), network.parameters.views(theta));
  const session = executor.load({ judge: program({ outputs: { logPi } }) });
  session.state(theta).set(learnedTheta("checkpoint", decodeCheckpoint("checkpoint", checkpoint)));
  const { judge } = session.programs;
  return (observation: ArrayLike<number>) => {
    judge.input("observation").set(observation);
    judge.run();
    return mode(logProbabilities(judge.output("logPi")));
  };
}
