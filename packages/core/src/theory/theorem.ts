/**
 * The theorem of §4, measured on traced gradients: the difference between the gradients of soft Q-learning
 * and of the policy gradient.
 *
 * Per sample this difference must equal the closed-form gap; its expectation over actions a ~ π_θ must be
 * zero.
 */

import { requireInteger, requireLength } from "../base/errors.js";
import type { Random } from "../base/random.js";
import { a2cStreamScales, type StreamScales, unscaledStreams } from "../losses/soft-q.js";
import { exp } from "../math/logspace.js";
import {
  type LogPrior,
  type LogProbabilities,
  logPrior as logPriorOf,
  logProbabilities,
  type QValues,
  qValues,
  type StateValues,
  stateValues,
} from "../math/units.js";
import { largest, relative } from "../mdp/residual.js";
import type { PolicyValueNetwork, QNetwork } from "../nn/heads.js";
import { gradientVector } from "../nn/parameters.js";
import type { Executor } from "../tensor/executor.js";
import { add, constant, gather, input, mul, state } from "../tensor/operations.js";
import { program } from "../tensor/program.js";
import { createReferenceExecutor } from "../tensor/reference-executor.js";
import type { Tensor } from "../tensor/tensor.js";
import { type Formulas, formulas as libraryFormulas } from "./formulas.js";

/** A parameterisation of Q_θ: Q itself, or the two streams V and log π that determine it (57). */
export type TheoremNetwork = QNetwork | PolicyValueNetwork;

/** Options for tracing the theorem. */
export interface TheoremOptions {
  readonly tau: number;
  /** The value weight c of the rescaled form (§6.3); if omitted, the unscaled form of §4. */
  readonly valueWeight?: number;
  /** The formulas to measure; defaults to those of the library. A mutant replaces some of them. */
  readonly formulas?: Formulas;
  /** Where to run; defaults to the float64 reference executor. */
  readonly executor?: Executor;
}

/** One sample (s, a), with the quantities that are held constant. */
export interface TheoremSample {
  readonly observation: ArrayLike<number>;
  readonly action: number;
  /** Δ_t */
  readonly advantage: number;
  /** V̂_t = V(s_t) + Δ_t */
  readonly valueTarget: number;
  /** y_t = τ KL_t + V(s_t) + Δ_t */
  readonly softQTarget: number;
}

/** The three gradients of one sample, [P] each, copies. */
export interface TheoremGradients {
  /** ∇½(Q_θ(s,a) − y)², with its streams scaled by p and c (1 and 1, or 1/τ and the value weight). */
  readonly softQ: Float64Array;
  /** p τ times the gradient of the policy loss plus c times that of the value loss. */
  readonly policyAndValue: Float64Array;
  /** The closed-form gap, as in `theoremGap`. */
  readonly gap: Float64Array;
}

/** V, log π [A] and KL at one observation. */
export interface TheoremState {
  readonly v: number;
  readonly logPi: LogProbabilities;
  readonly kl: number;
}

/** A traced theorem, which can be measured at any parameters, states and targets. */
export interface TracedTheorem {
  /** θ [P]: the caller writes the parameters here. */
  readonly theta: Float64Array | Float32Array;
  /** Evaluates the network at one observation. */
  state(observation: ArrayLike<number>, logPrior: LogPrior): TheoremState;
  /** Evaluates the three gradients at one sample. */
  gradients(sample: TheoremSample, logPrior: LogPrior): TheoremGradients;
}

