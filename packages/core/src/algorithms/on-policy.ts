import { allocate } from "../base/allocation.js";
import { fail } from "../base/errors.js";
import type { CurrentValues, LiveSetting, Settings } from "../base/settings.js";
import { type Snapshot, snapshotSection } from "../base/snapshot.js";
import { type Actor, Collector, type OnStep } from "../data/collector.js";
import type { SampleColumn } from "../data/minibatches.js";
import { ReturnNormaliser } from "../data/return-normaliser.js";
import type { Rollout } from "../data/rollout.js";
import { klToPrior, policyEntropy } from "../losses/boltzmann.js";
import { log } from "../math/logspace.js";
import { lambdaAdvantagesInto, softTemporalDifferencesInto, valueTargetsInto } from "../math/returns.js";
import { explainedVariance } from "../math/statistics.js";
import {
  type LogPrior,
  type LogProbabilities,
  logPrior,
  logProbabilities,
  type StateValues,
  stateValues,
  type Vector,
} from "../math/units.js";
import { type PolicyValueNetwork, policyValueNetwork } from "../nn/heads.js";
import type { Buffer } from "../tensor/buffer.js";
import { constant, input, mean, stopGradient } from "../tensor/operations.js";
import type { Tensor } from "../tensor/tensor.js";
import {
  type Algorithm,
  type AlgorithmContext,
  type AlgorithmKind,
  algorithmKind,
  type IterationReport,
  type PolicyValueModel,
} from "./algorithm.js";
import { requireMinibatches } from "./minibatch-settings.js";
import { epochSettings, onPolicyDefaults, type onPolicySettings } from "./on-policy-settings.js";
import { networkShapes, type Policy } from "./policy.js";
import { type LossTrace, PolicyValueLearner, type TracedLoss } from "./policy-value-learner.js";

type OnPolicySettings = typeof onPolicySettings;

/** The settings in a trace: the live ones are inputs of the program, so that they may change during a run. */
export type TracedSettings<S extends Settings> = {
  readonly [Name in keyof S]: S[Name] extends LiveSetting ? Tensor : CurrentValues<S>[Name];
};

/** The tensors that a loss is a function of, for a rollout of B = T · S steps, or a minibatch of B of them. */
export interface OnPolicyTerms {
  /** [B] V_θ(s_t). */
  readonly v: StateValues<Tensor>;
  /** [B, A] log π_θ(·|s_t). */
  readonly logPi: LogProbabilities<Tensor>;
  /** [A] log π̄. */
  readonly logPrior: LogPrior<Tensor>;
  /** [B] V(s_t) as constants: V_θ(s_t) at the time of the rollout. */
  readonly values: StateValues<Tensor>;
  /** [B, A] log π_old(·|s_t) as constants: log π_θ(·|s_t) at the time of the rollout. */
  readonly oldLogPi: LogProbabilities<Tensor>;
  /** [B] a_t. */
  readonly actions: Tensor;
  /** [B] Δ_t, as constants. */
  readonly advantages: Tensor;
  /** [B] The numbers that the definition's `targets` wrote. */
  readonly targets: Tensor;
}

/** An on-policy algorithm as its targets and its loss. */
export interface OnPolicyDefinition<S extends OnPolicySettings & Settings>
  extends Pick<AlgorithmKind<S>, "name" | "title" | "about" | "settings" | "defaults" | "effects"> {
  /** Whether the returns include the bonus −τ KL (proper, §3.6); true if left out. */
  bonusInReturns?(settings: CurrentValues<S>): boolean;
  /**
   * Whether the loss is a regression on its targets; false if left out. It then stays right for a θ that has moved since
   * the rollout, as a policy gradient does not: the algorithm has the setting `epochs` as well.
   */
  readonly isRegression?: boolean;
  /**
   * Whether a rollout has several passes in minibatches; false if left out. The algorithm's settings then include `epochs`
   * and `minibatches`, and its loss must be right for a θ that has moved since the rollout.
   */
  readonly hasMinibatches?: boolean;
  /** Refuses settings that do not fit together, for B samples of an update. */
  check?(settings: CurrentValues<S>, batch: number): void;
  /** Whether to leave out the remaining epochs, from what an epoch's last update reports; never if left out. */
  stopsAfter?(figures: Readonly<Record<string, number>>, settings: CurrentValues<S>): boolean;
  /** Writes the loss's targets [T, S], computed from the rollout and its advantages Δ [T, S]. */
  targets(rollout: Rollout, advantages: Vector, settings: CurrentValues<S>, targets: Vector): void;
  /** The scalar to descend, and figures to report about it. */
  loss(terms: OnPolicyTerms & TracedSettings<S>): TracedLoss;
}

/**
 * An algorithm that collects T steps of every environment with π_θ, and steps down its loss on them.
 * Collecting, bootstrapping, stepping the optimiser, saving and reporting are the same for all.
 */
