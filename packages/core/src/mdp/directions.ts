/**
 * The expected update directions of both algorithms for a network, summed over all states and actions of a
 * process.
 */

import { requireLength } from "../base/errors.js";
import { klToPrior } from "../losses/boltzmann.js";
import { a2cStreamScales, scaleGradient } from "../losses/soft-q.js";
import {
  type LogPrior,
  type LogProbabilities,
  logPrior as logPriorOf,
  logProbabilities,
  type StateValues,
  stateValues,
} from "../math/units.js";
import type { PolicyValueNetwork } from "../nn/heads.js";
import { gradientVector } from "../nn/parameters.js";
import {
  add,
  constant,
  input,
  mul,
  neg,
  reshape,
  square,
  state,
  stopGradient,
  sub,
  sum,
} from "../tensor/operations.js";
import { program } from "../tensor/program.js";
import { createReferenceExecutor } from "../tensor/reference-executor.js";
import type { Tensor } from "../tensor/tensor.js";

/** The network, the states and the coefficients of the losses. */
export interface DirectionsOptions {
  readonly network: PolicyValueNetwork;
  /** [S, ...observation shape], one observation per state. */
  readonly observations: ArrayLike<number>;
  /** S */
  readonly states: number;
  /** [A] log π̄, the same in every state. */
  readonly logPrior: LogPrior;
  readonly tau: number;
  /** c, the weight of the value error (§6.3). */
  readonly valueWeight: number;
}

/** Gradients of the losses with respect to θ: directions of descent. [P] each, copies. */
export interface Directions {
  /** Of soft Q-learning in the form of §6.3: Σ w ½(Q_θ − y)², with the streams scaled by 1/τ and c. */
  readonly softQ: Float64Array;
  /** Of A2C: Σ w (−log π Δ + τ KL) + c Σ w ½(V − V̂)². */
  readonly policyAndValue: Float64Array;
  /** Only the first term of A2C's loss (§3.6). */
  readonly policy: Float64Array;
}

/** The policy, the values and the update directions of a network over all states of a process, in float64. */
export interface TracedDirections {
  /** Evaluates the network with parameters θ [P] in every state. */
  evaluate(theta: ArrayLike<number>): { readonly logPi: LogProbabilities; readonly v: StateValues };
  /**
   * The gradients at the θ of the last call of `evaluate`, for weights w(s,a) [S, A] and Δ(s,a) [S, A]. With
   * w(s,a) = d(s) π_θ(a|s) they are expectations, and the theorem (§4) states that softQ = policyAndValue.
   * With the counts of a batch they are the gradients of that batch, which differ by sampling noise.
   */
  directions(weights: Float64Array, advantages: Float64Array): Directions;
}

/** Traces a network and the gradients of its losses over all states at once. */
export function traceDirections(options: DirectionsOptions): TracedDirections {
  const { network, states, tau, valueWeight } = options;
  const { parameters, actions } = network;
  const shape = [states, ...network.observationShape];
  const size = shape.reduce((x, y) => x * y, 1);
  requireLength("traceDirections", "observations", options.observations.length, size);
  requireLength("traceDirections", "logPrior", options.logPrior.length, actions);

  const theta = state("theta", [parameters.size]);
  const views = parameters.views(theta);
  const prior = logPriorOf(constant(options.logPrior));
  const { logPi, v } = network.apply(input("observations", shape), views);
  const weights = input("weights", [states, actions]);
  const advantages = input("advantages", [states, actions]);
  const perState = (x: Tensor) => reshape(x, [states, 1]);
  const kl = klToPrior(logPi, prior);

  const scales = a2cStreamScales(tau, valueWeight);
  const valueTargets = stopGradient(add(perState(v), advantages));
  const softQTargets = add(valueTargets, mul(tau, stopGradient(perState(kl))));
  const streams = add(
    scaleGradient(perState(v), scales.value),
    scaleGradient(mul(tau, sub(logPi, prior)), scales.policy),
  );
  const softQ = mul(0.5, sum(mul(weights, square(sub(streams, softQTargets)))));
  const policy = add(
    neg(sum(mul(weights, mul(logPi, advantages)))),
    mul(tau, sum(mul(sum(weights, [-1]), kl))),
  );
  const fit = mul(0.5, sum(mul(weights, square(sub(perState(v), valueTargets)))));
  const gradientOf = (loss: Tensor) => gradientVector(loss, views);

  const session = createReferenceExecutor({ precision: "float64" }).load({
    evaluate: program({ outputs: { logPi, v } }),
    directions: program({
      outputs: {
        softQ: gradientOf(softQ),
        policyAndValue: gradientOf(add(policy, mul(scales.value, fit))),
        policy: gradientOf(policy),
      },
    }),
  });
  const { evaluate, directions } = session.programs;
  for (const each of [evaluate, directions]) each.input("observations").set(options.observations);
  return {
    evaluate(numbers) {
      requireLength("TracedDirections.evaluate", "theta", numbers.length, parameters.size);
      session.state(theta).set(numbers);
      evaluate.run();
      return {
        logPi: logProbabilities(Float64Array.from(evaluate.output("logPi"))),
        v: stateValues(Float64Array.from(evaluate.output("v"))),
      };
    },
    directions(visits, delta) {
      directions.input("weights").set(visits);
      directions.input("advantages").set(delta);
      directions.run();
      const copy = (name: string) => Float64Array.from(directions.output(name));
      return { softQ: copy("softQ"), policyAndValue: copy("policyAndValue"), policy: copy("policy") };
    },
  };
}

/** xᵀy / (|x| |y|): 1 if both are zero, 0 if only one is. */
export function cosine(x: Float64Array, y: Float64Array): number {
  let [product, xx, yy] = [0, 0, 0];
  for (let i = 0; i < x.length; i++) {
    product += x[i] * y[i];
    xx += x[i] * x[i];
    yy += y[i] * y[i];
  }
  if (xx === 0 || yy === 0) return xx === yy ? 1 : 0;
  return product / Math.sqrt(xx * yy);
}