/** Traces the losses and the gap of one sample, and their gradients with respect to θ. */
export function traceTheorem(network: TheoremNetwork, options: TheoremOptions): TracedTheorem {
  const { tau, valueWeight, formulas = libraryFormulas } = options;
  const executor = options.executor ?? createReferenceExecutor({ precision: "float64" });
  const { theta, views, prior, q, v, logPi } = traceHeads(network, tau, formulas);
  const actions = input("action", [1]);
  const advantages = input("advantage", [1]);
  const valueTargets = stateValues(input("valueTarget", [1]));
  const softQTargets = qValues(input("softQTarget", [1]));

  // The right side uses the correct scales, so that a wrong rescaling on the left is detected.
  const scales: StreamScales<number> =
    valueWeight === undefined ? unscaledStreams : a2cStreamScales(tau, valueWeight);
  const terms = { logPi, logPrior: prior, actions, tau };
  const softQ =
    valueWeight === undefined
      ? formulas.softQLoss({ q, actions, targets: softQTargets })
      : formulas.softQStreamsLoss({
          ...terms,
          v,
          targets: softQTargets,
          scales: formulas.a2cStreamScales(tau, valueWeight),
        });
  const policyAndValue = add(
    mul(scales.policy * tau, formulas.policyGradientLoss({ ...terms, advantages })),
    mul(scales.value, formulas.valueLoss({ v, targets: valueTargets })),
  );
  const gap = formulas.theoremGap({ ...terms, v, scales });

  const gradientOf = (loss: Tensor) => gradientVector(loss, views);
  const session = executor.load({
    state: program({ outputs: { v, logPi, kl: formulas.klToPrior(logPi, prior) } }),
    gradients: program({
      outputs: {
        softQ: gradientOf(softQ),
        policyAndValue: gradientOf(policyAndValue),
        gap: gradientOf(gap),
      },
    }),
  });
  const { state: stateProgram, gradients } = session.programs;
  return {
    theta: session.state(theta),
    state(numbers, logPrior) {
      stateProgram.input("observation").set(numbers);
      stateProgram.input("logPrior").set(logPrior);
      stateProgram.run();
      return {
        v: stateProgram.output("v")[0],
        logPi: logProbabilities(Float64Array.from(stateProgram.output("logPi"))),
        kl: stateProgram.output("kl")[0],
      };
    },
    gradients(sample, logPrior) {
      gradients.input("observation").set(sample.observation);
      gradients.input("logPrior").set(logPrior);
      gradients.input("action")[0] = sample.action;
      gradients.input("advantage")[0] = sample.advantage;
      gradients.input("valueTarget")[0] = sample.valueTarget;
      gradients.input("softQTarget")[0] = sample.softQTarget;
      gradients.run();
      const copy = (name: string) => Float64Array.from(gradients.output(name));
      return { softQ: copy("softQ"), policyAndValue: copy("policyAndValue"), gap: copy("gap") };
    },
  };
}

/**
 * ∇log π(b) for every action b and ∇V at one observation, each traced separately; the closed-form gap is
 * computed from them.
 */
export interface PolicyJacobian {
  /** [A] of [P] */
  readonly logPi: readonly Float64Array[];
  /** [P] */
  readonly v: Float64Array;
}

/** The Jacobian of log π and V with respect to θ, by A + 1 traced gradients. */
export function policyJacobian(
  network: TheoremNetwork,
  thetaNumbers: ArrayLike<number>,
  observationNumbers: ArrayLike<number>,
  logPrior: LogPrior,
  tau: number,
  formulas: Formulas = libraryFormulas,
): PolicyJacobian {
  const { theta, views, observation, prior, v, logPi } = traceHeads(network, tau, formulas);
  // The prior and the observation are outputs too, so that they are inputs of the program even if no gradient
  // needs them.
  const outputs: Record<string, Tensor> = { v: gradientVector(v, views), prior, observation };
  for (let b = 0; b < network.actions; b++) {
    outputs[`logPi ${b}`] = gradientVector(gather(logPi, constant([b])), views);
  }
  const session = createReferenceExecutor({ precision: "float64" }).load({ main: program({ outputs }) });
  const { main } = session.programs;
  session.state(theta).set(thetaNumbers);
  main.input("observation").set(observationNumbers);
  main.input("logPrior").set(logPrior);
  main.run();
  const copy = (name: string) => Float64Array.from(main.output(name));
  return {
    logPi: Array.from({ length: network.actions }, (_, b) => copy(`logPi ${b}`)),
    v: copy("v"),
  };
}

/** The error of the theorem, relative to the gradients; rounding in float64 gives about 1e-15. */
export interface TheoremResidual {
  /** max over samples of ‖softQ − policyAndValue − gap‖∞ / the largest entry of the three. */
  readonly perSample: number;
  /** ‖Σ π_θ(a) (softQ − policyAndValue)‖∞ / the largest entry of the two sums. */
  readonly expected: number;
}

/** One state, with a Δ for each of its actions. */
export interface TheoremActions {
  readonly observation: ArrayLike<number>;
  /** [A] */
  readonly logPrior: LogPrior;
  /** [A] Δ(s, a); the theorem holds for any values. */
  readonly advantages: ArrayLike<number>;
  /** [A] V̂; defaults to V + Δ. */
  readonly valueTargets?: ArrayLike<number>;
  /** [A] y; defaults to τ KL + V + Δ. */
  readonly softQTargets?: ArrayLike<number>;
}

