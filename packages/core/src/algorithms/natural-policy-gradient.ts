import { allocate } from "../base/allocation.js";
import { type CurrentValues, integerSetting, liveSetting } from "../base/settings.js";
import { type Snapshot, snapshotNumber, snapshotSection } from "../base/snapshot.js";
import { Collector, type OnStep } from "../data/collector.js";
import { ReturnNormaliser } from "../data/return-normaliser.js";
import { klToPrior, policyEntropy } from "../losses/boltzmann.js";
import { policyGradientLoss } from "../losses/policy-gradient.js";
import { valueLoss } from "../losses/value.js";
import { conjugateGradients } from "../math/linear-algebra-conjugate-gradients.js";
import { lambdaAdvantagesInto, softTemporalDifferencesInto, valueTargetsInto } from "../math/returns.js";
import { explainedVariance } from "../math/statistics.js";
import { type LogPrior, logPrior, type StateValues, stateValues } from "../math/units.js";
import { actorAndCritic, type PolicyValueNetwork, policyValueNetwork } from "../nn/heads.js";
import { gradientVector } from "../nn/parameters.js";
import type { LoadedProgram } from "../tensor/executor.js";
import { constant, exp, input, mean, mul, neg, stopGradient, sum } from "../tensor/operations.js";
import { type Program, program } from "../tensor/program.js";
import {
  type Algorithm,
  type AlgorithmContext,
  algorithmKind,
  type IterationReport,
  type PolicyValueModel,
} from "./algorithm.js";
import { referencePolicy } from "./on-policy.js";
import { normalisedVectors, returnSettings } from "./on-policy-settings.js";
import { networkShapes, type Policy } from "./policy.js";
import { type LossTrace, PolicyValueLearner, type TracedLoss } from "./policy-value-learner.js";

const settings = {
  ...returnSettings,
  horizon: integerSetting({
    about: "steps per environment between updates; also n of the n-step returns",
    low: 1,
    high: 65536,
    default: 125,
    source: "measured on CartPole",
  }),
  trustRegion: liveSetting({
    about: "δ, the KL divergence of a step to second order; it falls as the learning rate's schedule does",
    above: 0,
    default: 0.01,
    source: "TRPO (Schulman et al. 2015)",
  }),
  longestStep: liveSetting({
    about:
      "limit on the step size α: at most this value divided by the root mean square of the run's advantages",
    above: 0,
    default: 5,
    source: "measured on CartPole",
  }),
  fisherDamping: liveSetting({
    about: "the number added to the diagonal of the Fisher matrix",
    low: 0,
    default: 0.1,
    source: "OpenAI Baselines' TRPO",
  }),
  conjugateGradientSteps: integerSetting({
    about: "the largest number of Fisher-vector products per step",
    low: 1,
    high: 1000,
    default: 10,
    source: "TRPO (Schulman et al. 2015)",
  }),
  valueSteps: integerSetting({
    about: "optimiser steps of the value's fit after each rollout",
    low: 0,
    high: 1000,
    default: 50,
    source: "measured on CartPole",
  }),
};

/**
 * Natural policy gradient (§5): θ ← θ + α w with (F + damping) w = g, solved by conjugate gradients, and
 * α = √(2δ / wᵀ(F + damping) w), at most `longestStep` over √(mean Δ²) of the run so far: once Δ is small for the task,
 * g is mostly noise, and a whole trust region of it would be a step in a random direction.
 *
 * g is A2C's policy gradient and F x = ∇(∇KL[π_old‖π_θ]ᵀ x), the trace differentiated twice. Actor and critic are two
 * copies of the network, so that fitting V does not move the policy out of its trust region.
 */
export const naturalPolicyGradient = algorithmKind({
  name: "npg",
  title: "natural policy gradient",
  about: "policy gradient times the inverse Fisher matrix, by conjugate gradients",
  settings,
  defaults: (family) => (family === "vector" || family === "table" ? normalisedVectors : {}),
  make: (context, current) => new NaturalPolicyGradient(context, current),
});

