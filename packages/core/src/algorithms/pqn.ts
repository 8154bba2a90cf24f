import { allocate } from "../base/allocation.js";
import type { Random } from "../base/random.js";
import { type Snapshot, snapshotArray, snapshotSection } from "../base/snapshot.js";
import { type Actor, Collector, type OnStep } from "../data/collector.js";
import { Minibatches, type SampleColumn } from "../data/minibatches.js";
import type { RolloutStep } from "../data/rollout.js";
import type { Observations } from "../envs/environment.js";
import { klToPrior } from "../losses/boltzmann.js";
import { softQLoss } from "../losses/soft-q.js";
import { mode, sampleCategorical } from "../math/categorical.js";
import { lambdaTargetsInto } from "../math/returns.js";
import { explainedVariance, mean } from "../math/statistics.js";
import {
  type LogPrior,
  type LogProbabilities,
  logPrior,
  logProbabilities,
  type QValues,
  qValues,
  type StateValues,
  stateValues,
} from "../math/units.js";
import { qNetwork } from "../nn/heads.js";
import type { Buffer, LoadedProgram } from "../tensor/executor.js";
import { constant, input, state } from "../tensor/operations.js";
import { program } from "../tensor/program.js";
import { shapeSize } from "../tensor/shape.js";
import { type Algorithm, type AlgorithmContext, algorithmKind, type IterationReport } from "./algorithm.js";
import { requireMinibatches } from "./minibatch-settings.js";
import { hasStatistics, ObservationMoments } from "./observation-moments.js";
import { referencePolicy } from "./on-policy.js";
import { OptimiserStates } from "./optimiser-states.js";
import { NetworkPolicy, networkShapes, type Policy } from "./policy.js";
import { type PqnValues, pqnDefaults, pqnEffects, pqnSettings } from "./pqn-settings.js";
import { policyOfQ } from "./q-policy.js";
import { runDescent, setStepRule } from "./run-descent.js";

/**
 * Parallelised Q-network (Gallici et al. 2024): Q-learning from rollouts of many environments, without replay and without
 * target network. It fits Q_θ(s_t, a_t) to the λ-targets of {@link lambdaTargetsInto} in minibatches.
 *
 * Hard and soft PQN differ in the backup and in the policy that collects. With a soft backup the targets are those of soft
 * Q-learning (§3.5): it is §6.3's algorithm in the form Q_θ, with minibatches and layer normalisation.
 */
export const pqn = algorithmKind({
  name: "pqn",
  title: "PQN",
  about: "Q(λ) from parallel environments, hard or soft, without replay and target network",
  settings: pqnSettings,
  defaults: pqnDefaults,
  effects: pqnEffects,
  make: (context, current) => new Pqn(context, current),
});

class Pqn implements Algorithm, Actor {
  readonly policy: Policy;
  readonly #context: AlgorithmContext;
  readonly #settings: PqnValues;
  readonly #isSoft: boolean;
  /** A */
  readonly #actions: number;
  /** log π̄ [A] of the soft backups. */
  readonly #logPrior: LogPrior;
  readonly #collector: Collector;
  readonly #minibatches: Minibatches;
  /** [T, S] Q(s_t, a_t) at the time of the rollout. */
  readonly #taken: QValues;
  /** [T, S] */
  readonly #targets: QValues;
  readonly #evaluate: Evaluation;
  readonly #update: LoadedProgram;
  /** What an update reads of each sample. */
  readonly #columns: readonly SampleColumn[];
  readonly #optimiser: OptimiserStates;
  /** Null where the network does not normalise its inputs. */
  readonly #moments: ObservationMoments | null;
  readonly #sampling: Random;
  readonly #shuffling: Random;
  readonly #evaluationRandom: Random;
  readonly #figures: Record<string, number> = {};
  readonly #report: IterationReport;