/** The residual at one state, over all its actions. */
export function theoremResidual(
  theorem: TracedTheorem,
  { observation, logPrior, advantages, valueTargets, softQTargets }: TheoremActions,
  tau: number,
): TheoremResidual {
  const { v, logPi, kl } = theorem.state(observation, logPrior);
  requireLength("theoremResidual", "advantages", advantages.length, logPi.length, "one Δ per action");
  const expectedSoftQ = new Float64Array(theorem.theta.length);
  const expectedRest = new Float64Array(theorem.theta.length);
  let perSample = 0;
  for (let action = 0; action < logPi.length; action++) {
    const advantage = advantages[action];
    const { softQ, policyAndValue, gap } = theorem.gradients(
      {
        observation,
        action,
        advantage,
        valueTarget: valueTargets?.[action] ?? v + advantage,
        softQTarget: softQTargets?.[action] ?? tau * kl + v + advantage,
      },
      logPrior,
    );
    const probability = exp(logPi[action]);
    let left = 0;
    for (let i = 0; i < softQ.length; i++) {
      left = Math.max(left, Math.abs(softQ[i] - policyAndValue[i] - gap[i]));
      expectedSoftQ[i] += probability * softQ[i];
      expectedRest[i] += probability * policyAndValue[i];
    }
    const scale = Math.max(largest(softQ), largest(policyAndValue), largest(gap));
    perSample = Math.max(perSample, relative(left, scale));
  }
  let left = 0;
  for (let i = 0; i < expectedRest.length; i++) {
    left = Math.max(left, Math.abs(expectedSoftQ[i] - expectedRest[i]));
  }
  return { perSample, expected: relative(left, Math.max(largest(expectedSoftQ), largest(expectedRest))) };
}

/** The inputs of {@link measureTheorem}. */
export interface TheoremMeasurement {
  readonly network: TheoremNetwork;
  /** θ [P], the current parameters. */
  readonly theta: ArrayLike<number>;
  /** [B, ...observation shape] the visited states. */
  readonly observations: ArrayLike<number>;
  /** The number of states B. */
  readonly batch: number;
  /** [A] log π̄, the same in every state. */
  readonly logPrior: LogPrior;
  readonly tau: number;
  /** The value weight c of the rescaled form (§6.3); if omitted, the unscaled form of §4. */
  readonly valueWeight?: number;
  /** Draws Δ(s, a). */
  readonly random: Random;
  /** The maximum number of states to measure, evenly spaced in the batch; defaults to 4. */
  readonly states?: number;
}

/**
 * The residuals of the theorem in float64 for a network in training: the largest over some of the visited
 * states.
 *
 * The theorem holds for every Δ(s, a), so Δ is drawn at random for each action. It has the size of V, because
 * y − V would lose digits of a smaller one.
 * @throws SoftrlError when lengths do not fit the network.
 */
export function measureTheorem(
  measurement: TheoremMeasurement,
): TheoremResidual & { readonly states: number } {
  const { network, theta, observations, batch, logPrior, tau, random } = measurement;
  const { valueWeight, states = 4 } = measurement;
  const size = network.observationShape.reduce((x, y) => x * y, 1);
  requireInteger("measureTheorem", "states", states, 1);
  requireInteger("measureTheorem", "batch", batch, 1);
  requireLength("measureTheorem", "theta", theta.length, network.parameters.size);
  requireLength("measureTheorem", "observations", observations.length, batch * size);
  requireLength("measureTheorem", "logPrior", logPrior.length, network.actions);
  const theorem = traceTheorem(network, { tau, ...(valueWeight === undefined ? {} : { valueWeight }) });
  theorem.theta.set(theta);
  const count = Math.min(states, batch);
  const residual = { perSample: 0, expected: 0, states: count };
  for (let i = 0; i < count; i++) {
    const b = Math.floor((i * batch) / count);
    const observation = Array.from({ length: size }, (_, k) => observations[b * size + k]);
    const spread = Math.max(1, Math.abs(theorem.state(observation, logPrior).v));
    const advantages = Float64Array.from({ length: network.actions }, () => random.uniform(-spread, spread));
    const here = theoremResidual(theorem, { observation, logPrior, advantages }, tau);
    residual.perSample = Math.max(residual.perSample, here.perSample);
    residual.expected = Math.max(residual.expected, here.expected);
  }
  return residual;
}

/** Traces θ, one observation, π̄, and Q, V and log π of either form of network. */
function traceHeads(network: TheoremNetwork, tau: number, formulas: Formulas) {
  const theta = state("theta", [network.parameters.size]);
  const views = network.parameters.views(theta);
  const observation = input("observation", [1, ...network.observationShape]);
  const prior = logPriorOf(input("logPrior", [network.actions]));
  return {
    theta,
    views,
    observation,
    prior,
    ...headsOf(network.apply(observation, views), prior, tau, formulas),
  };
}

interface Heads {
  readonly q: QValues<Tensor>;
  readonly v: StateValues<Tensor>;
  readonly logPi: LogProbabilities<Tensor>;
}

function headsOf(
  output: ReturnType<TheoremNetwork["apply"]>,
  prior: LogPrior<Tensor>,
  tau: number,
  formulas: Formulas,
): Heads {
  if ("logPi" in output) {
    const { v, logPi } = output;
    return { v, logPi, q: formulas.qFromValueAndPolicy(v, logPi, prior, tau) };
  }
  const q = output;
  return { q, v: formulas.valueFromQ(q, prior, tau), logPi: formulas.policyFromQ(q, prior, tau) };
}