export function onPolicyAlgorithm<const S extends OnPolicySettings & Settings>(
  definition: OnPolicyDefinition<S>,
): AlgorithmKind<S> {
  const { name, title, about, defaults = onPolicyDefaults, effects } = definition;
  const settings = definition.isRegression
    ? { ...definition.settings, ...epochSettings }
    : definition.settings;
  for (const term of reservedTerms) {
    if (Object.hasOwn(settings, term)) {
      fail("onPolicyAlgorithm", `${name} has a setting named ${term}`, {
        remedy: "rename it: the loss has a term of this name",
      });
    }
  }
  return algorithmKind<S>({
    name,
    title,
    about,
    settings,
    defaults,
    effects: (values) => [
      ["lambda", values.horizon > 1, "a horizon of more than 1"],
      ...(effects?.(values) ?? []),
    ],
    make: (context, current) => new OnPolicy(definition, context, current),
  });
}

const reservedTerms: readonly (keyof OnPolicyTerms | "learningRate" | "maxGradientNorm" | "observations")[] =
  [
    "v",
    "logPi",
    "logPrior",
    "values",
    "oldLogPi",
    "actions",
    "advantages",
    "targets",
    "learningRate",
    "maxGradientNorm",
    "observations",
  ];

/** log π̄ [A]: zeros for the counting measure, −log A for the uniform distribution. */
export function referencePolicy(reference: "entropy" | "uniform", actions: number): LogPrior {
  return logPrior(new Float64Array(actions).fill(reference === "uniform" ? -log(actions) : 0));
}

class OnPolicy<S extends OnPolicySettings & Settings> implements Algorithm {
  readonly #definition: OnPolicyDefinition<S>;
  readonly #settings: CurrentValues<S>;
  readonly #shared: CurrentValues<OnPolicySettings>;
  readonly #context: AlgorithmContext;
  readonly #logPrior: LogPrior;
  readonly #collector: Collector;
  /** Passes over each rollout, and the updates of each. */
  readonly #epochs: number;
  readonly #minibatches: number;
  readonly #network: PolicyValueNetwork;
  readonly #learner: PolicyValueLearner;
  readonly #actor: Actor;
  readonly #returns: ReturnNormaliser | null;
  readonly #delta: Float64Array;
  readonly #advantages: Vector;
  readonly #targets: Vector;
  /** V̂ [T, S] in float64, for the explained variance. */
  readonly #valueTargets: StateValues;
  /** What the updates read of each sample, besides its observation. */
  readonly #columns: readonly SampleColumn[];
  /** What the updates of a rollout report, their mean; the same object each time. */
  readonly #figures: Record<string, number> = {};
  /** The numbers that the update reads anew each time, and where it reads them. */
  readonly #numbers: readonly (readonly [current: () => number, input: Buffer])[];