  constructor(context: AlgorithmContext, current: PqnValues) {
    const { environment, executor, streams, stepRule } = context;
    const { backup, horizon, minibatches } = current;
    const batch = horizon * environment.size;
    requireMinibatches(minibatches, horizon, environment.size);
    const { observationShape, actions } = networkShapes(environment);
    const isSoft = backup !== "hard";
    const prior = referencePolicy(backup === "soft-kl" ? "uniform" : "entropy", actions);
    this.#context = context;
    this.#settings = current;
    this.#isSoft = isSoft;
    this.#actions = actions;
    this.#logPrior = prior;
    this.#collector = new Collector(environment, horizon);
    this.#taken = qValues(allocate("Pqn", Float64Array, batch));
    this.#targets = qValues(allocate("Pqn", Float64Array, batch));
    this.#sampling = streams.stream("sampling");
    this.#shuffling = streams.stream("minibatches");
    this.#evaluationRandom = streams.stream("evaluation");
    this.#minibatches = new Minibatches({
      observations: environment.observations,
      steps: horizon,
      size: environment.size,
      count: minibatches,
      random: this.#shuffling,
    });

    const network = qNetwork(context.body, observationShape, actions);
    const theta = state("theta", [network.parameters.size]);
    const views = network.parameters.views(theta);
    const qOf = (rows: number) => network.apply(input("observations", [rows, ...observationShape]), views);

    const rows = environment.size / this.#collector.parts;
    const outputs = policyOfQ(qOf(rows), prior, isSoft ? input("tau", []) : 0);
    const kl = isSoft ? { kl: klToPrior(outputs.logPi, logPrior(constant(prior))) } : {};

    const { size } = this.#minibatches;
    const loss = softQLoss({
      q: qOf(size),
      actions: input("actions", [size]),
      targets: qValues(input("targets", [size])),
    });
    const step = runDescent(stepRule, { theta, views, loss });
    const session = executor.load({
      evaluate: program({ outputs: { ...outputs, ...kl } }),
      update: program({ outputs: { loss, gradientNorm: step.gradientNorm }, updates: step.updates }),
    });
    this.#evaluate = evaluationOf(session.programs.evaluate, isSoft);
    const { update } = session.programs;
    this.#update = update;
    this.#columns = [
      { from: this.#minibatches.observations, to: update.input("observations") },
      { from: this.#collector.rollout.actions, to: update.input("actions") },
      { from: this.#targets, to: update.input("targets") },
    ];
    const memory = session.state(theta);
    memory.set(network.parameters.initial(streams.stream("parameters")));
    const width = shapeSize(observationShape);
    this.#moments = hasStatistics(network.parameters)
      ? new ObservationMoments(width, network.parameters, memory)
      : null;
    this.#optimiser = new OptimiserStates(network, step, theta, session);
    this.policy = new NetworkPolicy({
      observationSpace: environment.observationSpace,
      actionSpace: environment.actionSpace,
      network,
      program: session.programs.evaluate,
      prepare: () => this.#prepare(),
      theta: memory,
      rows,
      random: this.#evaluationRandom,
      form: () => ({ bodies: "q", tau: isSoft ? current.tau : 0, logPrior: prior }),
      followsObservations: true,
    });
    this.#report = { steps: batch, figures: this.#figures };
  }

  async iterate(onStep: OnStep): Promise<IterationReport> {
    await this.#collector.collect(this, onStep);
    this.#learn();
    return this.#report;
  }

  act(t: number, p: number, observations: Observations, step: RolloutStep): void {
    const { parts } = this.#collector;
    const { q, logPi, v, kl } = this.#evaluate;
    const { actions, values } = step;
    const at = t * parts + p;
    if (at === 0) {
      this.#prepare();
      this.#moments?.write();
    }
    this.#minibatches.keep(at, observations);
    this.#run(observations);
    values.set(v);
    if (kl !== null) step.kl.set(kl);
    const A = this.#actions;
    const random = this.#sampling;
    const { epsilon } = this.#settings;
    for (let s = 0, row = 0; s < actions.length; s++, row += A) {
      if (this.#isSoft) actions[s] = sampleCategorical(logPi, random, row, A);
      else if (random.float() < epsilon) actions[s] = random.integer(A);
      // Any numbers have a mode, and where Q is NaN it throws.
      else actions[s] = mode(logProbabilities(q), row, A);
      this.#taken[at * actions.length + s] = q[row + actions[s]];
    }
  }

  values(observations: Observations): StateValues<Buffer> {
    this.#run(observations);
    return this.#evaluate.v;
  }

  /** The inputs of `evaluate` that change during a run. */
  #prepare(): void {
    if (this.#isSoft) this.#evaluate.program.input("tau")[0] = this.#settings.tau;
  }

  #run(observations: Observations): void {
    this.#evaluate.observations.set(observations);
    this.#evaluate.program.run();
  }

  /** Targets are numbers, computed before the first step of the optimiser; then a step for each minibatch. */
  #learn(): void {
    const { tau, gamma, lambda, epochs, minibatches } = this.#settings;
    const { rollout } = this.#collector;
    lambdaTargetsInto(rollout, this.#isSoft ? tau : 0, gamma, lambda, this.#targets);
    const update = this.#update;
    setStepRule(update, this.#context.stepRule);
    this.#moments?.add(this.#minibatches.observations);
    this.#moments?.hold();
    const loss = update.output("loss");
    const gradientNorm = update.output("gradientNorm");
    let [losses, norms] = [0, 0];
    const step = () => {
      update.run();
      this.#moments?.putBack();
      losses += loss[0];
      norms += gradientNorm[0];
    };
    for (let epoch = 0; epoch < epochs; epoch++) this.#minibatches.epoch(this.#columns, step);
    const steps = epochs * minibatches;
    this.#figures.explainedVariance = explainedVariance(this.#taken, this.#targets);
    this.#figures.gradientNorm = norms / steps;
    this.#figures.qValue = mean(this.#taken);
    this.#figures.qLoss = losses / steps;
    if (!this.#isSoft) return;
    const divergence = mean(rollout.kl);
    this.#figures.kl = divergence;
    this.#figures.entropy = -divergence - this.#logPrior[0];
  }

  save(): Snapshot {
    return {
      optimiser: this.#optimiser.save(),
      ...(this.#moments === null ? {} : { observations: this.#moments.save() }),
      sampling: this.#sampling.save(),
      minibatches: this.#shuffling.save(),
      evaluation: this.#evaluationRandom.save(),
    };
  }

  restore(snapshot: Snapshot): void {
    const where = "Pqn.restore";
    const takeOver = this.#optimiser.restoring(where, snapshotSection(where, snapshot, "optimiser"));
    const words = (name: string) => snapshotArray(where, snapshot, name, "uint32", 4);
    const [sampling, minibatches, evaluation] = ["sampling", "minibatches", "evaluation"].map(words);
    this.#moments?.restore(snapshotSection(where, snapshot, "observations"));
    takeOver();
    this.#sampling.restore(sampling);
    this.#shuffling.restore(minibatches);
    this.#evaluationRandom.restore(evaluation);
  }
}

/** The memory of the program that acts. */
interface Evaluation {
  readonly program: LoadedProgram;
  readonly observations: Buffer;
  /** [S/P, A] */
  readonly q: QValues<Buffer>;
  /** [S/P, A] */
  readonly logPi: LogProbabilities<Buffer>;
  /** [S/P] */
  readonly v: StateValues<Buffer>;
  /** [S/P] KL(s), null for the hard backup. */
  readonly kl: Buffer | null;
}

function evaluationOf(program: LoadedProgram, isSoft: boolean): Evaluation {
  return {
    program,
    observations: program.input("observations"),
    q: qValues(program.output("q")),
    logPi: logProbabilities(program.output("logPi")),
    v: stateValues(program.output("v")),
    kl: isSoft ? program.output("kl") : null,
  };
}
