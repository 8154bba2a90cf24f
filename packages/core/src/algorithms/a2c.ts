import type { RandomStreams } from "../base/random.js";
import { type Snapshot, snapshotNumber, snapshotSection } from "../base/snapshot.js";
import { Rollout } from "../data/rollout.js";
import type { Observations, VectorEnvironment } from "../envs/environment.js";
import { EnvironmentParts } from "../envs/environment-parts.js";
import { klToPrior } from "../losses/boltzmann.js";
import { policyGradientLoss } from "../losses/policy-gradient.js";
import { valueLoss } from "../losses/value.js";
import { nStepAdvantagesInto, softTemporalDifferencesInto, valueTargetsInto } from "../math/returns.js";
import { logPrior, type StateValues, stateValues } from "../math/units.js";
import type { PolicyValueNetwork } from "../nn/heads.js";
import { descent } from "../optim/descent.js";
import type { Buffer } from "../tensor/buffer.js";
import type { Executor } from "../tensor/executor.js";
import { add, constant, input, mean, mul } from "../tensor/operations.js";
import type { Tensor } from "../tensor/tensor.js";
import type { Algorithm, IterationReport, OnStep } from "./algorithm.js";
import { type OnPolicyOptions, PolicyLearner, type TracedUpdate } from "./policy-learner.js";

/** The hyper-parameters of {@link A2c}. */
export interface A2cOptions extends OnPolicyOptions {
  /** Whether the bonus counts in the returns (proper, §3.6) or at the visited state alone (naive). */
  readonly entropyBonus: "proper" | "naive";
}

/**
 * Advantage actor-critic, synchronous (§3.6, §6.1): ascend log π(a) Δ − τ KL, and fit V to V̂ = V + Δ.
 *
 * Beside it stands `soft-q-learning.ts`, the same walk: what differs is the theorem.
 */
export class A2c implements Algorithm {
  readonly name = "a2c";
  readonly stepsPerIteration: number;
  readonly network: PolicyValueNetwork;
  readonly #parts: EnvironmentParts;
  readonly #options: A2cOptions;
  readonly #learner: PolicyLearner;
  readonly #rollout: Rollout;
  readonly #lastValues: StateValues;
  readonly #delta: Float64Array;
  readonly #advantages: Buffer;
  readonly #targets: Buffer;
  readonly #actions: Buffer;
  readonly #learningRate: Buffer;
  #steps = 0;

  constructor(
    environment: VectorEnvironment,
    network: PolicyValueNetwork,
    executor: Executor,
    streams: RandomStreams,
    options: A2cOptions,
  ) {
    const { size } = environment;
    const parts = new EnvironmentParts(environment);
    const batch = options.horizon * size;
    this.stepsPerIteration = batch;
    this.network = network;
    this.#parts = parts;
    this.#options = options;
    this.#rollout = new Rollout(options.horizon, size, parts.all.length);
    this.#lastValues = stateValues(new Float64Array(size));
    this.#delta = new Float64Array(batch);
    this.#learner = new PolicyLearner({
      network,
      executor,
      streams,
      size,
      parts: parts.all.length,
      horizon: options.horizon,
      logPrior: options.logPrior,
      traceUpdate: (...traced) => traceUpdate(network, options, ...traced),
    });
    this.#actions = this.#learner.updateInput("actions");
    this.#advantages = this.#learner.updateInput("advantages");
    this.#targets = this.#learner.updateInput("targets");
    this.#learningRate = this.#learner.updateInput("learningRate");
  }

  async iterate(onStep: OnStep): Promise<IterationReport> {
    await this.#collect(onStep);
    const losses = this.#update();
    this.#steps += this.stepsPerIteration;
    return { steps: this.stepsPerIteration, losses };
  }

  /** T steps of every environment, actions from π_θ. Where they come in parts, one is judged while another steps. */
  async #collect(onStep: OnStep): Promise<void> {
    const rollout = this.#rollout;
    await this.#parts.forEachStep(rollout.steps, (t, p) => {
      if (t > 0) this.#record(t - 1, p, onStep);
      this.#act(t, p);
    });
    rollout.bootstrap(this.#lastValues);
  }

  /** Judges what part p observes and lets it take a step; after the last step its values are all that is wanted. */
  #act(t: number, p: number): void {
    const part = this.#parts.all[p];
    if (t === this.#rollout.steps) {
      this.#lastValues.set(this.#learner.judge(part.observations).v, p * part.size);
      return;
    }
    const step = this.#rollout.at(t, p);
    const { logPi, v, kl } = this.#learner.judgeStep(t, part.observations, p);
    step.values.set(v);
    step.kl.set(kl);
    this.#learner.sampleInto(logPi, step.actions);
    this.#parts.step(p, step.actions);
  }

  /** What step t of part p led to. */
  #record(t: number, p: number, onStep: OnStep): void {
    const part = this.#parts.all[p];
    const rollout = this.#rollout;
    rollout.record(t, part, p);
    if (rollout.truncatedAt(t, p)) {
      rollout.recordFinalValues(t, this.#learner.judge(part.finalObservations).v, p);
    }
    onStep(t, part, p * part.size);
  }

  /** Advantages and targets are numbers, computed before the loss; then one step of the optimiser. */
  #update(): Readonly<Record<string, number>> {
    const { gamma, tau, horizon, entropyBonus, learningRate, totalSteps } = this.#options;
    const rollout = this.#rollout;
    softTemporalDifferencesInto(rollout, entropyBonus === "proper" ? tau : 0, gamma, this.#delta);
    nStepAdvantagesInto(rollout, this.#delta, gamma, horizon, this.#advantages);
    valueTargetsInto(rollout.values, this.#advantages, stateValues(this.#targets));
    this.#learningRate[0] = learningRate(this.#steps / totalSteps);
    this.#actions.set(rollout.actions);
    return this.#learner.update();
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
    return { steps: this.#steps, learner: this.#learner.save() };
  }

  restore(snapshot: Snapshot): void {
    const steps = snapshotNumber(this.name, snapshot, "steps");
    this.#learner.restore(snapshotSection(this.name, snapshot, "learner"));
    this.#steps = steps;
  }
}

/** mean[−log π(a) Δ + τ KL] + c · mean ½(V − V̂)², and one step down its gradient. */
function traceUpdate(
  network: PolicyValueNetwork,
  options: A2cOptions,
  theta: Tensor,
  views: readonly Tensor[],
  observations: Tensor,
): TracedUpdate {
  const { tau, valueCoefficient, optimiser, maxGradientNorm } = options;
  const [batch] = observations.shape;
  const actions = input("actions", [batch]);
  const advantages = input("advantages", [batch]);
  const targets = stateValues(input("targets", [batch]));
  const learningRate = input("learningRate", []);
  const prior = logPrior(constant(options.logPrior));

  const { logPi, v } = network.apply(observations, views);
  const policyLoss = policyGradientLoss({ logPi, logPrior: prior, actions, advantages, tau });
  const fit = valueLoss({ v, targets });
  const loss = add(policyLoss, mul(valueCoefficient, fit));
  const { parameters } = network;
  const step = descent({ parameters, theta, views, loss, optimiser, learningRate, maxGradientNorm });
  return { step, report: { policyLoss, valueLoss: fit, kl: mean(klToPrior(logPi, prior)) } };
}
