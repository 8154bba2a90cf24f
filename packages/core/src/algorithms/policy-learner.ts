import { fail, requireLength } from "../base/errors.js";
import type { Random, RandomStreams } from "../base/random.js";
import { type Snapshot, type SnapshotArray, snapshotArray, snapshotSection } from "../base/snapshot.js";
import type { Observations } from "../envs/environment.js";
import { klToPrior } from "../losses/boltzmann.js";
import { mode, sampleCategorical } from "../math/categorical.js";
import {
  type LogPrior,
  type LogProbabilities,
  logPrior,
  logProbabilities,
  type StateValues,
  stateValues,
  type Vector,
} from "../math/units.js";
import type { PolicyValueNetwork } from "../nn/heads.js";
import type { DescentStep } from "../optim/descent.js";
import type { Optimiser } from "../optim/optimiser.js";
import type { Schedule } from "../optim/schedule.js";
import type { Buffer, Executor, LoadedProgram, Session } from "../tensor/executor.js";
import { constant, input, state } from "../tensor/operations.js";
import { type Program, program } from "../tensor/program.js";
import type { Tensor } from "../tensor/tensor.js";

/** The hyper-parameters that A2C and online soft Q-learning share. */
export interface OnPolicyOptions {
  /** T: steps of each environment between two updates, and the longest n of the n-step returns. A2C: 5. */
  readonly horizon: number;
  /** γ. */
  readonly gamma: number;
  /** τ, the weight of the bonus −KL[π ‖ π̄]. */
  readonly tau: number;
  /** log π̄ [A]; all zeros make the bonus the entropy. */
  readonly logPrior: LogPrior<Vector>;
  /** c, the weight of ½(V − V̂)², or the scale of the value stream's gradient (§6.3): 0.5, where theory has 1/τ. */
  readonly valueCoefficient: number;
  readonly optimiser: Optimiser;
  /** By the fraction of `totalSteps` done. */
  readonly learningRate: Schedule;
  /** Environment steps of the whole run, all environments together. */
  readonly totalSteps: number;
  /** The global norm that the gradient is clipped to. */
  readonly maxGradientNorm: number;
}

/** A traced update: the step, and the figures to report about it. */
export interface TracedUpdate {
  readonly step: DescentStep;
  readonly report: Readonly<Record<string, Tensor>>;
}

/** What {@link PolicyLearner} is made of. */
export interface PolicyLearnerParts {
  readonly network: PolicyValueNetwork;
  readonly executor: Executor;
  readonly streams: RandomStreams;
  /** The number of environments S. */
  readonly size: number;
  /** P: the environments are judged in so many parts of one size; 1 unless said. */
  readonly parts?: number;
  /** Steps T of each environment between two updates. */
  readonly horizon: number;
  /** log π̄ [A]. */
  readonly logPrior: LogPrior<Vector>;
  /** Traces the algorithm's update from θ [P], its views and the observations [T · S, ...]. */
  readonly traceUpdate: (theta: Tensor, views: readonly Tensor[], observations: Tensor) => TracedUpdate;
  /**
   * Traces more programs on the same θ, for an algorithm whose iteration is not one step. θ may then change between a
   * rollout and its updates, so that no update takes over what the rollout has computed.
   */
  readonly tracePrograms?: (
    views: readonly Tensor[],
    observations: Tensor,
  ) => Readonly<Record<string, Program>>;
}

/** What π_θ and V_θ say about the observations of a part; overwritten by the next call. */
export interface Judgement {
  /** [S/P, A] */
  readonly logPi: LogProbabilities<Buffer>;
  /** [S/P] */
  readonly v: StateValues<Buffer>;
  /** [S/P] KL(s) */
  readonly kl: Buffer;
}

/**
 * A network with a policy and a value head in an executor's memory: it judges observations, draws actions, takes the
 * update steps that its algorithm traced, and saves all of that.
 */
export class PolicyLearner {
  readonly #network: PolicyValueNetwork;
  readonly #parts: number;
  /** Observations that one judgement takes, S/P. */
  readonly #rows: number;
  readonly #session: Session;
  readonly #states: ReadonlyMap<string, Buffer>;
  readonly #theta: Buffer;
  readonly #judged: readonly Judgement[];
  readonly #figures: readonly (readonly [name: string, figure: Buffer])[];
  readonly #report: Record<string, number> = {};
  readonly #sampling: Random;
  readonly #evaluation: Random;

