/** The networks on which the theorem is checked, and rollouts with an enumerated first action. */
import type { Random } from "../base/random.js";
import { emptyTrajectory, successorValuesInto } from "../math/returns.js";
import { type LogPrior, qValues, stateValues } from "../math/units.js";
import { mlp, natureCnn } from "../nn/body.js";
import { policyValueNetwork, qNetwork } from "../nn/heads.js";
import { fanInUniform, uniform } from "../nn/initialiser.js";
import { scaledInput } from "../nn/input.js";
import { Parameters } from "../nn/parameters.js";
import { matmul } from "../tensor/operations.js";
import { discount, draws } from "./cases.js";
import type { Formulas } from "./formulas.js";
import {
  type TheoremActions,
  type TheoremNetwork,
  type TheoremOptions,
  type TracedTheorem,
  traceTheorem,
} from "./theorem.js";

/** A network in general position, with the range of its observations. */
export interface TheoremCase {
  readonly name: string;
  readonly network: TheoremNetwork;
  /** Takes seconds rather than milliseconds. */
  readonly slow: boolean;
  observation(random: Random): Float64Array;
}

const tabularStates = 3;
const vectorObservation = (random: Random) => draws(random, 4, -1, 1);
const frames = (random: Random) => Float64Array.from({ length: 84 * 84 * 4 }, () => random.integer(256));

/** Q_θ(s, ·) = θ[s, ·]: a table whose softmax is the policy. */
export const tabularCase: TheoremCase = {
  name: "tabular softmax",
  slow: false,
  network: {
    observationShape: [tabularStates],
    actions: 4,
    parameters: new Parameters([{ name: "q", shape: [tabularStates, 4], initialiser: uniform(1) }]),
    apply: (observations, [table]) => qValues(matmul(observations, table)),
  },
  observation(random) {
    const oneHot = new Float64Array(tabularStates);
    oneHot[random.integer(tabularStates)] = 1;
    return oneHot;
  },
};

/** Q_θ by a multi-layer perceptron. */
export const mlpCase: TheoremCase = {
  name: "MLP with Q head",
  slow: false,
  network: qNetwork(mlp([8, 8]), [4], 4),
  observation: vectorObservation,
};

/** Q_θ = V_θ + τ log(π_θ/π̄) by a multi-layer perceptron with two heads. */
export const mlpStreamsCase: TheoremCase = {
  name: "MLP with V and log π heads",
  slow: false,
  network: policyValueNetwork(mlp([8, 8]), [4], 4),
  observation: vectorObservation,
};

/** Q_θ by the Nature CNN on 84 × 84 × 4 bytes. */
export const natureCnnCase: TheoremCase = {
  name: "Nature CNN with Q head",
  slow: true,
  network: qNetwork(scaledInput(natureCnn(), 1 / 255), [84, 84, 4], 3),
  observation: frames,
};

/** The Nature CNN with two heads. */
export const natureCnnStreamsCase: TheoremCase = {
  name: "Nature CNN with V and log π heads",
  slow: true,
  network: policyValueNetwork(scaledInput(natureCnn(), 1 / 255), [84, 84, 4], 3),
  observation: frames,
};

/** Traces the theorem for a case and draws its parameters, biases included, with {@link fanInUniform}. */
export function drawnTheorem(
  { network }: TheoremCase,
  options: TheoremOptions,
  random: Random,
): TracedTheorem {
  const theorem = traceTheorem(network, options);
  for (const { shape, offset } of network.parameters.entries) {
    theorem.theta.set(fanInUniform(shape.length === 1 ? [1, ...shape] : shape, random), offset);
  }
  return theorem;
}

/**
 * One state with Δ, V̂ and y for every first action. Each comes from its own rollout, which starts with that
 * action: T steps, one environment per action, some with a termination, some with a truncation, some that
 * continue.
 */
export function enumeratedActions(
  { network, observation }: TheoremCase,
  theorem: TracedTheorem,
  formulas: Formulas,
  { logPrior, tau, n, shift }: { logPrior: LogPrior; tau: number; n: number; shift: number },
  random: Random,
): TheoremActions {
  const A = network.actions;
  const steps = 3;
  const start = observation(random);
  const trajectory = emptyTrajectory(steps, A);
  const finalValues = stateValues(new Float64Array(steps * A));
  for (let i = 0; i < steps * A; i++) {
    const t = Math.floor(i / A);
    const here = theorem.state(t === 0 ? start : observation(random), logPrior);
    trajectory.rewards[i] = random.uniform(-1, 1);
    trajectory.values[i] = here.v;
    trajectory.kl[i] = here.kl;
    // Rotate the endings over the actions, so that over the cases each action occurs with each ending.
    const ending = (i + shift) % 4;
    trajectory.terminated[i] = t < 2 && ending === 1 ? 1 : 0;
    trajectory.truncated[i] = t < 2 && ending === 2 ? 1 : 0;
    if (trajectory.truncated[i]) finalValues[i] = theorem.state(observation(random), logPrior).v;
  }
  const last = Float64Array.from({ length: A }, () => theorem.state(observation(random), logPrior).v);
  const { truncated, bootstrapValues } = trajectory;
  successorValuesInto(trajectory.values, stateValues(last), finalValues, truncated, bootstrapValues);

  const delta = new Float64Array(steps * A);
  const advantages = new Float64Array(steps * A);
  const valueTargets = stateValues(new Float64Array(steps * A));
  const softQTargets = qValues(new Float64Array(steps * A));
  formulas.softTemporalDifferencesInto(trajectory, tau, discount, delta);
  formulas.nStepAdvantagesInto(trajectory, delta, discount, n, advantages);
  formulas.valueTargetsInto(trajectory.values, advantages, valueTargets);
  formulas.softQTargetsInto(trajectory.kl, tau, trajectory.values, advantages, softQTargets);
  return {
    observation: start,
    logPrior,
    advantages: advantages.subarray(0, A),
    valueTargets: valueTargets.subarray(0, A),
    softQTargets: softQTargets.subarray(0, A),
  };
}
