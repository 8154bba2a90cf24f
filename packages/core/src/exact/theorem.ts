/**
 * The theorem of §4 measured on traced gradients: what soft Q-learning's gradient has beyond the policy gradient's.
 *
 * Per sample the difference must be the closed-form gap; over all actions, weighted by π_θ, nothing may be left.
 */
import { requireLength } from "../base/errors.js";
import type { StreamScales } from "../losses/soft-q.js";
import { a2cStreamScales, unscaledStreams } from "../losses/soft-q.js";
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
import type { Executor } from "../tensor/executor.js";
import { gradient } from "../tensor/gradient.js";
import { add, constant, gather, input, mul } from "../tensor/operations.js";
import { program } from "../tensor/program.js";
import { createReferenceExecutor } from "../tensor/reference-executor.js";
import type { Shape } from "../tensor/shape.js";
import type { Tensor } from "../tensor/tensor.js";
import { type Formulas, formulas as libraryFormulas } from "./formulas.js";
import { relative } from "./residual.js";

/** What a network computes for states: Q itself, or the two streams V and log π that make a Q (57). */
export type TheoremHeads =
  | { readonly form: "q"; readonly q: QValues<Tensor> }
  | { readonly form: "streams"; readonly v: StateValues<Tensor>; readonly logPi: LogProbabilities<Tensor> };

/** A parameterisation of Q_θ that the theorem is measured for. */
export interface TheoremSubject {
  /** The state tensors θ that gradients are taken in. */
  readonly parameters: readonly Tensor[];
  /** The shape of one observation, without the batch. */
  readonly observationShape: Shape;
  /** A */
  readonly actions: number;
  /** Traces the network on observations [B, ...observationShape]. */
  heads(observations: Tensor): TheoremHeads;
}

/** One sample (s, a) with the quantities that are held constant. */
export interface TheoremSample {
  readonly observation: ArrayLike<number>;
  readonly action: number;
  /** V̂_t = V(s_t) + Δ_t. */
  readonly valueTarget: number;
  /** y_t = τ KL_t + V(s_t) + Δ_t. */
  readonly softQTarget: number;
  /** Δ_t. */
  readonly advantage: number;
}

/** The three gradients of one sample, one array a parameter. They are copies. */
export interface TheoremGradients {
  /** ∇½(Q_θ(s,a) − y)², with the streams scaled where scales are given. */
  readonly softQ: readonly Float64Array[];
  /** p τ times the policy gradient's plus c times the value loss's. */
  readonly policyAndValue: readonly Float64Array[];
  /** The closed-form gap. */
  readonly gap: readonly Float64Array[];
}

/** V, log π and KL at one observation, as numbers. */
export interface TheoremState {
  readonly v: number;
  readonly logPi: LogProbabilities;
  readonly kl: number;
}

/** A traced theorem, ready to be measured at any parameters, states and targets. */
export interface TracedTheorem {
  /** The memory of a parameter: write its numbers here. */
  parameter(tensor: Tensor): Float64Array | Float32Array;
  /** Evaluates the network at one observation. */
  state(observation: ArrayLike<number>, logPrior: LogPrior): TheoremState;
  /** Evaluates the three gradients at one sample. */
  gradients(sample: TheoremSample, logPrior: LogPrior): TheoremGradients;
  /** ∇log π(b) for every action b, then ∇V: [A + 1] lists of one array a parameter. */
  jacobian(observation: ArrayLike<number>, logPrior: LogPrior): readonly (readonly Float64Array[])[];
}

/** How a theorem is traced. */
export interface TheoremOptions {
  readonly tau: number;
  /** The value weight c of the rescaled form (§6.3); left out, §4 as it stands. */
  readonly valueWeight?: number;
  /** The formulas to measure; the library's own unless a mutant replaces one. */
  readonly formulas?: Formulas;
  /** Where to run; the float64 reference executor unless given. */
  readonly executor?: Executor;
}

