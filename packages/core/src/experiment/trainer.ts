import type { Algorithm, AlgorithmKind, IterationReport } from "../algorithms/algorithm.js";
import { requireChangeEffects } from "../algorithms/setting-effects.js";
import { fail } from "../base/errors.js";
import { LiveSettings } from "../base/live-settings.js";
import { inPart, inPartAsync } from "../base/part-fault.js";
import { RandomStreams } from "../base/random.js";
import { type Snapshot, savedBy, snapshotCount, snapshotSection } from "../base/snapshot.js";
import type { OnStep } from "../data/collector.js";
import type { EnvironmentRows, VectorEnvironment } from "../envs/environment.js";
import { encodeCheckpoint } from "./checkpoint.js";
import { claimEnvironment, type EnvironmentUser, requireClaim } from "./environment-claim.js";
import { FigureMeans } from "./figure-means.js";
import {
  divergenceOfRun,
  requireFiniteFigures,
  requireFiniteObservations,
  requireFiniteReturn,
  requireFiniteSnapshot,
  requireFiniteStep,
} from "./finite.js";
import { checkedClock, type TrainProgress } from "./host.js";
import { LearningCheck } from "./learning-check.js";
import { GrowingCurve, type LearningCurve } from "./learning-curve.js";
import { makeAlgorithm } from "./make-algorithm.js";
import type { Oracle } from "./oracle.js";
import type { OracleMeasurement } from "./oracle-measurement.js";
import type { PeriodicEvaluation } from "./periodic-evaluation.js";
import type { Provenance } from "./provenance.js";
import { ReturnsWindow } from "./returns-window.js";
import { policyDescription, RUN_FORMAT } from "./run-checkpoint.js";
import { type ExecutorIdentity, executorIdentity, type RunConfig } from "./run-config.js";
import type { EpisodeEvent, EvaluationPoint, StartedEvent } from "./run-event.js";
import { RunPieces } from "./run-pieces.js";
import { CountingStore } from "./run-store.js";
import { type TrainResult, trainResult } from "./train-result.js";
import {
  environmentState,
  makeEvaluation,
  makeOracle,
  requireExecutor,
  requireReport,
  requireResumable,
  requireSame,
  type TrainerParts,
  threadsOf,
} from "./trainer-parts.js";
import { version } from "./version.js";

/**
 * One training run, an iteration at a time.
 *
 * `start` (or `restore`), then `iterate` until `done`, then `finish`. Every number that decides the future is in
 * `save()`: a restored trainer goes on as if it had never stopped, bit for bit.
 */
export class Trainer {
  readonly config: RunConfig;
  readonly environment: VectorEnvironment;
  readonly algorithm: Algorithm;
  readonly #kind: AlgorithmKind;
  readonly #live: LiveSettings;
  readonly #store: CountingStore;
  readonly #pieces: RunPieces;
  readonly #clock: (() => number) | null;
  /** What the events report that begin and resume the run. */
  readonly #origin: Pick<StartedEvent, keyof (ExecutorIdentity & Provenance)>;
  readonly #learning = new LearningCheck();
  readonly #window = new ReturnsWindow();
  readonly #curve = new GrowingCurve();
  #seconds = 0;
  /** Steps taken in those seconds: not those before a restore. */
  #timed = 0;
  readonly #figures = new FigureMeans();
  /** Whether a checkpoint waits for an evaluation that the signal stopped: a resumed run makes both, in their order. */
  #checkpointDue = false;
  #state: "new" | "ready" | "busy" = "new";
  #savesEnvironment = true;
  readonly #user: EnvironmentUser = { isAtWork: () => this.#state === "busy" };
  readonly #oracle: Oracle | null;
  readonly #evaluation: PeriodicEvaluation | null;
  /** The episodes that ended in this iteration, for the store. */
  readonly #endings: EpisodeEvent[] = [];
  // Made once: an iteration is short, and its closures would be most of its garbage.
  readonly #onStep: OnStep = (t, rows, first) => this.#count(t, rows, first);