  /** Steps of the optimiser on the present rollout, and what the newest one reported. */
  #updates = 0;
  #latest: Readonly<Record<string, number>> = {};
  // Made once: a closure for each iteration would be garbage.
  readonly #onUpdate = (figures: Readonly<Record<string, number>>): void => {
    this.#updates++;
    for (const name in figures) {
      const before = this.#updates === 1 ? 0 : this.#figures[name];
      this.#figures[name] = before + (figures[name] - before) / this.#updates;
    }
    this.#latest = figures;
  };

  constructor(definition: OnPolicyDefinition<S>, context: AlgorithmContext, settings: CurrentValues<S>) {
    const { environment } = context;
    this.#definition = definition;
    this.#settings = settings;
    this.#shared = settings as CurrentValues<OnPolicySettings>;
    this.#context = context;
    const { horizon, bodies, reference, normaliseReturns } = this.#shared;
    const batch = horizon * environment.size;
    const { epochs, minibatches } = settings as Readonly<Record<string, unknown>>;
    this.#epochs = definition.isRegression || definition.hasMinibatches ? Number(epochs) : 1;
    this.#minibatches = definition.hasMinibatches ? Number(minibatches) : 1;
    requireMinibatches(this.#minibatches, horizon, environment.size);
    definition.check?.(settings, batch / this.#minibatches);
    this.#returns = normaliseReturns
      ? new ReturnNormaliser(environment.size, context.shared?.pool("returns", 1))
      : null;
    const { observationShape, actions } = networkShapes(environment);
    this.#network = policyValueNetwork(context.body, observationShape, actions, { bodies });
    this.#logPrior = referencePolicy(reference, actions);
    this.#collector = new Collector(environment, horizon);
    const learner = new PolicyValueLearner({
      context,
      network: this.#network,
      collector: this.#collector,
      form: () => ({ bodies, tau: this.#bonusInReturns ? this.#shared.tau : null, logPrior: this.#logPrior }),
      traceLoss: (trace) => this.#traceLoss(trace),
      reusesActivations: this.#epochs === 1,
      ...(this.#minibatches === 1 ? {} : { minibatches: this.#minibatches }),
    });
    this.#learner = learner;
    this.#delta = allocate("OnPolicy", Float64Array, batch);
    this.#valueTargets = stateValues(allocate("OnPolicy", Float64Array, batch));
    // An update of the whole rollout reads them where they are computed.
    const numbers = (name: string) =>
      this.#minibatches === 1 && learner.reads(name)
        ? learner.input(name)
        : allocate("OnPolicy", Float64Array, batch);
    this.#advantages = numbers("advantages");
    this.#targets = numbers("targets");
    const { rollout } = this.#collector;
    const columns: (readonly [name: string, from: ArrayLike<number>])[] = [
      ["actions", rollout.actions],
      ["values", rollout.values],
      ["advantages", this.#advantages],
      ["targets", this.#targets],
    ];
    this.#actor = learner;
    if (learner.reads("oldLogPi")) {
      const oldLogPi = logProbabilities(allocate("OnPolicy", Float64Array, batch * actions));
      columns.push(["oldLogPi", oldLogPi]);
      this.#actor = learner.recordingLogPi(oldLogPi);
    }
    this.#columns = columns
      .filter(([name]) => learner.reads(name))
      .map(([name, from]) => ({ from, to: learner.input(name) }));
    this.#numbers = liveNames(definition.settings)
      .filter((name) => learner.reads(name))
      .map((name) => [() => settings[name] as number, learner.input(name)]);
  }

  get policy(): Policy {
    return this.#learner.policy;
  }

  get model(): PolicyValueModel {
    const { horizon, lambda, valueCoefficient, tau, gamma } = this.#shared;
    return {
      network: this.#network,
      theta: () => this.#learner.policy.theta(),
      logPrior: this.#logPrior,
      horizon,
      lambda,
      valueCoefficient,
      bonusInReturns: this.#bonusInReturns,
      rewardScale: this.#returns?.deviation ?? 1,
      tau,
      gamma,
    };
  }

  get #bonusInReturns(): boolean {
    return this.#definition.bonusInReturns?.(this.#settings) ?? true;
  }

  async iterate(onStep: OnStep): Promise<IterationReport> {
    await this.#collector.collect(this.#actor, onStep);
    return { steps: this.#shared.horizon * this.#context.environment.size, figures: this.#update() };
  }

  /** Advantages and targets are numbers, computed before the loss; then the steps of the optimiser. */
  #update(): Readonly<Record<string, number>> {
    const { rollout } = this.#collector;
    const { tau, gamma, lambda } = this.#shared;
    this.#returns?.normalise(rollout, gamma);
    softTemporalDifferencesInto(rollout, this.#bonusInReturns ? tau : 0, gamma, this.#delta);
    lambdaAdvantagesInto(rollout, this.#delta, gamma, lambda, this.#advantages);
    this.#definition.targets(rollout, this.#advantages, this.#settings, this.#targets);
    for (const [current, place] of this.#numbers) place[0] = current();
    valueTargetsInto(rollout.values, this.#advantages, this.#valueTargets);
    const explained = explainedVariance(rollout.values, this.#valueTargets);
    this.#descend();
    this.#figures.explainedVariance = explained;
    return this.#figures;
  }

  /** A step of the optimiser for each minibatch of each epoch; writes the means of what they report. */
  #descend(): void {
    const { stopsAfter } = this.#definition;
    if (this.#minibatches === 1) {
      for (const { from, to } of this.#columns) if (from !== to) to.set(from);
    }
    this.#updates = 0;
    let epochs = 0;
    while (epochs < this.#epochs) {
      if (this.#minibatches === 1) this.#onUpdate(this.#learner.update());
      else this.#learner.epoch(this.#columns, this.#onUpdate);
      epochs++;
      if (stopsAfter?.(this.#latest, this.#settings)) break;
    }
    if (stopsAfter !== undefined) this.#figures.epochs = epochs;
  }

  #traceLoss({ observations, logPi, v }: LossTrace): TracedLoss {
    const [batch] = observations.shape;
    const traced: Record<string, unknown> = { ...this.#settings };
    for (const name of liveNames(this.#definition.settings)) traced[name] = input(name, []);
    const prior = logPrior(constant(this.#logPrior));
    // θ has not moved before the first step: what the rollout computed needs no input then.
    const isOneStep = this.#epochs * this.#minibatches === 1;
    const { loss, figures } = this.#definition.loss({
      ...(traced as TracedSettings<S>),
      v,
      values: stateValues(isOneStep ? stopGradient(v) : input("values", [batch])),
      oldLogPi: logProbabilities(isOneStep ? stopGradient(logPi) : input("oldLogPi", logPi.shape)),
      logPi,
      logPrior: prior,
      actions: input("actions", [batch]),
      advantages: input("advantages", [batch]),
      targets: input("targets", [batch]),
    });
    const divergence = mean(klToPrior(logPi, prior));
    return { loss, figures: { ...figures, kl: divergence, entropy: mean(policyEntropy(logPi)) } };
  }

  save(): Snapshot {
    const learner = this.#learner.save();
    return this.#returns === null ? learner : { ...learner, returns: this.#returns.save() };
  }

  restore(snapshot: Snapshot): void {
    this.#learner.restore(snapshot);
    this.#returns?.restore(snapshotSection("OnPolicy.restore", snapshot, "returns"));
  }
}

/** The names of the live settings among these. */
function liveNames(settings: Settings): readonly string[] {
  return Object.keys(settings).filter((name) => settings[name].live);
}