/** Traces losses and gap of one sample, and their gradients in the subject's parameters. */
export function traceTheorem(subject: TheoremSubject, options: TheoremOptions): TracedTheorem {
  const { tau, valueWeight, formulas = libraryFormulas } = options;
  const executor = options.executor ?? createReferenceExecutor({ precision: "float64" });
  const { parameters, actions: A } = subject;
  const observation = input("observation", [1, ...subject.observationShape]);
  const prior = logPriorOf(input("logPrior", [A]));
  const actions = input("action", [1]);
  const advantages = input("advantage", [1]);
  const softQTargets = qValues(input("softQTarget", [1]));
  const { q, v, logPi } = allHeads(subject.heads(observation), prior, tau, formulas);

  // The right side keeps the true scales, so that a wrong rescaling on the left is seen.
  const scales: StreamScales =
    valueWeight === undefined ? unscaledStreams : a2cStreamScales(tau, valueWeight);
  const softQ =
    valueWeight === undefined
      ? formulas.softQLoss({ q, actions, targets: softQTargets })
      : formulas.softQStreamsLoss({
          v,
          logPi,
          logPrior: prior,
          actions,
          targets: softQTargets,
          tau,
          scales: formulas.a2cStreamScales(tau, valueWeight),
        });
  const policyAndValue = add(
    mul(
      scales.policy * tau,
      formulas.policyGradientLoss({ logPi, logPrior: prior, actions, advantages, tau }),
    ),
    mul(scales.value, formulas.valueLoss({ v, targets: stateValues(input("valueTarget", [1])) })),
  );
  const gap = formulas.theoremGap({ v, logPi, logPrior: prior, actions, tau, scales });
  const jacobianRows = [...Array.from({ length: A }, (_, b) => gather(logPi, constant([b]))), v];

  const programs = {
    state: program({ outputs: { v, logPi, kl: formulas.klToPrior(logPi, prior) } }),
    gradients: program({
      outputs: {
        ...named("softQ", gradient(softQ, parameters)),
        ...named("policyAndValue", gradient(policyAndValue, parameters)),
        ...named("gap", gradient(gap, parameters)),
      },
    }),
    jacobian: program({
      outputs: Object.assign({}, ...jacobianRows.map((y, i) => named(`row ${i}`, gradient(y, parameters)))),
    }),
  };
  const session = executor.load(programs);
  const run = (name: keyof typeof programs, inputs: Readonly<Record<string, ArrayLike<number>>>) => {
    const loaded = session.programs[name];
    for (const [key, numbers] of Object.entries(inputs)) {
      // A tabular policy, for one, has no use for the prior.
      if (programs[name].inputs.has(key)) loaded.input(key).set(numbers);
    }
    loaded.run();
    return (output: string) => parameters.map((_, i) => Float64Array.from(loaded.output(`${output} ${i}`)));
  };

  return {
    parameter: (tensor) => session.state(tensor),
    state(observation, logPrior) {
      run("state", { observation, logPrior });
      const { state } = session.programs;
      return {
        v: state.output("v")[0],
        logPi: logProbabilities(Float64Array.from(state.output("logPi"))),
        kl: state.output("kl")[0],
      };
    },
    gradients({ observation, action, advantage, valueTarget, softQTarget }, logPrior) {
      const copies = run("gradients", {
        observation,
        logPrior,
        action: [action],
        advantage: [advantage],
        valueTarget: [valueTarget],
        softQTarget: [softQTarget],
      });
      return { softQ: copies("softQ"), policyAndValue: copies("policyAndValue"), gap: copies("gap") };
    },
    jacobian(observation, logPrior) {
      const copies = run("jacobian", { observation, logPrior });
      return jacobianRows.map((_, i) => copies(`row ${i}`));
    },
  };
}

