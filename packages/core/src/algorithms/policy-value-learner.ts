import { fail } from "../base/errors.js";
import type { Random } from "../base/random.js";
import { type Snapshot, snapshotArray, snapshotSection } from "../base/snapshot.js";
import type { Actor, Collector } from "../data/collector.js";
import { Minibatches, type SampleColumn } from "../data/minibatches.js";
import type { RolloutStep } from "../data/rollout.js";
import type { Observations } from "../envs/environment.js";
import { klToPrior } from "../losses/boltzmann.js";
import { sampleCategorical } from "../math/categorical.js";
import {
  type LogProbabilities,
  logPrior,
  logProbabilities,
  type StateValues,
  stateValues,
} from "../math/units.js";
import type { PolicyValueNetwork } from "../nn/heads.js";
import type { StepRule } from "../optim/optimiser-kind.js";
import type { Buffer, LoadedProgram, Session } from "../tensor/executor.js";
import { constant, input, state } from "../tensor/operations.js";
import { type Program, program } from "../tensor/program.js";
import { shapeSize } from "../tensor/shape.js";
import type { Tensor } from "../tensor/tensor.js";
import type { AlgorithmContext } from "./algorithm.js";
import { hasStatistics, ObservationMoments } from "./observation-moments.js";
import { OptimiserStates } from "./optimiser-states.js";
import { NetworkPolicy, type PolicyForm } from "./policy.js";
import { runDescent, setStepRule } from "./run-descent.js";
import type { SharedParameters } from "./shared-parameters.js";

/** What a loss is traced from: B observations, a rollout's T · S or a minibatch's, and the network's outputs for them. */
export interface LossTrace {
  /** The views of θ, one for each parameter. */
  readonly views: readonly Tensor[];
  /** [B, ...observation shape] */
  readonly observations: Tensor;
  /** [B, A] */
  readonly logPi: LogProbabilities<Tensor>;
  /** [B] */
  readonly v: StateValues<Tensor>;
}

/** A traced loss: the scalar to descend, and figures to report about it. */
export interface TracedLoss {
  readonly loss: Tensor;
  readonly figures: Readonly<Record<string, Tensor>>;
}

/**
 * Each step of a recording is a program of its own: a longer rollout would take seconds to minutes to compile, for at most
 * a forward pass of each update.
 */
const MOST_RECORDED = 1024;

/** The parts of a {@link PolicyValueLearner}. */
export interface PolicyValueLearnerParts {
  readonly context: AlgorithmContext;
  readonly network: PolicyValueNetwork;
  /** The collector that it acts for. */
  readonly collector: Collector;
  readonly form: () => PolicyForm;
  /** Traces the loss of an update; its step follows the context's step rule. */
  readonly traceLoss: (trace: LossTrace) => TracedLoss;
  /**
   * Whether an update reuses what the rollout has computed: only where each rollout has one update, and θ does not
   * change between the two. Rollouts of more than 1,024 steps compute it anew.
   */
  readonly reusesActivations: boolean;
  /**
   * Minibatches that {@link PolicyValueLearner.epoch} divides a rollout into, a divisor of T · S; if left out, an update
   * takes the whole rollout.
   */
  readonly minibatches?: number;
  /** Traces more programs on the same θ, for an algorithm whose iteration is not one step. */
  readonly tracePrograms?: (trace: LossTrace) => Readonly<Record<string, Program>>;
}

/** The outputs of the network for a part's observations; overwritten by the next run. */
interface Evaluation {
  readonly program: LoadedProgram;
  /** [S/P, A] */
  readonly logPi: LogProbabilities<Buffer>;
  /** [S/P] */
  readonly v: StateValues<Buffer>;
  /** [S/P] KL(s) */
  readonly kl: Buffer;
}

/**
 * A network with a policy and a value head in an executor's memory: it acts for a collector, makes the updates that
 * its algorithm traced, and saves all of that.
 *
 * Where the network normalises its inputs, the statistics of all observations up to a rollout's end enter θ when the
 * next rollout starts, so that acting, bootstrapping and updating read the same ones.
 */
