import type { Piece } from "../base/piece.js";
import type { RandomStreams } from "../base/random.js";
import {
  type CurrentValues,
  type EnvironmentFamily,
  requireSettingNames,
  type Settings,
  type SettingValue,
  type ValuesOf,
} from "../base/settings.js";
import type { Saveable } from "../base/snapshot.js";
import type { OnStep } from "../data/collector.js";
import type { VectorEnvironment } from "../envs/environment.js";
import type { LogPrior } from "../math/units.js";
import type { PolicyValueNetwork } from "../nn/heads.js";
import type { LayerDefinition } from "../nn/layer.js";
import type { StepRule } from "../optim/optimiser-kind.js";
import type { Executor } from "../tensor/executor.js";
import type { Policy } from "./policy.js";
import type { SettingEffect } from "./setting-effects.js";
import type { SharedParameters } from "./shared-parameters.js";

/** What one iteration did; overwritten by the next. */
export interface IterationReport {
  /** Environment steps taken, all environments together. */
  readonly steps: number;
  /**
   * Named numbers about the update, for instance `policyLoss`, `kl`, `entropy`: docs/algorithms.md lists them. The same
   * names after every update; none after an iteration without one. Of several updates, their means.
   */
  readonly figures: Readonly<Record<string, number>>;
  /**
   * How many updates the figures are means of, which weighs them in an `update` event; 1 unless given. Only iterations of
   * different sizes need it.
   */
  readonly updates?: number;
}

/**
 * A training algorithm bound to its environments and an executor.
 *
 * `save` and `pieces` hold all of its state but the policy's parameters, which {@link Policy} saves itself, and the
 * environments.
 */
export interface Algorithm extends Saveable {
  /** The policy that it learns. */
  readonly policy: Policy;
  /** Collects experience and learns from it. */
  iterate(onStep: OnStep): Promise<IterationReport>;
  /**
   * What is too large for `save`: a replay. Once `restore` has returned, it gives the pieces that the saved state had, to be
   * restored one by one.
   */
  pieces?(): readonly Piece[];
  /** Brings to this thread what `save` returns. Called before `save` wherever a run is saved. */
  prepareSave?(): Promise<void>;
  /** Ends its threads, if it has any; the policy still acts. Safe to call twice. */
  close?(): Promise<void>;
  /** False where the same seed gives other numbers every time. */
  readonly isReproducible?: boolean;
  /**
   * Goes on without the pieces of the state that `restore` has taken over, where they are lost: as if they were empty.
   * @returns what follows for the run
   */
  dropPieces?(): string;
  /** Environment steps of a run before the first update; none if left out. */
  readonly learningStarts?: number;
  /** What a saved state leaves out, and what follows for a run that continues from it; null if nothing. */
  readonly unsaved?: string | null;
  /** Where it learns log π_θ and V_θ: what the exact tools measure. */
  readonly model?: PolicyValueModel;
}

/** An algorithm that learns log π_θ and V_θ from n-step returns, as the oracle and the theorem's measurement read it. */
export interface PolicyValueModel {
  readonly network: PolicyValueNetwork;
  /** θ [P] as it is now, a copy. */
  theta(): Float64Array;
  /** log π̄ [A]. */
  readonly logPrior: LogPrior;
  /** n of the n-step returns. */
  readonly horizon: number;
  /** λ of those returns; 1 sums all n steps. */
  readonly lambda: number;
  /** c, the weight of the value error. */
  readonly valueCoefficient: number;
  /** Whether V_θ estimates returns that include the bonus (the proper bonus, §3.6). */
  readonly bonusInReturns: boolean;
  /** What rewards are divided by before they are learned from: V_θ, Q_θ and τ are in this unit. 1 if left out. */
  readonly rewardScale?: number;
  /** τ and γ of the present step. */
  readonly tau: number;
  readonly gamma: number;
}

/** The parts that an algorithm is made from. */
export interface AlgorithmContext {
  readonly environment: VectorEnvironment;
  /** The layers from an observation to the features that heads read. */
  readonly body: LayerDefinition;
  readonly stepRule: StepRule;
  readonly executor: Executor;
  /** The run's random streams: `streams.stream("exploration")`. */
  readonly streams: RandomStreams;
  /** θ that the learners of other threads have, too; absent where the algorithm has it alone. */
  readonly shared?: SharedParameters;
  /** Threads for an asynchronous algorithm; absent where the run has none. */
  readonly workers?: LearnerThreads;
}

/** A learner that an asynchronous algorithm has many of: one in each thread, made from the same configuration. */
export interface SharedLearner {
  /** The learner of the thread that starts the others. It takes no steps: it has the policy and the state to save. */
  readonly learner: Algorithm;
  /** What it shares with the others. */
  readonly shared: SharedParameters;
  /** How many others there are. */
  readonly workers: number;
  /** Environment steps of one iteration of a learner. */
  readonly stepsOfIteration: number;
}

/** Trains with learners in threads of their own. */
export interface LearnerThreads {
  train(shared: SharedLearner): Algorithm;
}

/** Defaults that an algorithm wants for the settings of other sections, by section and name. */
export type SectionDefaults = {
  readonly [Section in "run" | "environment" | "network" | "optimiser"]?: Readonly<
    Record<string, SettingValue>
  >;
};

/** An algorithm that a run can choose: its name, its settings, and how it is made. */
export interface AlgorithmKind<S extends Settings = Settings> {
  /** The name on the command line and in config.json. */
  readonly name: string;
  /** The name for legends and tables. */
  readonly title: string;
  /** One line for help and documentation. */
  readonly about: string;
  readonly settings: S;
  /** Its own defaults for settings that all algorithms have, such as the optimiser and the number of environments. */
  defaults?(family: EnvironmentFamily): SectionDefaults;
  /**
   * The settings that only some values of others read. One that is not read is refused unless it has a default, and cannot
   * change during a run. Every setting is read if this is left out.
   */
  effects?(values: ValuesOf<S>): readonly SettingEffect[];
  /**
   * Makes the algorithm, its parameters drawn from the streams.
   * @param settings the values as they are now: reading a live setting gives the number of the present step
   */
  make(context: AlgorithmContext, settings: CurrentValues<S>): Algorithm;
}

/** Defines an algorithm: its settings are typed in {@link AlgorithmKind.make}. */
export function algorithmKind<const S extends Settings>(definition: AlgorithmKind<S>): AlgorithmKind<S> {
  requireSettingNames("algorithmKind", definition.settings);
  return definition;
}