/** How far the theorem is from holding, relative to the gradients; rounding alone gives about 1e-15 in float64. */
export interface TheoremResidual {
  /** max over samples of ‖softQ − policyAndValue − gap‖∞ / the largest entry of the three. */
  readonly perSample: number;
  /** ‖Σ π_θ(a) (softQ − policyAndValue)‖∞ / the largest entry of the two sums. */
  readonly expected: number;
}

/** Δ(s, a) for every action of one state, and the state. */
export interface TheoremActions {
  readonly observation: ArrayLike<number>;
  /** [A] */
  readonly logPrior: LogPrior;
  /** [A] Δ(s, a), any numbers: the theorem holds for every return. */
  readonly advantages: ArrayLike<number>;
  /** [A] y; left out, τ KL + V + Δ. */
  readonly softQTargets?: ArrayLike<number>;
  /** [A] V̂; left out, V + Δ. */
  readonly valueTargets?: ArrayLike<number>;
}

/** The residual at one state, over all its actions. */
export function theoremResidual(
  theorem: TracedTheorem,
  { observation, logPrior, advantages, softQTargets, valueTargets }: TheoremActions,
  tau: number,
): TheoremResidual {
  const { v, logPi, kl } = theorem.state(observation, logPrior);
  requireLength("theoremResidual", "advantages", advantages.length, logPi.length, "one Δ an action");
  const expectedSoftQ: Float64Array[] = [];
  const expectedRest: Float64Array[] = [];
  let perSample = 0;
  for (let action = 0; action < logPi.length; action++) {
    const advantage = advantages[action];
    const sample: TheoremSample = {
      observation,
      action,
      advantage,
      valueTarget: valueTargets?.[action] ?? v + advantage,
      softQTarget: softQTargets?.[action] ?? tau * kl + v + advantage,
    };
    const { softQ, policyAndValue, gap } = theorem.gradients(sample, logPrior);
    const left = largestOf(softQ, (i, k) => softQ[i][k] - policyAndValue[i][k] - gap[i][k]);
    const scale = Math.max(largestOf(softQ), largestOf(policyAndValue), largestOf(gap));
    perSample = Math.max(perSample, relative(left, scale));
    addScaled(expectedSoftQ, exp(logPi[action]), softQ);
    addScaled(expectedRest, exp(logPi[action]), policyAndValue);
  }
  const left = largestOf(expectedSoftQ, (i, k) => expectedSoftQ[i][k] - expectedRest[i][k]);
  return { perSample, expected: relative(left, Math.max(largestOf(expectedSoftQ), largestOf(expectedRest))) };
}

/** max over all entries of all arrays of |entry(i, k)|; of the arrays' own entries unless told. */
function largestOf(arrays: readonly Float64Array[], entry = (i: number, k: number) => arrays[i][k]): number {
  let high = 0;
  for (let i = 0; i < arrays.length; i++) {
    for (let k = 0; k < arrays[i].length; k++) high = Math.max(high, Math.abs(entry(i, k)));
  }
  return high;
}

/** sums += factor · arrays, where no sum yet is zeros. */
function addScaled(sums: Float64Array[], factor: number, arrays: readonly Float64Array[]): void {
  arrays.forEach((array, i) => {
    sums[i] ??= new Float64Array(array.length);
    for (let k = 0; k < array.length; k++) sums[i][k] += factor * array[k];
  });
}

/** V, log π and Q of either form. */
function allHeads(heads: TheoremHeads, prior: LogPrior<Tensor>, tau: number, formulas: Formulas) {
  if (heads.form === "streams") {
    const { v, logPi } = heads;
    return { v, logPi, q: formulas.qFromValueAndPolicy(v, logPi, prior, tau) };
  }
  const { q } = heads;
  return { q, v: formulas.valueFromQ(q, prior, tau), logPi: formulas.policyFromQ(q, prior, tau) };
}

function named(name: string, tensors: readonly Tensor[]): Record<string, Tensor> {
  return Object.fromEntries(tensors.map((tensor, i) => [`${name} ${i}`, tensor]));
}
