import type { RandomStreams } from "../base/random.js";
import { type Snapshot, snapshotNumber, snapshotSection } from "../base/snapshot.js";
import { Rollout } from "../data/rollout.js";
import type { Observations, VectorEnvironment } from "../envs/environment.js";
import { klToPrior } from "../losses/boltzmann.js";
import { policyGradientLoss } from "../losses/policy-gradient.js";
import { valueLoss } from "../losses/value.js";
import { conjugateGradients } from "../math/linear-algebra-conjugate-gradients.js";
import { nStepAdvantagesInto, softTemporalDifferencesInto, valueTargetsInto } from "../math/returns.js";
import { type LogPrior, logPrior, stateValues, type Vector } from "../math/units.js";
import type { PolicyValueNetwork } from "../nn/heads.js";
import { Parameters } from "../nn/parameters.js";
import { descent } from "../optim/descent.js";
import type { Optimiser } from "../optim/optimiser.js";
import type { Schedule } from "../optim/schedule.js";
import type { Buffer } from "../tensor/buffer.js";
import type { Executor, LoadedProgram } from "../tensor/executor.js";
import { constant, exp, input, mean, mul, neg, stopGradient, sum } from "../tensor/operations.js";
import { type Program, program } from "../tensor/program.js";
import type { Tensor } from "../tensor/tensor.js";
import type { Algorithm, IterationReport, OnStep } from "./algorithm.js";
import { PolicyLearner, type TracedUpdate } from "./policy-learner.js";

/** What is the natural gradient's own among its hyper-parameters. */
export interface TrustRegion {
  /**
   * δ: the KL divergence of the first step, to second order, with the damping's ½ damping |step|² in it; later ones shrink
   * as the learning rate does.
   */
  readonly trustRegion: number;
  /**
   * α at most, of θ ← θ + α w, in units of 1/√(mean Δ² of the run so far): once Δ is small for this task g is chance and
   * little else, and the whole trust region would be a step of chance.
   */
  readonly longestStep: number;
  /** Added to the diagonal of F. */
  readonly fisherDamping: number;
  /** Fisher-vector products a step, at most. */
  readonly conjugateGradientSteps: number;
  /** Steps of the value's fit after each rollout. */
  readonly valueSteps: number;
}

/** The hyper-parameters of {@link NaturalPolicyGradient}. */
export interface NaturalPolicyGradientOptions extends TrustRegion {
  /** T: steps of each environment between two updates, and the longest n of the n-step returns. */
  readonly horizon: number;
  /** γ. */
  readonly gamma: number;
  /** τ, the weight of the bonus −KL[π ‖ π̄], in the returns and at the visited state. */
  readonly tau: number;
  /** log π̄ [A]; all zeros make the bonus the entropy. */
  readonly logPrior: LogPrior<Vector>;
  /** Of the value's fit. */
  readonly optimiser: Optimiser;
  /** Of the value's fit, by the fraction of `totalSteps` done; δ falls in proportion. */
  readonly learningRate: Schedule;
  /** Environment steps of the whole run, all environments together. */
  readonly totalSteps: number;
  /** The global norm that the value's gradient is clipped to. */
  readonly maxGradientNorm: number;
}

/**
 * Natural policy gradient (§5): θ ← θ + α w with (F + damping) w = g, solved by conjugate gradients, and
 * α = √(2δ / wᵀ(F + damping) w), at most `longestStep` in the run's own units.
 *
 * g is A2C's policy gradient and F x = ∇(∇KL[π_old‖π_θ]ᵀ x), the trace differentiated twice. Actor and critic are two
 * copies of the network: fitting V moves no policy out of its trust region.
 */