class NaturalPolicyGradient implements Algorithm {
  readonly #context: AlgorithmContext;
  readonly #settings: CurrentValues<typeof settings>;
  readonly #network: PolicyValueNetwork;
  readonly #logPrior: LogPrior;
  readonly #collector: Collector;
  readonly #learner: PolicyValueLearner;
  readonly #returns: ReturnNormaliser | null;
  readonly #delta: Float64Array;
  readonly #advantages: Float64Array;
  /** V̂ [T, S] in float64, for the explained variance. */
  readonly #valueTargets: StateValues;
  readonly #gradient: LoadedProgram;
  readonly #fisher: LoadedProgram;
  /** Σ Δ² over all the run's samples, and how many they are. */
  #squares = 0;
  #samples = 0;

  constructor(context: AlgorithmContext, current: CurrentValues<typeof settings>) {
    const { environment } = context;
    const { horizon, reference, normaliseReturns } = current;
    const batch = horizon * environment.size;
    const { observationShape, actions } = networkShapes(environment);
    const network = actorAndCritic(policyValueNetwork(context.body, observationShape, actions));
    const prior = referencePolicy(reference, actions);
    this.#context = context;
    this.#settings = current;
    this.#network = network;
    this.#logPrior = prior;
    this.#collector = new Collector(environment, horizon);
    this.#returns = normaliseReturns ? new ReturnNormaliser(environment.size) : null;
    this.#delta = allocate("NaturalPolicyGradient", Float64Array, batch);
    this.#advantages = allocate("NaturalPolicyGradient", Float64Array, batch);
    this.#valueTargets = stateValues(allocate("NaturalPolicyGradient", Float64Array, batch));
    this.#learner = new PolicyValueLearner({
      context,
      network,
      collector: this.#collector,
      form: () => ({ bodies: "two-networks", tau: current.tau, logPrior: prior }),
      traceLoss: traceValueFit,
      reusesActivations: false,
      tracePrograms: (trace) => tracePolicy(network, prior, trace),
    });
    this.#gradient = this.#learner.program("gradient");
    this.#fisher = this.#learner.program("fisher");
  }

  get policy(): Policy {
    return this.#learner.policy;
  }

  /** Its value has a network and an optimiser of its own: no coefficient weighs its error. */
  get model(): PolicyValueModel {
    const { horizon, lambda, tau, gamma } = this.#settings;
    return {
      network: this.#network,
      theta: () => this.#learner.policy.theta(),
      logPrior: this.#logPrior,
      horizon,
      lambda,
      valueCoefficient: 1,
      bonusInReturns: true,
      rewardScale: this.#returns?.deviation ?? 1,
      tau,
      gamma,
    };
  }

  async iterate(onStep: OnStep): Promise<IterationReport> {
    await this.#collector.collect(this.#learner, onStep);
    return { steps: this.#advantages.length, figures: this.#update() };
  }

  /** The policy's step along the natural gradient, then the value's fit to targets that are numbers. */
  #update(): Readonly<Record<string, number>> {
    const { gamma, lambda, tau, trustRegion, valueSteps } = this.#settings;
    const { rollout } = this.#collector;
    this.#returns?.normalise(rollout, gamma);
    softTemporalDifferencesInto(rollout, tau, gamma, this.#delta);
    lambdaAdvantagesInto(rollout, this.#delta, gamma, lambda, this.#advantages);
    const policy = this.#policyStep(this.#context.stepRule.fallingWithLearningRate(trustRegion));

    valueTargetsInto(rollout.values, this.#advantages, this.#valueTargets);
    this.#learner.input("targets").set(this.#valueTargets);
    const explained = explainedVariance(rollout.values, this.#valueTargets);
    let fit = {};
    for (let i = 0; i < valueSteps; i++) fit = this.#learner.update();
    return { ...fit, ...policy, explainedVariance: explained };
  }

  /** θ ← θ + α w, α = √(2δ / wᵀ(F + damping) w), at most the longest step. Called once a rollout. */
  #policyStep(delta: number): Readonly<Record<string, number>> {
    const { fisherDamping, conjugateGradientSteps, tau } = this.#settings;
    const { observations, theta } = this.#learner;
    const gradient = this.#gradient;
    const fisher = this.#fisher;
    gradient.input("observations").set(observations);
    gradient.input("actions").set(this.#collector.rollout.actions);
    gradient.input("advantages").set(this.#advantages);
    gradient.input("tau")[0] = tau;
    gradient.run();

    fisher.input("observations").set(observations);
    const damped = (x: Float64Array) => {
      fisher.input("direction").set(x);
      fisher.run();
      const product = Float64Array.from(fisher.output("product"));
      return product.map((y, k) => y + fisherDamping * x[k]);
    };
    const ascent = Float64Array.from(gradient.output("descent"), (x) => -x);
    const options = { iterations: conjugateGradientSteps, tolerance: 1e-5 };
    const { x: w, iterations } = conjugateGradients(damped, ascent, options);
    const image = damped(w);
    const curvature = w.reduce((total, x, k) => total + x * image[k], 0);
    const longest = this.#longest();
    const step = curvature > 0 ? Math.min(Math.sqrt((2 * delta) / curvature), longest) : 0;
    for (let i = 0; i < theta.length; i++) theta[i] += step * w[i];
    return {
      policyLoss: gradient.output("policyLoss")[0],
      kl: gradient.output("kl")[0],
      entropy: gradient.output("entropy")[0],
      policyGradientNorm: Math.sqrt(ascent.reduce((total, x) => total + x * x, 0)),
      step,
      conjugateGradients: iterations,
    };
  }

  /** The longest step over √(mean Δ²), with this rollout's Δ among those of the run. */
  #longest(): number {
    for (const delta of this.#advantages) this.#squares += delta * delta;
    this.#samples += this.#advantages.length;
    return this.#settings.longestStep / Math.sqrt(this.#squares / this.#samples);
  }

  save(): Snapshot {
    return {
      samples: this.#samples,
      squares: this.#squares,
      learner: this.#learner.save(),
      ...(this.#returns === null ? {} : { returns: this.#returns.save() }),
    };
  }

  restore(snapshot: Snapshot): void {
    const where = "NaturalPolicyGradient.restore";
    const samples = snapshotNumber(where, snapshot, "samples");
    const squares = snapshotNumber(where, snapshot, "squares");
    this.#learner.restore(snapshotSection(where, snapshot, "learner"));
    this.#returns?.restore(snapshotSection(where, snapshot, "returns"));
    this.#samples = samples;
    this.#squares = squares;
  }
}

/** ∇ of the policy's loss, and F x of the policy at the visited states. */
function tracePolicy(
  network: PolicyValueNetwork,
  reference: LogPrior,
  { views, observations, logPi }: LossTrace,
): Readonly<Record<string, Program>> {
  const [batch] = observations.shape;
  const { parameters } = network;
  const actions = input("actions", [batch]);
  const advantages = input("advantages", [batch]);
  const direction = input("direction", [parameters.size]);
  const tau = input("tau", []);
  const prior = logPrior(constant(reference));
  const policyLoss = policyGradientLoss({ logPi, logPrior: prior, actions, advantages, tau });
  // −E_π_old[log π_θ] is KL[π_old‖π_θ] up to a constant: its Hessian at θ = θ_old is F.
  const divergence = mean(neg(sum(mul(stopGradient(exp(logPi)), logPi), [-1])));
  const slope = gradientVector(divergence, views);
  const product = gradientVector(sum(mul(slope, direction)), views);
  const kl = mean(klToPrior(logPi, prior));
  const entropy = mean(policyEntropy(logPi));
  return {
    gradient: program({ outputs: { descent: gradientVector(policyLoss, views), policyLoss, kl, entropy } }),
    fisher: program({ outputs: { product } }),
  };
}

/** mean ½(V − V̂)²: the policy's parameters do not appear in it. */
function traceValueFit({ v, observations }: LossTrace): TracedLoss {
  const targets = stateValues(input("targets", [observations.shape[0]]));
  const fit = valueLoss({ v, targets });
  return { loss: fit, figures: { valueLoss: fit } };
}
