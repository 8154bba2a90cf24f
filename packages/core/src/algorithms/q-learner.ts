import type { Random } from "../base/random.js";
import { type Snapshot, snapshotArray, snapshotSection } from "../base/snapshot.js";
import type { ReplayBatch } from "../data/replay-batch.js";
import type { Observations } from "../envs/environment.js";
import { type QUpdate, traceQUpdate } from "../losses/q-update.js";
import { type LogProbabilities, logProbabilities, type QValues, qValues } from "../math/units.js";
import type { QNetwork } from "../nn/heads.js";
import type { StepRule } from "../optim/optimiser-kind.js";
import type { Buffer, LoadedProgram, Session } from "../tensor/executor.js";
import { add, input, mul, state } from "../tensor/operations.js";
import { program } from "../tensor/program.js";
import type { AlgorithmContext } from "./algorithm.js";
import { OptimiserStates } from "./optimiser-states.js";
import { NetworkPolicy, namedParameters, type PolicyForm, parametersFrom } from "./policy.js";
import { policyOfQ } from "./q-policy.js";
import { runDescent, setStepRule } from "./run-descent.js";

/** The parts of a {@link QLearner}. */
export interface QLearnerParts {
  readonly context: AlgorithmContext;
  readonly network: QNetwork;
  /** Observations that are acted on at once. */
  readonly rows: number;
  /** Transitions of an update B. */
  readonly batchSize: number;
  readonly update: QUpdate;
  /** ρ in θ̄ ← (1 − ρ) θ̄ + ρ θ; 1 copies. */
  readonly targetRate: number;
  readonly form: () => PolicyForm;
  /** τ of the present step. */
  readonly tau: () => number;
}

/**
 * A Q-network and its target network in an executor's memory: it evaluates observations, makes updates from a batch in
 * its input memory with one call of the executor each, and saves all of that.
 */
export class QLearner {
  readonly policy: NetworkPolicy;
  /** The memory of a batch, to be filled before {@link update}. */
  readonly batch: ReplayBatch;
  /** [B] δ of the newest update; null unless samples are weighted. */
  readonly errors: Buffer | null;
  /** [rows, A] Q and log π of the newest {@link evaluate}. */
  readonly q: QValues<Buffer>;
  readonly logPi: LogProbabilities<Buffer>;
  readonly #network: QNetwork;
  readonly #stepRule: StepRule;
  readonly #tau: () => number;
  readonly #usesTau: { readonly evaluate: boolean; readonly update: boolean };
  readonly #session: Session<"evaluate" | "update" | "synchronise">;
  readonly #theta: Buffer;
  readonly #target: Buffer;
  readonly #optimiser: OptimiserStates;
  readonly #figures: readonly (readonly [name: string, figure: Buffer])[];
  readonly #evaluationRandom: Random;

  constructor(parts: QLearnerParts) {
    const { context, network, rows, batchSize, update, targetRate, form, tau } = parts;
    const { environment, executor, streams, stepRule } = context;
    const { parameters } = network;
    this.#network = network;
    this.#stepRule = stepRule;
    this.#tau = tau;
    this.#evaluationRandom = streams.stream("evaluation");

    const theta = state("theta", [parameters.size]);
    const target = state("target", [parameters.size]);
    const views = parameters.views(theta);
    const observations = input("observations", [rows, ...network.observationShape]);
    const { tau: policyTau, logPrior: prior } = form();
    const actsGreedily = policyTau === 0;
    const q = network.apply(observations, views);
    const outputs = policyOfQ(q, prior, actsGreedily ? 0 : input("tau", []));
    const {
      loss,
      errors,
      q: meanQ,
    } = traceQUpdate(network, batchSize, views, parameters.views(target), update);
    const step = runDescent(stepRule, { theta, views, loss });
    const figures = { qLoss: loss, qValue: meanQ, gradientNorm: step.gradientNorm };
    const mixed = targetRate === 1 ? theta : add(mul(1 - targetRate, target), mul(targetRate, theta));
    this.#session = executor.load({
      evaluate: program({ outputs: { ...outputs } }),
      update: program({
        outputs: update.weighted ? { ...figures, errors } : figures,
        updates: step.updates,
      }),
      synchronise: program({ outputs: {}, updates: [[target, mixed]] }),
    });
    this.#usesTau = { evaluate: !actsGreedily, update: update.backup !== "hard" };

    const { programs } = this.#session;
    this.q = qValues(programs.evaluate.output("q"));
    this.logPi = logProbabilities(programs.evaluate.output("logPi"));
    this.errors = update.weighted ? programs.update.output("errors") : null;
    this.batch = {
      observations: programs.update.input("observations"),
      nextObservations: programs.update.input("nextObservations"),
      actions: programs.update.input("actions"),
      returns: programs.update.input("returns"),
      discounts: programs.update.input("discounts"),
      weights: update.weighted ? programs.update.input("weights") : null,
      indices: new Int32Array(batchSize),
    };
    this.#figures = Object.keys(figures).map((name) => [name, programs.update.output(name)]);
    this.#theta = this.#session.state(theta);
    this.#target = this.#session.state(target);
    const initial = parameters.initial(streams.stream("parameters"));
    this.#theta.set(initial);
    this.#target.set(initial);
    this.#optimiser = new OptimiserStates(network, step, theta, this.#session);
    this.policy = new NetworkPolicy({
      observationSpace: environment.observationSpace,
      actionSpace: environment.actionSpace,
      network,
      program: programs.evaluate,
      prepare: () => this.#setTau(programs.evaluate),
      theta: this.#theta,
      rows,
      random: this.#evaluationRandom,
      form,
    });
  }

  /** Evaluates observations [rows, ...]: fills {@link q} and {@link logPi}. */
  evaluate(observations: Observations): void {
    const { evaluate } = this.#session.programs;
    this.#setTau(evaluate);
    evaluate.input("observations").set(observations);
    evaluate.run();
  }

  /** One step of the optimiser on the batch; adds the update's figures to `sums`. */
  update(sums: Record<string, number>): void {
    const { update } = this.#session.programs;
    if (this.#usesTau.update) update.input("tau")[0] = this.#tau();
    setStepRule(update, this.#stepRule);
    update.run();
    for (const [name, figure] of this.#figures) sums[name] = (sums[name] ?? 0) + figure[0];
  }

  /** θ̄ ← (1 − ρ) θ̄ + ρ θ. */
  synchronise(): void {
    this.#session.programs.synchronise.run();
  }

  #setTau(evaluate: LoadedProgram): void {
    if (this.#usesTau.evaluate) evaluate.input("tau")[0] = this.#tau();
  }

  /** The target network, the optimiser's state and the evaluation's stream: all but θ, which the policy saves. */
  save(): Snapshot {
    return {
      target: namedParameters(this.#network, this.#target),
      optimiser: this.#optimiser.save(),
      evaluation: this.#evaluationRandom.save(),
    };
  }

  /** Checks a snapshot. @returns a function that takes it over */
  restoring(where: string, snapshot: Snapshot): () => void {
    const takeOver = this.#optimiser.restoring(where, snapshotSection(where, snapshot, "optimiser"));
    const target = parametersFrom(where, this.#network, snapshotSection(where, snapshot, "target"));
    const evaluation = snapshotArray(where, snapshot, "evaluation", "uint32", 4);
    return () => {
      takeOver();
      this.#target.set(target);
      this.#evaluationRandom.restore(evaluation);
    };
  }
}
