import { fail } from "../base/errors.js";
import type { Piece } from "../base/piece.js";
import type { Random } from "../base/random.js";
import { linear } from "../base/schedule.js";
import {
  type Snapshot,
  snapshotArray,
  snapshotCount,
  snapshotNumber,
  snapshotSection,
} from "../base/snapshot.js";
import type { OnStep } from "../data/collector.js";
import { Replay } from "../data/replay.js";
import type { EnvironmentRows } from "../envs/environment.js";
import { EnvironmentParts } from "../envs/environment-parts.js";
import { mode, sampleCategorical } from "../math/categorical.js";
import { logProbabilities } from "../math/units.js";
import { qNetwork } from "../nn/heads.js";
import { type Algorithm, type AlgorithmContext, algorithmKind, type IterationReport } from "./algorithm.js";
import { type DqnValues, dqnDefaults, dqnEffects, dqnSettings } from "./dqn-settings.js";
import { referencePolicy } from "./on-policy.js";
import { networkShapes, type Policy } from "./policy.js";
import { QLearner } from "./q-learner.js";

/** Updates of an iteration, at least: unless they are so rare that it would have more steps than these. */
const UPDATES_PER_ITERATION = 4;
const STEPS_PER_ITERATION = 4096;

/**
 * Deep Q-learning with a replay and a target network (Mnih et al. 2015; §6.2): fit Q_θ(s_t, a_t) to
 * y = Σ_{d<n} γ^d r_{t+d} + γ^n B(s_{t+n}). Hard and soft Q-learning differ in the backup B alone.
 */
export const dqn = algorithmKind({
  name: "dqn",
  title: "DQN",
  about: "Q-learning with replay and a target network: hard, soft and Munchausen backups",
  settings: dqnSettings,
  defaults: dqnDefaults,
  effects: dqnEffects,
  make: (context, current) => new Dqn(context, current),
});

class Dqn implements Algorithm {
  readonly #settings: DqnValues;
  readonly #size: number;
  readonly #actionCount: number;
  readonly #parts: EnvironmentParts;
  /** [S/P] a_t of each part. */
  readonly #actions: readonly Int32Array[];
  readonly #replay: Replay;
  readonly #learner: QLearner;
  readonly #exploration: Random;
  readonly #sampling: Random;
  /** Steps of all environments in one iteration. */
  readonly #vectorSteps: number;
  /** Environment steps in the replay, all environments together, since the start. */
  #steps = 0;
  #updates = 0;
  /**
   * The step from which updates are made every `trainEvery` steps: when the replay holds `replayStart` of them, and a
   * transition.
   */
  #learnsFrom: number;
  /** Whether an iteration has failed: the environments may have made steps that the replay does not have. */
  #isLost = false;
  #onStep: OnStep = () => {};
  /** Sums over the updates of an iteration, then their means; the same object each time. */
  readonly #figures: Record<string, number> = {};
  readonly #report: { steps: number; figures: Readonly<Record<string, number>>; updates: number };
  readonly #visit = (t: number, p: number): void => this.#stepPart(t, p);