export class NaturalPolicyGradient implements Algorithm {
  readonly name = "npg";
  readonly stepsPerIteration: number;
  /** Both copies as one. */
  readonly network: PolicyValueNetwork;
  readonly #environment: VectorEnvironment;
  readonly #options: NaturalPolicyGradientOptions;
  readonly #learner: PolicyLearner;
  readonly #rollout: Rollout;
  readonly #delta: Float64Array;
  readonly #advantages: Float64Array;
  readonly #targets: Buffer;
  readonly #learningRate: Buffer;
  readonly #gradient: LoadedProgram;
  readonly #fisher: LoadedProgram;
  #steps = 0;
  /** Σ Δ² over all the run's samples. */
  #squares = 0;

  constructor(
    environment: VectorEnvironment,
    network: PolicyValueNetwork,
    executor: Executor,
    streams: RandomStreams,
    options: NaturalPolicyGradientOptions,
  ) {
    const { size } = environment;
    const batch = options.horizon * size;
    this.stepsPerIteration = batch;
    const both = actorAndCritic(network);
    this.network = both;
    this.#environment = environment;
    this.#options = options;
    this.#rollout = new Rollout(options.horizon, size);
    this.#delta = new Float64Array(batch);
    this.#advantages = new Float64Array(batch);
    this.#learner = new PolicyLearner({
      network: both,
      executor,
      streams,
      size,
      horizon: options.horizon,
      logPrior: options.logPrior,
      traceUpdate: (...traced) => traceValueFit(both, options, ...traced),
      tracePrograms: (...traced) => tracePolicy(both, options, ...traced),
    });
    this.#targets = this.#learner.updateInput("targets");
    this.#learningRate = this.#learner.updateInput("learningRate");
    this.#gradient = this.#learner.program("gradient");
    this.#fisher = this.#learner.program("fisher");
  }

  async iterate(onStep: OnStep): Promise<IterationReport> {
    await this.#collect(onStep);
    const losses = this.#update();
    this.#steps += this.stepsPerIteration;
    return { steps: this.stepsPerIteration, losses };
  }

  /** T steps of every environment, actions from π_θ. */
  async #collect(onStep: OnStep): Promise<void> {
    const environment = this.#environment;
    const rollout = this.#rollout;
    for (let t = 0; t < rollout.steps; t++) {
      const step = rollout.at(t);
      const { logPi, v, kl } = this.#learner.judgeStep(t, environment.observations);
      step.values.set(v);
      step.kl.set(kl);
      this.#learner.sampleInto(logPi, step.actions);

      const pending = environment.step(step.actions);
      if (pending !== undefined) await pending;
      rollout.record(t, environment);
      if (rollout.truncatedAt(t)) {
        rollout.recordFinalValues(t, this.#learner.judge(environment.finalObservations).v);
      }
      onStep(t, environment, 0);
    }
    rollout.bootstrap(this.#learner.judge(environment.observations).v);
  }

  /** The policy's step along the natural gradient, then the value's fit to targets that are numbers. */
  #update(): Readonly<Record<string, number>> {
    const { gamma, tau, horizon, learningRate, totalSteps, trustRegion, valueSteps } = this.#options;
    const rollout = this.#rollout;
    softTemporalDifferencesInto(rollout, tau, gamma, this.#delta);
    nStepAdvantagesInto(rollout, this.#delta, gamma, horizon, this.#advantages);
    valueTargetsInto(rollout.values, this.#advantages, stateValues(this.#targets));
    const rate = learningRate(this.#steps / totalSteps);
    const policy = this.#policyStep((trustRegion * rate) / learningRate(0));

    this.#learningRate[0] = rate;
    let fit = {};
    for (let i = 0; i < valueSteps; i++) fit = this.#learner.update();
    return { ...fit, ...policy };
  }

  /** θ ← θ + α w, α = √(2δ / wᵀ(F + damping) w), at most the longest step. Called once a rollout. */
  #policyStep(delta: number): Readonly<Record<string, number>> {
    const { fisherDamping, conjugateGradientSteps } = this.#options;
    const gradient = this.#gradient;
    const fisher = this.#fisher;
    const observations = this.#learner.updateInput("observations");
    gradient.input("observations").set(observations);
    gradient.input("actions").set(this.#rollout.actions);
    gradient.input("advantages").set(this.#advantages);
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
    this.#learner.moveTheta(w, step);
    return {
      policyLoss: gradient.output("policyLoss")[0],
      kl: gradient.output("kl")[0],
      step,
      conjugateGradients: iterations,
    };
  }

  /** The longest step over √(mean Δ²), this rollout's Δ among those of the run. */
  #longest(): number {
    for (const delta of this.#advantages) this.#squares += delta * delta;
    const samples = this.#steps + this.stepsPerIteration;
    return this.#options.longestStep / Math.sqrt(this.#squares / samples);
  }

  act(observations: Observations, actions: Int32Array, how: "sample" | "mode"): void {
    this.#learner.act(observations, actions, how);
  }

  theta(): Float64Array {
    return this.#learner.theta();
  }

  adopt(theta: ArrayLike<number>): void {
    this.#learner.adopt(theta);
  }

  save(): Snapshot {
    return { steps: this.#steps, squares: this.#squares, learner: this.#learner.save() };
  }

  restore(snapshot: Snapshot): void {
    const steps = snapshotNumber("NaturalPolicyGradient.restore", snapshot, "steps");
    const squares = snapshotNumber("NaturalPolicyGradient.restore", snapshot, "squares");
    this.#learner.restore(snapshotSection("NaturalPolicyGradient.restore", snapshot, "learner"));
    this.#steps = steps;
    this.#squares = squares;
  }
}

/** ∇ of the policy's loss, and F x of the policy at the visited states. */
function tracePolicy(
  network: PolicyValueNetwork,
  { tau, logPrior: reference }: NaturalPolicyGradientOptions,
  views: readonly Tensor[],
  observations: Tensor,
): Readonly<Record<string, Program>> {
  const [batch] = observations.shape;
  const { parameters } = network;
  const actions = input("actions", [batch]);
  const advantages = input("advantages", [batch]);
  const direction = input("direction", [parameters.size]);
  const prior = logPrior(constant(reference));
  const { logPi } = network.apply(observations, views);
  const policyLoss = policyGradientLoss({ logPi, logPrior: prior, actions, advantages, tau });
  // −E_π_old[log π_θ] is KL[π_old‖π_θ] up to a constant: its Hessian at θ = θ_old is F.
  const divergence = mean(neg(sum(mul(stopGradient(exp(logPi)), logPi), [-1])));
  const slope = parameters.gradient(divergence, views);
  const product = parameters.gradient(sum(mul(slope, direction)), views);
  const kl = mean(klToPrior(logPi, prior));
  return {
    gradient: program({ outputs: { descent: parameters.gradient(policyLoss, views), policyLoss, kl } }),
    fisher: program({ outputs: { product } }),
  };
}

/** mean ½(V − V̂)², and one step down its gradient: the policy's parameters do not appear in it. */
function traceValueFit(
  network: PolicyValueNetwork,
  { optimiser, maxGradientNorm }: NaturalPolicyGradientOptions,
  theta: Tensor,
  views: readonly Tensor[],
  observations: Tensor,
): TracedUpdate {
  const targets = stateValues(input("targets", [observations.shape[0]]));
  const learningRate = input("learningRate", []);
  const fit = valueLoss({ v: network.apply(observations, views).v, targets });
  const { parameters } = network;
  const step = descent({ parameters, theta, views, loss: fit, optimiser, learningRate, maxGradientNorm });
  return { step, report: { valueLoss: fit } };
}

/** Two copies of a network in one θ: the policy of the first, the value of the second. */
function actorAndCritic(network: PolicyValueNetwork): PolicyValueNetwork {
  const { entries } = network.parameters;
  const named = (copy: string) => entries.map((spec) => ({ ...spec, name: `${copy}.${spec.name}` }));
  return {
    ...network,
    parameters: new Parameters([...named("actor"), ...named("critic")]),
    apply: (observations, views) => ({
      logPi: network.apply(observations, views.slice(0, entries.length)).logPi,
      v: network.apply(observations, views.slice(entries.length)).v,
    }),
  };
}