  constructor(parts: TrainerParts) {
    const { config, kinds, environment, executor, store, clock, pause, provenance } = parts;
    requireSame("the environments", config.environment.count, environment.size);
    requireExecutor(config, executor);
    this.config = config;
    this.environment = environment;
    this.#kind = kinds.algorithm;
    this.#live = new LiveSettings(config.run.steps);
    const threads = threadsOf(parts, this.#live);
    this.algorithm = makeAlgorithm(config, kinds, environment, executor, this.#live, threads);
    this.#store = new CountingStore(store);
    this.#pieces = new RunPieces(config.algorithm.name, this.algorithm, store, pause);
    this.#clock = checkedClock(clock);
    this.#origin = { ...executorIdentity(executor), ...provenance };
    this.#oracle = makeOracle(parts, this.algorithm);
    this.#evaluation = makeEvaluation(parts, this.algorithm, this.#live, this.#store);
  }

  /** Environment steps taken, all environments together. */
  get step(): number {
    return this.#live.step;
  }

  get done(): boolean {
    return this.step >= this.#live.steps;
  }

  get curve(): LearningCurve {
    return this.#curve;
  }

  /** The oracle's measurements, the newest last; none without an oracle. */
  get measurements(): readonly OracleMeasurement[] {
    return this.#oracle?.answers ?? [];
  }

  /** The evaluations during the run, the newest last; none without `evaluateEvery`. */
  get evaluations(): readonly EvaluationPoint[] {
    return this.#evaluation?.points ?? [];
  }

  /** The environments that the run is evaluated in; null without `evaluateEvery`. */
  get evaluationEnvironment(): VectorEnvironment | null {
    return this.#evaluation?.environment ?? null;
  }

  /** Whether a checkpoint can be continued: the environments can save their state. Known once the run has started. */
  get canResume(): boolean {
    return this.#savesEnvironment;
  }

  get progress(): TrainProgress {
    const { warning } = this.#learning;
    return {
      algorithm: this.config.algorithm.name,
      step: this.step,
      steps: this.#live.steps,
      episodes: this.#window.episodes,
      meanReturn: this.#window.mean(),
      stepsPerSecond: this.#stepsPerSecond(),
      ...(warning === null ? {} : { warning }),
    };
  }

  /** Starts all episodes from the seed and opens the run in the store. */
  start(): Promise<void> {
    return this.#alone("start", "new", async () => {
      claimEnvironment("Trainer.start", this.environment, this.#user);
      await this.environment.reset(new RandomStreams(this.config.run.seed));
      requireFiniteObservations(this.environment, 0);
      // What cannot be saved is refused now, not at the first checkpoint.
      await this.#save();
      await this.#store.append({ event: "started", version, ...this.#origin, config: this.config });
      await this.#consultOracle();
      await this.#evaluation?.evaluateIfDue(this.done);
    });
  }

  /**
   * One rollout and one update.
   * @throws SoftrlError when the run is done, or an observation, a reward or a figure is not finite.
   */
  async iterate(): Promise<void> {
    if (this.done) {
      fail("Trainer.iterate", "the run is done", {
        expected: `fewer than ${this.#live.steps} steps taken`,
        got: String(this.step),
        remedy: "extend it with set({ steps })",
      });
    }
    // Not through #alone: its closure and its promise would be most of an iteration's garbage.
    this.#begin("iterate", "ready");
    try {
      requireClaim("Trainer.iterate", this.environment, this.#user);
      const began = this.#now();
      const before = this.step;
      this.#endings.length = 0;
      this.#conclude(await this.algorithm.iterate(this.#onStep), began);
      if (this.#endings.length > 0) await this.#logEpisodes();
      const { learningStarts } = this.algorithm;
      const warning = this.#learning.check(this.step, this.#live.steps, this.#window, learningStarts);
      if (warning !== null) await this.#store.append({ event: "warning", ...warning });
      if (this.#passed(before, this.config.run.logEvery)) await this.#logUpdates();
      if (this.done || this.#passed(before, this.config.run.oracleEvery)) await this.#consultOracle();
      if (this.#evaluation !== null) await this.#evaluation.evaluateIfDue(this.done);
      this.#checkpointDue = this.#passed(before, this.config.run.checkpointEvery) && !this.done;
      if (this.#checkpointDue) await this.#writeDueCheckpoint();
    } catch (error) {
      throw divergenceOfRun(error, this.#kind, this.config.algorithm, this.step);
    } finally {
      this.#state = "ready";
    }
  }

  /** Records the outcome of an iteration. */
  #conclude(report: IterationReport, began: number): void {
    const { steps, figures, updates } = requireReport(this.config.algorithm.name, report);
    this.#live.step += steps;
    this.#timed += steps;
    requireFiniteFigures(this.config.algorithm.name, figures, this.step);
    this.#figures.add(figures, updates);
    this.#seconds += this.#now() - began;
  }

  /** Checks a step of some environments and records the episodes that it ended. */
  #count(t: number, rows: EnvironmentRows, first: number): void {
    const step = this.step + (t + 1) * this.environment.size;
    requireFiniteStep(rows, step, first);
    const { episodeEnded, episodeReturns, episodeLengths } = rows;
    for (let i = 0; i < episodeEnded.length; i++) {
      if (episodeEnded[i] === 0) continue;
      requireFiniteReturn(rows, i, step, first);
      this.#window.add(episodeReturns[i]);
      const ending = { step, environment: first + i, return: episodeReturns[i], length: episodeLengths[i] };
      this.#endings.push({ event: "episode", ...ending });
    }
  }

  /**
   * Writes the last checkpoint and closes the run in the store.
   * @throws SoftrlError when a parameter is not finite; the checkpoint before stays.
   */
  finish(): Promise<TrainResult> {
    return this.#alone("finish", "ready", () => this.#finish());
  }

  async #finish(): Promise<TrainResult> {
    const interrupted = !this.done || this.#isEvaluationDue();
    // A resumed run equals an uninterrupted one: its checkpoint holds the figures that are not logged yet, and no event
    // tells of a checkpoint that the other has not.
    if (interrupted) await this.#storeCheckpoint(this.#store.events);
    await this.#logUpdates();
    if (!interrupted) await this.#writeCheckpoint();
    await this.#store.append({ event: interrupted ? "interrupted" : "finished", step: this.step });
    return trainResult({
      meanReturn: this.#window.mean(),
      episodes: this.#window.episodes,
      steps: this.step,
      stepsPerSecond: this.#stepsPerSecond(),
      interrupted,
      reproducible: this.algorithm.isReproducible ?? true,
      warning: this.#learning.warning,
      measurements: this.measurements,
      evaluations: this.evaluations,
    });
  }

  /**
   * Sets live settings from the present step on, for instance `{ tau: 0.01 }`, or `{ steps: 1e6 }` to extend the run.
   * The change is logged, and a checkpoint is written that holds it. A schedule that falls linearly over the run, such as
   * the learning rate's, then falls over the new length.
   * @throws SoftrlError between no two iterations, for a setting that cannot change during a run or has no effect, or
   * for a value out of range; nothing has changed then.
   */
  set(settings: Readonly<Record<string, number>>): Promise<void> {
    return this.#alone("set", "ready", async () => {
      const where = "Trainer.set";
      requireChangeEffects((name) => `${where}: ${name}`, this.#kind, this.config.algorithm, settings);
      this.#live.set(where, settings);
      await this.#store.append({ event: "set", step: this.step, settings });
      await this.#writeCheckpoint();
    });
  }

  /**
   * The complete state of the run: configuration, counters, scores, policy, algorithm and environments.
   * @throws SoftrlError during an iteration, and where a part saves what a checkpoint cannot hold.
   */
  save(): Promise<Snapshot> {
    return this.#alone("save", "ready", async () => ({ ...(await this.#save()), ...this.#pieces.save() }));
  }

  /** The state without the pieces. */
  async #save(): Promise<Snapshot> {
    requireClaim("Trainer.save", this.environment, this.#user);
    const { name } = this.config.algorithm;
    const { policy, isReproducible = true } = this.algorithm;
    await inPartAsync(name, "prepareSave", () => this.algorithm.prepareSave?.());
    const learned = {
      parameters: savedBy(`${name} policy`, () => policy.save()),
      algorithm: savedBy(name, () => this.algorithm.save()),
    };
    requireFiniteSnapshot(this.config.algorithm.name, learned, this.step);
    const environment = await environmentState(this.config.environment.id, this.environment);
    this.#savesEnvironment = environment !== null;
    return {
      format: RUN_FORMAT,
      version,
      config: JSON.stringify(this.config),
      live: this.#live.save(),
      events: this.#store.events,
      ...(this.#checkpointDue ? { checkpointDue: true } : {}),
      ...this.#figures.save(),
      scores: this.#window.save(),
      learning: this.#learning.save(),
      curve: this.#curve.save(),
      policy: policyDescription(policy),
      ...learned,
      environment,
      ...(isReproducible ? {} : { reproducible: false }),
      ...(this.#oracle === null ? {} : { oracle: this.#oracle.save() }),
      ...(this.#evaluation === null ? {} : { evaluation: this.#evaluation.save() }),
    };
  }

  /**
   * Continues a saved run instead of starting one.
   * @param how `withoutReplay` leaves out a replay that is lost: the run is another one from here on
   * @returns what the run has lost, and what follows; null if nothing
   * @throws SoftrlError when the snapshot is of another configuration or of another shape.
   */
  restore(snapshot: Snapshot, { withoutReplay = false } = {}): Promise<string | null> {
    return this.#alone("restore", "new", () => this.#restore(snapshot, withoutReplay));
  }

  async #restore(snapshot: Snapshot, withoutReplay: boolean): Promise<string | null> {
    const where = "Trainer.restore";
    claimEnvironment(where, this.environment, this.#user);
    requireResumable(where, snapshot, this.config);
    this.#live.restore(snapshotSection(where, snapshot, "live"));
    this.#curve.restore(snapshotSection(where, snapshot, "curve"));
    this.#window.restore(snapshotSection(where, snapshot, "scores"));
    this.#learning.restore(snapshotSection(where, snapshot, "learning"));
    this.#figures.restore(where, snapshot);
    this.#store.events = snapshotCount(where, snapshot, "events");
    this.#checkpointDue = snapshot.checkpointDue === true;
    this.#oracle?.restore(snapshotSection(where, snapshot, "oracle"));
    this.#evaluation?.restore(snapshotSection(where, snapshot, "evaluation"));
    const { name } = this.config.algorithm;
    const [parameters, state, environment] = (["parameters", "algorithm", "environment"] as const).map(
      (section) => snapshotSection(where, snapshot, section),
    );
    inPart(`${name} policy`, "restore", () => this.algorithm.policy.restore(parameters));
    inPart(name, "restore", () => this.algorithm.restore(state));
    const lost = await this.#pieces.restore(where, snapshot, withoutReplay);
    const { id } = this.config.environment;
    await inPartAsync(id, "restore", () => this.environment.restore(environment));
    requireFiniteObservations(this.environment, this.step);
    const left = withoutReplay ? { withoutReplay } : {};
    await this.#store.append({ event: "resumed", step: this.step, version, ...this.#origin, ...left });
    await this.#evaluation?.writeKept();
    await this.#evaluation?.evaluateIfDue(this.done);
    if (this.#checkpointDue) await this.#writeDueCheckpoint();
    return lost;
  }

  /**
   * Does the work while nothing else is done: a checkpoint in the middle of an iteration could not be continued.
   * @throws SoftrlError unless the trainer is in this state.
   */
  async #alone<Result>(method: string, state: "new" | "ready", work: () => Promise<Result>): Promise<Result> {
    this.#begin(method, state);
    try {
      const result = await work();
      this.#state = "ready";
      return result;
    } catch (error) {
      this.#state = state;
      throw divergenceOfRun(error, this.#kind, this.config.algorithm, this.step);
    }
  }

  /** @throws SoftrlError unless the trainer is in this state. */
  #begin(method: string, state: "new" | "ready"): void {
    if (this.#state !== state) {
      fail(`Trainer.${method}`, "called at the wrong time", {
        expected:
          state === "new" ? "a trainer that is neither started nor restored" : "a started trainer at rest",
        got: { new: "one that is not started", ready: "a started one", busy: "one at work" }[this.#state],
        remedy: state === "new" ? "make a new trainer" : "await start or restore, and each iterate",
      });
    }
    this.#state = "busy";
  }

  /** Whether this iteration passed a multiple of `interval` steps; 0 is never. */
  #passed(before: number, interval: number): boolean {
    return interval > 0 && Math.floor(this.step / interval) > Math.floor(before / interval);
  }

  #now(): number {
    return this.#clock?.() ?? 0;
  }

  #isEvaluationDue(): boolean {
    return this.#evaluation?.isDue(this.done) ?? false;
  }

  #stepsPerSecond(): number {
    return this.#seconds > 0 ? this.#timed / this.#seconds : 0;
  }

  async #logEpisodes(): Promise<void> {
    for (const ending of this.#endings) {
      const pending = this.#store.append(ending);
      if (pending !== undefined) await pending;
    }
  }

  async #logUpdates(): Promise<void> {
    const meanReturn = this.#window.mean();
    if (meanReturn !== null) this.#curve.add(this.step, meanReturn);
    const figures = this.#figures.take();
    if (figures === null) return;
    const learningRate = this.#live.current("learningRate");
    const seconds = this.#clock === null ? null : Math.round(this.#seconds * 1000) / 1000;
    await this.#store.append({
      event: "update",
      step: this.step,
      meanReturn,
      learningRate,
      seconds,
      figures,
    });
  }

  async #consultOracle(): Promise<void> {
    if (this.#oracle === null) return;
    const answer = this.#oracle.measure(this.step);
    await this.#store.append({ event: "oracle", ...answer });
  }

  async #writeDueCheckpoint(): Promise<void> {
    if (this.#isEvaluationDue()) return;
    this.#checkpointDue = false;
    await this.#writeCheckpoint();
  }

  /** A checkpoint counts its own event, which follows it. */
  async #writeCheckpoint(): Promise<void> {
    await this.#storeCheckpoint(this.#store.events + 1);
    await this.#store.append({ event: "checkpoint", step: this.step });
  }

  /** The pieces are stored before the checkpoint that names them. Without a store, the state is still checked. */
  async #storeCheckpoint(events: number): Promise<void> {
    const state = await this.#save();
    if (!this.#store.keeps) return;
    const files = await this.#pieces.write();
    await this.#store.writeCheckpoint(encodeCheckpoint({ ...state, ...files, events }));
    await this.#pieces.removeOthers();
  }
}