  constructor(context: AlgorithmContext, current: DqnValues) {
    const { environment } = context;
    const { backup, behaviour, double, dueling, loss, replay } = current;
    const { observationShape, actions } = networkShapes(environment);
    const isSoft = backup !== "hard" || behaviour === "boltzmann";
    const prior = referencePolicy(backup === "soft-kl" ? "uniform" : "entropy", actions);
    this.#settings = current;
    this.#learnsFrom = current.replayStart;
    this.#size = environment.size;
    this.#actionCount = actions;
    this.#parts = new EnvironmentParts(environment);
    const rows = environment.size / this.#parts.all.length;
    this.#actions = this.#parts.all.map(() => new Int32Array(rows));
    this.#replay = new Replay({
      capacity: current.replayCapacity,
      size: environment.size,
      observationSpace: environment.observationSpace,
      actionCount: actions,
      steps: backup === "munchausen" ? 1 : current.returnSteps,
      frames: current.replayFrames,
      priorityExponent: replay === "prioritised" ? current.priorityExponent : null,
    });
    this.#exploration = context.streams.stream("exploration");
    this.#sampling = context.streams.stream("replay");
    this.#learner = new QLearner({
      context,
      network: qNetwork(context.body, observationShape, actions, { dueling }),
      rows,
      batchSize: current.batchSize,
      update: {
        backup,
        double,
        measure: loss,
        weighted: replay === "prioritised",
        logPrior: prior,
        munchausenWeight: current.munchausenWeight,
        munchausenFloor: current.munchausenFloor,
      },
      targetRate: current.targetRate,
      form: () => ({
        bodies: dueling ? "dueling-q" : "q",
        tau: isSoft ? current.tau : 0,
        logPrior: prior,
      }),
      tau: () => current.tau,
    });
    this.#vectorSteps = Math.min(
      UPDATES_PER_ITERATION * Math.ceil(current.trainEvery / environment.size),
      Math.max(UPDATES_PER_ITERATION, Math.floor(STEPS_PER_ITERATION / environment.size)),
    );
    this.#report = { steps: this.#vectorSteps * environment.size, figures: this.#figures, updates: 0 };
  }

  get policy(): Policy {
    return this.#learner.policy;
  }

  get learningStarts(): number {
    return this.#settings.replayStart;
  }

  /** Steps all environments a few times. The updates that are due are made while they step. */
  async iterate(onStep: OnStep): Promise<IterationReport> {
    const before = this.#updates;
    for (const name in this.#figures) this.#figures[name] = 0;
    this.#onStep = onStep;
    this.#follow();
    this.#isLost = true;
    await this.#parts.forEachStep(this.#vectorSteps, this.#visit);
    this.#isLost = false;
    const updates = this.#updates - before;
    if (updates === 0) return { steps: this.#report.steps, figures: {} };
    for (const name in this.#figures) this.#figures[name] /= updates;
    this.#figures.epsilon = this.#epsilon;
    this.#report.updates = updates;
    return this.#report;
  }

  /** Brings the newest observations into the replay where it does not have them. */
  #follow(): void {
    if (this.#replay.begun && !this.#isLost) return;
    const observations = joined(this.#parts.all);
    if (this.#replay.begun) this.#replay.cut(observations);
    else this.#replay.begin(observations);
    this.#isLost = false;
  }

  /** Records step t − 1 of part p and starts step t. */
  #stepPart(t: number, p: number): void {
    const part = this.#parts.all[p];
    const actions = this.#actions[p];
    if (t > 0) {
      this.#replay.add(actions, part, p * part.size);
      this.#onStep(t - 1, part, p * part.size);
    }
    // All parts act with one ε and one θ, so that the result does not depend on the parts.
    if (t > 0 && p === 0) this.#steps += this.#size;
    if (t < this.#vectorSteps) {
      this.#act(part, actions);
      this.#parts.step(p, actions);
    }
    if (p === this.#parts.all.length - 1) this.#learn();
  }

  /** ε of the present step: 1 up to `replayStart`, then linearly down to the setting. */
  get #epsilon(): number {
    const { behaviour, epsilon, replayStart, explorationSteps } = this.#settings;
    if (behaviour === "boltzmann") return 0;
    const passed = this.#steps - replayStart;
    if (passed < 0) return 1;
    return passed >= explorationSteps ? epsilon : linear(1, epsilon, passed, explorationSteps);
  }

  #act({ observations }: EnvironmentRows, actions: Int32Array): void {
    const random = this.#exploration;
    const epsilon = this.#epsilon;
    const A = this.#actionCount;
    const { q, logPi } = this.#learner;
    if (epsilon < 1) this.#learner.evaluate(observations);
    const isBoltzmann = this.#settings.behaviour === "boltzmann";
    for (let i = 0; i < actions.length; i++) {
      if (isBoltzmann) actions[i] = sampleCategorical(logPi, random, i * A, A);
      else if (random.float() < epsilon) actions[i] = random.integer(A);
      // Any numbers have a mode; where Q has NaN, it throws.
      else actions[i] = mode(logProbabilities(q), i * A, A);
    }
  }

  /** Makes the updates that are due. */
  #learn(): void {
    const { targetEvery, gamma, importanceExponent } = this.#settings;
    const due = this.#due(this.#steps, this.#learnsFrom);
    if (this.#updates >= due) return;
    if (!this.#replay.ready) {
      // Updates that nothing could be learned from are not made up for.
      this.#learnsFrom = this.#steps - this.#updates * this.#settings.trainEvery;
      return;
    }
    const { batch, errors } = this.#learner;
    while (this.#updates < due) {
      this.#replay.sample(this.#sampling, batch, gamma, importanceExponent);
      this.#learner.update(this.#figures);
      if (errors !== null) this.#replay.setErrors(batch.indices, errors);
      this.#updates++;
      if (this.#updates % targetEvery === 0) this.#learner.synchronise();
    }
  }

  save(): Snapshot {
    const { saveReplay, replayStart } = this.#settings;
    // After a failed step a restored run must not join the steps before and after it, either.
    if (this.#isLost) this.#follow();
    return {
      steps: this.#steps,
      updates: this.#updates,
      // Another number only where a replay was dropped, or had no transition when the first update was due.
      ...(saveReplay && this.#learnsFrom !== replayStart ? { learnsFrom: this.#learnsFrom } : {}),
      learner: this.#learner.save(),
      ...(saveReplay ? { replay: this.#replay.save() } : {}),
      exploration: this.#exploration.save(),
      sampling: this.#sampling.save(),
    };
  }

  restore(snapshot: Snapshot): void {
    const where = "Dqn.restore";
    const { saveReplay, replayStart } = this.#settings;
    const steps = snapshotCount(where, snapshot, "steps");
    const updates = snapshotCount(where, snapshot, "updates");
    const isDropped = saveReplay && snapshot.learnsFrom !== undefined;
    const learnsFrom = isDropped ? snapshotNumber(where, snapshot, "learnsFrom") : replayStart;
    if (saveReplay) this.#requireUpdates(where, steps, updates, learnsFrom);
    const exploration = snapshotArray(where, snapshot, "exploration", "uint32", 4);
    const sampling = snapshotArray(where, snapshot, "sampling", "uint32", 4);
    const takeOver = this.#learner.restoring(where, snapshotSection(where, snapshot, "learner"));
    if (saveReplay) this.#replay.restore(snapshotSection(where, snapshot, "replay"));
    takeOver();
    this.#exploration.restore(exploration);
    this.#sampling.restore(sampling);
    this.#steps = steps;
    this.#updates = updates;
    this.#learnsFrom = learnsFrom;
    if (!saveReplay) this.#fillAgain();
  }

  /** @throws SoftrlError where more updates are missing than those of the steps before the first transition. */
  #requireUpdates(where: string, steps: number, updates: number, learnsFrom: number): void {
    const missing = this.#due(steps, learnsFrom) - updates;
    if (missing <= this.#replay.steps * this.#size) return;
    fail(where, "the number of updates does not belong to the number of steps", {
      expected: `${updates + missing} updates after ${steps} steps`,
      got: String(updates),
      remedy: "use a checkpoint as softrl wrote it",
    });
  }

  /** Updates that are due in all after so many steps. */
  #due(steps: number, learnsFrom: number): number {
    return Math.floor((steps - learnsFrom) / this.#settings.trainEvery);
  }

  /** Delays the next update until the replay, now empty, holds `replayStart` steps; none is made up for. */
  #fillAgain(): void {
    const { replayStart, trainEvery } = this.#settings;
    this.#learnsFrom = this.#steps + replayStart - this.#updates * trainEvery;
  }

  pieces(): readonly Piece[] {
    return this.#settings.saveReplay ? this.#replay.pieces() : [];
  }

  dropPieces(): string {
    this.#replay.clear();
    this.#fillAgain();
    return this.#emptyReplay;
  }

  get unsaved(): string | null {
    return this.#settings.saveReplay ? null : this.#emptyReplay;
  }

  get #emptyReplay(): string {
    return `the replay starts empty, and learning waits for ${this.#settings.replayStart} new steps`;
  }
}

/** The observations of all parts, in order. */
function joined(parts: readonly EnvironmentRows[]): EnvironmentRows["observations"] {
  const [{ observations }] = parts;
  const length = observations.length * parts.length;
  const all = observations instanceof Uint8Array ? new Uint8Array(length) : new Float32Array(length);
  parts.forEach((part, p) => {
    all.set(part.observations, p * observations.length);
  });
  return all;
}