export class PolicyValueLearner implements Actor {
  readonly policy: NetworkPolicy;
  readonly #network: PolicyValueNetwork;
  readonly #stepRule: StepRule;
  readonly #parts: number;
  /** The place of a rollout's last call of `act`. */
  readonly #lastAct: number;
  readonly #session: Session;
  readonly #theta: Buffer;
  readonly #optimiser: OptimiserStates;
  readonly #evaluation: Evaluation;
  /** One for each step and part, where an update reuses what they compute. */
  readonly #recorded: readonly Evaluation[];
  readonly #observations: Buffer;
  /** Null where an update takes the whole rollout. */
  readonly #minibatches: Minibatches | null;
  readonly #observationColumn: readonly SampleColumn[];
  readonly #inputs: ReadonlySet<string>;
  /** Null where the network does not normalise its inputs. */
  readonly #moments: ObservationMoments | null;
  readonly #figures: readonly (readonly [name: string, figure: Buffer])[];
  readonly #report: Record<string, number> = {};
  readonly #sampling: Random;
  readonly #shuffling: Random;
  readonly #evaluationRandom: Random;
  /** Null where no other thread has this θ. */
  readonly #shared: SharedParameters | null;
  /** Of the newest call of `act`. */
  #acted: Evaluation;

  constructor(parts: PolicyValueLearnerParts) {
    const { context, network, collector, form, traceLoss, reusesActivations, minibatches, tracePrograms } =
      parts;
    const horizon = collector.rollout.steps;
    const { environment, executor, streams, stepRule, shared = null } = context;
    const rows = environment.size / collector.parts;
    this.#network = network;
    this.#stepRule = stepRule;
    this.#parts = collector.parts;
    this.#lastAct = horizon * collector.parts - 1;
    this.#sampling = streams.stream("sampling");
    this.#shuffling = streams.stream("minibatches");
    this.#evaluationRandom = streams.stream("evaluation");
    this.#minibatches =
      minibatches === undefined
        ? null
        : new Minibatches({
            observations: environment.observations,
            steps: horizon,
            size: environment.size,
            count: minibatches,
            random: this.#shuffling,
          });

    const theta = state("theta", [network.parameters.size]);
    const views = network.parameters.views(theta);
    const batch = (size: number) => input("observations", [size, ...network.observationShape]);
    const { logPi, v } = network.apply(batch(rows), views);
    const kl = klToPrior(logPi, logPrior(constant(form().logPrior)));
    const observations = batch(this.#minibatches?.size ?? horizon * environment.size);
    const trace = { views, observations, ...network.apply(observations, views) };
    const { loss, figures } = traceLoss(trace);
    const step = runDescent(stepRule, { theta, views, loss });
    const reported = { ...figures, gradientNorm: step.gradientNorm };
    const own = {
      evaluate: program({ outputs: { logPi, v, kl } }),
      update: program({ outputs: reported, updates: step.updates }),
    };
    const recording = { of: "evaluate", into: "update", slices: horizon * collector.parts } as const;
    const programs = { ...tracePrograms?.(trace), ...own };
    const records = reusesActivations && this.#minibatches === null && recording.slices <= MOST_RECORDED;
    this.#session = records ? executor.load(programs, recording) : executor.load(programs);
    this.#inputs = new Set(own.update.inputs.keys());
    this.#evaluation = evaluationOf(this.#session.programs.evaluate);
    this.#recorded = this.#session.recorded.map(evaluationOf);
    this.#observations = this.#session.programs.update.input("observations");
    this.#observationColumn =
      this.#minibatches === null ? [] : [{ from: this.#minibatches.observations, to: this.#observations }];
    this.#acted = this.#evaluation;
    this.#figures = Object.keys(reported).map((name) => [name, this.#session.programs.update.output(name)]);
    this.#theta = this.#session.state(theta);
    this.#theta.set(network.parameters.initial(streams.stream("parameters")));
    this.#optimiser = new OptimiserStates(network, step, theta, this.#session);
    this.#shared = shared;
    this.#moments = null;
    if (hasStatistics(network.parameters)) {
      const elements = shapeSize(network.observationShape);
      const pool = shared?.pool("observations", elements) ?? null;
      this.#moments = new ObservationMoments(elements, network.parameters, this.#theta, pool);
    }
    const { entries } = network.parameters;
    shared?.attach({ theta: this.#theta, states: this.#optimiser.all, parameters: entries }, executor);
    this.policy = new NetworkPolicy({
      observationSpace: environment.observationSpace,
      actionSpace: environment.actionSpace,
      network,
      program: this.#session.programs.evaluate,
      theta: this.#theta,
      rows,
      random: this.#evaluationRandom,
      form,
      followsObservations: true,
      restored: () => this.#shared?.publish(),
    });
  }

  act(t: number, p: number, observations: Observations, step: RolloutStep): void {
    const at = t * this.#parts + p;
    if (at === 0) {
      this.#shared?.fetchTheta();
      this.#moments?.write();
    }
    let evaluation = this.#evaluation;
    if (this.#recorded.length > 0) evaluation = this.#recorded[at];
    else if (this.#minibatches !== null) this.#minibatches.keep(at, observations);
    else this.#observations.set(observations, at * observations.length);
    this.#acted = evaluation;
    evaluation.program.input("observations").set(observations);
    evaluation.program.run();
    step.values.set(evaluation.v);
    step.kl.set(evaluation.kl);
    const A = this.#network.actions;
    for (let s = 0; s < step.actions.length; s++) {
      step.actions[s] = sampleCategorical(evaluation.logPi, this.#sampling, s * A, A);
    }
    if (at === this.#lastAct) this.#moments?.add(this.#minibatches?.observations ?? this.#observations);
  }

  values(observations: Observations): StateValues<Buffer> {
    const { program, v } = this.#evaluation;
    program.input("observations").set(observations);
    program.run();
    return v;
  }

  /** The learner as an actor that also writes log π of each act into `into` [T · S, A]. */
  recordingLogPi(into: LogProbabilities): Actor {
    return {
      act: (t, p, observations, step) => {
        this.act(t, p, observations, step);
        const { logPi } = this.#acted;
        into.set(logPi, (t * this.#parts + p) * logPi.length);
      },
      values: (observations) => this.values(observations),
    };
  }

  /** Whether the update reads an input of this name. */
  reads(name: string): boolean {
    return this.#inputs.has(name);
  }

  /** The memory of one of the update's inputs. @throws SoftrlError where the update does not read it. */
  input(name: string): Buffer {
    return this.#session.programs.update.input(name);
  }

  /** [T · S, ...] The observations of the rollout that the collector filled; those of the newest minibatch if it has them. */
  get observations(): Buffer {
    return this.#observations;
  }

  /**
   * Runs the traced update on its inputs, with the learning rate of the present step.
   * @returns its figures and the gradient's norm; the same object each time.
   */
  update(): Readonly<Record<string, number>> {
    const { update } = this.#session.programs;
    setStepRule(update, this.#stepRule);
    this.#moments?.hold();
    this.#shared?.beforeStep();
    update.run();
    this.#moments?.putBack();
    this.#shared?.afterStep();
    for (const [name, figure] of this.#figures) this.#report[name] = figure[0];
    return this.#report;
  }

  /**
   * A pass over the rollout in its minibatches, in an order drawn anew: copies the observations and these columns of each
   * one, and makes an update.
   * @param onUpdate receives what each update returns
   */
  epoch(
    columns: readonly SampleColumn[],
    onUpdate: (figures: Readonly<Record<string, number>>) => void,
  ): void {
    if (this.#minibatches === null) {
      fail("PolicyValueLearner.epoch", "the learner has no minibatches", { remedy: "give it minibatches" });
    }
    this.#minibatches.epoch([...this.#observationColumn, ...columns], () => onUpdate(this.update()));
  }

  /** One of the programs that `tracePrograms` traced. */
  program(name: string): LoadedProgram {
    return this.#session.programs[name];
  }

  /** θ [P] in the executor's memory. */
  get theta(): Buffer {
    return this.#theta;
  }

  /** The optimiser's state, the observations' moments and the random streams: all but θ, which the policy saves. */
  save(): Snapshot {
    return {
      optimiser: this.#optimiser.save(),
      ...(this.#moments === null ? {} : { observations: this.#moments.save() }),
      sampling: this.#sampling.save(),
      ...(this.#minibatches === null ? {} : { minibatches: this.#shuffling.save() }),
      evaluation: this.#evaluationRandom.save(),
    };
  }

  restore(snapshot: Snapshot): void {
    const where = "PolicyValueLearner.restore";
    const takeOver = this.#optimiser.restoring(where, snapshotSection(where, snapshot, "optimiser"));
    const words = (name: string) => snapshotArray(where, snapshot, name, "uint32", 4);
    const sampling = words("sampling");
    const shuffling = this.#minibatches === null ? null : words("minibatches");
    const evaluation = words("evaluation");
    this.#moments?.restore(snapshotSection(where, snapshot, "observations"));
    takeOver();
    this.#shared?.publish();
    this.#sampling.restore(sampling);
    if (shuffling !== null) this.#shuffling.restore(shuffling);
    this.#evaluationRandom.restore(evaluation);
  }
}

function evaluationOf(program: LoadedProgram): Evaluation {
  return {
    program,
    logPi: logProbabilities(program.output("logPi")),
    v: stateValues(program.output("v")),
    kl: program.output("kl"),
  };
}