  constructor(parts: PolicyLearnerParts) {
    const { network, executor, streams, size, horizon, logPrior: prior, traceUpdate } = parts;
    this.#parts = parts.parts ?? 1;
    const slices = horizon * this.#parts;
    const batch = horizon * size;
    if (prior.length !== network.actions) {
      fail("PolicyLearner", "logPrior has the wrong length", {
        expected: `one number for each of ${network.actions} actions`,
        got: String(prior.length),
      });
    }
    this.#network = network;
    this.#rows = size / this.#parts;
    this.#sampling = streams.stream("sampling");
    this.#evaluation = streams.stream("evaluation");

    const theta = state("theta", [network.parameters.size]);
    const views = network.parameters.views(theta);
    const observations = (rows: number) => input("observations", [rows, ...network.observationShape]);
    const { logPi, v } = network.apply(observations(this.#rows), views);
    const kl = klToPrior(logPi, logPrior(constant(prior)));
    const { step, report } = traceUpdate(theta, views, observations(batch));
    const reported = { ...report, gradientNorm: step.gradientNorm };
    const own = {
      judge: program({ outputs: { logPi, v, kl } }),
      update: program({ outputs: reported, updates: step.updates }),
    };
    this.#session =
      parts.tracePrograms === undefined
        ? executor.load(own, { of: "judge", into: "update", slices })
        : executor.load({ ...parts.tracePrograms(views, observations(batch)), ...own });
    this.#judged = [this.#session.programs.judge, ...this.#session.recorded].map(judgementOf);
    this.#figures = Object.keys(reported).map((name) => [name, this.#session.programs.update.output(name)]);
    this.#states = new Map(step.updates.map(([tensor]) => [stateName(tensor), this.#session.state(tensor)]));
    for (const [tensor, value] of step.initial) this.#session.state(tensor).fill(value);
    this.#theta = this.#session.state(theta);
    this.#theta.set(network.parameters.initial(streams.stream("parameters")));
  }

  /** log π, V and KL of a part's `observations` [S/P, ...]. */
  judge(observations: Observations): Judgement {
    return this.#judgeWith(this.#session.programs.judge, this.#judged[0], observations);
  }

  /** The same for step t of a rollout and part p: the next update learns from these observations. */
  judgeStep(t: number, observations: Observations, p = 0): Judgement {
    const at = t * this.#parts + p;
    if (this.#session.recorded.length > 0) {
      return this.#judgeWith(this.#session.recorded[at], this.#judged[at + 1], observations);
    }
    this.updateInput("observations").set(observations, at * observations.length);
    return this.judge(observations);
  }

  #judgeWith(program: LoadedProgram, judgement: Judgement, observations: Observations): Judgement {
    program.input("observations").set(observations);
    program.run();
    return judgement;
  }

  /** Fills `actions` [S/P] with draws from π_θ, for training. */
  sampleInto(logPi: LogProbabilities<Buffer>, actions: Int32Array): void {
    this.#drawInto(logPi, this.#sampling, actions);
  }

  /**
   * Acts for an evaluation, with a random stream of its own, on as many `observations` as there are `actions`: those of
   * S environments or of any other number.
   */
  act(observations: Observations, actions: Int32Array, how: "sample" | "mode"): void {
    const count = this.#network.actions;
    const width = observations.length / actions.length;
    for (let first = 0; first < actions.length; first += this.#rows) {
      const part = actions.subarray(first, first + this.#rows);
      const { logPi } = this.judge(observations.subarray(first * width, (first + part.length) * width));
      if (how === "sample") this.#drawInto(logPi, this.#evaluation, part);
      else for (let s = 0; s < part.length; s++) part[s] = mode(logPi, s * count, count);
    }
  }

  #drawInto(logPi: LogProbabilities<Buffer>, random: Random, actions: Int32Array): void {
    const count = this.#network.actions;
    for (let s = 0; s < actions.length; s++) actions[s] = sampleCategorical(logPi, random, s * count, count);
  }

  /** The memory of one of the update's inputs, by the name that it was traced with: write it before an update. */
  updateInput(name: string): Buffer {
    return this.#session.programs.update.input(name);
  }

  /**
   * Runs the traced update on its inputs and on the observations that {@link judgeStep} saw at each of the T steps.
   * @returns the reported figures and the gradient's norm; the same object each time.
   */
  update(): Readonly<Record<string, number>> {
    this.#session.programs.update.run();
    for (const [name, figure] of this.#figures) this.#report[name] = figure[0];
    return this.#report;
  }

  /** One of the programs that `tracePrograms` traced. */
  program(name: string): LoadedProgram {
    return this.#session.programs[name];
  }

  /** θ ← θ + scale · direction [P], in place. */
  moveTheta(direction: Vector, scale: number): void {
    for (let i = 0; i < this.#theta.length; i++) this.#theta[i] += scale * direction[i];
  }

  /** θ [P], a copy. */
  theta(): Float64Array {
    return Float64Array.from(this.#theta);
  }

  /** Takes θ [P] over. */
  adopt(theta: ArrayLike<number>): void {
    requireLength(
      "PolicyLearner.adopt",
      "theta",
      theta.length,
      this.#theta.length,
      "it is of another network",
    );
    for (let i = 0; i < theta.length; i++) {
      if (!Number.isFinite(theta[i])) {
        fail("PolicyLearner.adopt", `parameter ${i} is not finite`, { got: String(theta[i]) });
      }
    }
    this.#theta.set(theta);
  }

  save(): Snapshot {
    const states: Record<string, SnapshotArray> = {};
    for (const [name, buffer] of this.#states) states[name] = buffer.slice();
    return { states, sampling: this.#sampling.save(), evaluation: this.#evaluation.save() };
  }

  restore(snapshot: Snapshot): void {
    const where = "PolicyLearner.restore";
    const states = snapshotSection(where, snapshot, "states");
    const saved = [...this.#states].map(([name, buffer]) => {
      const kind = buffer instanceof Float64Array ? "float64" : "float32";
      return [buffer, snapshotArray(where, states, name, kind, buffer.length)] as const;
    });
    for (const [buffer, values] of saved) buffer.set(values);
    this.#sampling.restore(snapshotArray(where, snapshot, "sampling", "uint32", 4));
    this.#evaluation.restore(snapshotArray(where, snapshot, "evaluation", "uint32", 4));
  }
}

function judgementOf(program: LoadedProgram): Judgement {
  return {
    logPi: logProbabilities(program.output("logPi")),
    v: stateValues(program.output("v")),
    kl: program.output("kl"),
  };
}

function stateName(tensor: Tensor): string {
  return tensor.origin.kind === "state"
    ? tensor.origin.name
    : fail("PolicyLearner", "an update is not of a state");
}
