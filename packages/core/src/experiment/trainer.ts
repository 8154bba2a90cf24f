import type { Algorithm, IterationReport, OnStep } from "../algorithms/algorithm.js";
import { fail } from "../base/errors.js";
import { RandomStreams } from "../base/random.js";
import { type Snapshot, snapshotArray, snapshotNumber, snapshotSection } from "../base/snapshot.js";
import type { EnvironmentRows, VectorEnvironment } from "../envs/environment.js";
import { decodeCheckpoint, encodeCheckpoint } from "./checkpoint.js";
import { readSettings, type TrainConfig, trainConfig } from "./config.js";
import {
  requireFiniteLosses,
  requireFiniteObservations,
  requireFiniteSnapshot,
  requireFiniteStep,
} from "./finite.js";
import { Oracle, type OracleMeasurement } from "./oracle.js";
import { ReturnsWindow } from "./returns-window.js";
import type { EpisodeEvent } from "./run-event.js";
import { MemoryRunStore, type RunStore } from "./run-store.js";
import { version } from "./version.js";

/** What a run is made of. The trainer closes nothing: whoever made a part ends it. */
export interface TrainerParts {
  readonly environment: VectorEnvironment;
  readonly algorithm: Algorithm;
  /** Where the run is kept; memory if nobody says. */
  readonly store?: RunStore;
  /** Seconds from any origin, for the speed alone: no clock decides anything. */
  readonly clock: () => number;
}

/** How a run stands. */
export interface TrainProgress {
  readonly algorithm: string;
  /** Environment steps taken, all environments together. */
  readonly step: number;
  /** Environment steps to take. */
  readonly steps: number;
  readonly episodes: number;
  /** Over the last 100 training episodes; null before the first one ends. */
  readonly meanReturn: number | null;
  /** Over the time spent in iterations. */
  readonly stepsPerSecond: number;
}

/** What a run came to. */
export interface TrainResult {
  /** Over the last 100 training episodes; null when none ended. */
  readonly meanReturn: number | null;
  readonly episodes: number;
  readonly steps: number;
  readonly stepsPerSecond: number;
  /** Whether it was stopped before its last step. */
  readonly interrupted: boolean;
  /** The oracle's newest answer; not there without one. */
  readonly oracle?: OracleMeasurement;
}

/** The learning curve: after `steps[i]` environment steps the mean return was `meanReturns[i]`. */
export interface LearningCurve {
  readonly steps: readonly number[];
  readonly meanReturns: readonly number[];
}

const FORMAT = 1;

/**
 * One training run, an iteration at a time.
 *
 * `start` (or `restore`), then `iterate` until `done`, then `finish`. Every number that decides the future is in
 * `save()`: a restored trainer goes on as if it had never stopped, bit for bit.
 */
export class Trainer {
  readonly config: TrainConfig;
  readonly environment: VectorEnvironment;
  readonly algorithm: Algorithm;
  readonly #store: RunStore;
  readonly #clock: () => number;
  readonly #window = new ReturnsWindow();
  readonly #curve: { steps: number[]; meanReturns: number[] } = { steps: [], meanReturns: [] };
  #step = 0;
  #seconds = 0;
  /** Steps taken in those seconds: not those before a restore. */
  #timed = 0;
  #lossSums = new Map<string, number>();
  #updates = 0;
  readonly #oracle: Oracle | null;
  /** The episodes that ended in this iteration, for the store. */
  readonly #endings: EpisodeEvent[] = [];
  // Once, since an iteration is short and its closures would be most of what it leaves to the garbage collector.
  readonly #onStep: OnStep = (t, rows, first) => this.#count(t, rows, first);

  constructor(config: TrainConfig, parts: TrainerParts) {
    this.config = trainConfig(config);
    this.environment = parts.environment;
    this.algorithm = parts.algorithm;
    this.#store = parts.store ?? new MemoryRunStore();
    this.#clock = parts.clock;
    if (parts.environment.size !== this.config.environments) {
      fail("Trainer", "the environment has the wrong size", {
        expected: `${this.config.environments} environments`,
        got: String(parts.environment.size),
        remedy: "make it with the configuration's environments",
      });
    }
    const { environment, algorithm } = parts;
    this.#oracle =
      this.config.oracleEvery > 0 ? new Oracle(this.config, environment, algorithm.network) : null;
  }

  get done(): boolean {
    return this.#step >= this.config.steps;
  }

  get curve(): LearningCurve {
    return this.#curve;
  }

  /** The oracle's answers, the newest last; none without an oracle. */
  get measurements(): readonly OracleMeasurement[] {
    return this.#oracle?.answers ?? [];
  }

  get progress(): TrainProgress {
    return {
      algorithm: this.config.algorithm,
      step: this.#step,
      steps: this.config.steps,
      episodes: this.#window.episodes,
      meanReturn: this.#window.mean(),
      stepsPerSecond: this.#stepsPerSecond(),
    };
  }

  /** Starts all episodes from the seed and opens the run in the store. */
  async start(): Promise<void> {
    await this.environment.reset(new RandomStreams(this.config.seed));
    requireFiniteObservations(this.environment, 0);
    await this.#store.append({ event: "started", version, config: this.config });
    await this.#consultOracle();
  }

  /**
   * One rollout and one update.
   * @throws SoftrlError when an observation, a reward or a loss is not finite.
   */
  async iterate(): Promise<void> {
    const began = this.#clock();
    const before = this.#step;
    this.#endings.length = 0;
    this.#conclude(await this.algorithm.iterate(this.#onStep), began);
    if (this.#endings.length > 0) await this.#logEpisodes();
    if (this.#passed(before, this.config.logEvery)) await this.#logUpdates();
    if (this.done || this.#passed(before, this.config.oracleEvery)) await this.#consultOracle();
    if (this.#passed(before, this.config.checkpointEvery) && !this.done) await this.#writeCheckpoint();
  }

  /** Takes down what an iteration came to. */
  #conclude({ steps, losses }: IterationReport, began: number): void {
    this.#step += steps;
    this.#timed += steps;
    requireFiniteLosses(this.config.algorithm, losses, this.#step);
    this.#updates++;
    for (const name in losses) this.#lossSums.set(name, (this.#lossSums.get(name) ?? 0) + losses[name]);
    this.#seconds += this.#clock() - began;
  }

  /** Checks a step of some environments and takes down the episodes that it ended. */
  #count(t: number, rows: EnvironmentRows, first: number): void {
    const step = this.#step + (t + 1) * this.environment.size;
    requireFiniteStep(rows, step, first);
    const { episodeEnded, episodeReturns, episodeLengths } = rows;
    for (let i = 0; i < episodeEnded.length; i++) {
      if (episodeEnded[i] === 0) continue;
      this.#window.add(episodeReturns[i]);
      const ending = { step, environment: first + i, return: episodeReturns[i], length: episodeLengths[i] };
      this.#endings.push({ event: "episode", ...ending });
    }
  }

  /**
   * Writes the last checkpoint and closes the run in the store.
   * @throws SoftrlError when a parameter is not finite; the checkpoint before stays.
   */
  async finish(): Promise<TrainResult> {
    const interrupted = !this.done;
    const oracle = this.measurements.at(-1);
    // A run that goes on later must not know that it was stopped: its checkpoint holds the losses not yet logged.
    if (!interrupted) await this.#logUpdates();
    await this.#writeCheckpoint();
    if (interrupted) await this.#logUpdates();
    await this.#store.append({ event: interrupted ? "interrupted" : "finished", step: this.#step });
    return {
      meanReturn: this.#window.mean(),
      episodes: this.#window.episodes,
      steps: this.#step,
      stepsPerSecond: this.#stepsPerSecond(),
      interrupted,
      ...(oracle === undefined ? {} : { oracle }),
    };
  }

  /** Everything that the run is: configuration, counters, scores, algorithm and environments. */
  async save(): Promise<Snapshot> {
    const algorithm = this.algorithm.save();
    requireFiniteSnapshot(this.config.algorithm, algorithm, this.#step);
    return {
      format: FORMAT,
      version,
      config: JSON.stringify(this.config),
      step: this.#step,
      updates: this.#updates,
      lossSums: Object.fromEntries(this.#lossSums),
      scores: this.#window.save(),
      curve: {
        length: this.#curve.steps.length,
        steps: Float64Array.from(this.#curve.steps),
        meanReturns: Float64Array.from(this.#curve.meanReturns),
      },
      algorithm,
      environment: await this.environment.save(),
      ...(this.#oracle === null ? {} : { oracle: this.#oracle.save() }),
    };
  }

  /**
   * Continues a saved run instead of starting one.
   * @throws SoftrlError when the snapshot is of another configuration or of another shape.
   */
  async restore(snapshot: Snapshot): Promise<void> {
    const where = "Trainer.restore";
    const saved = JSON.stringify(checkpointConfig(where, snapshot));
    if (saved !== JSON.stringify(this.config)) {
      fail(where, "the checkpoint is of another run", {
        expected: JSON.stringify(this.config),
        got: saved,
        remedy: "make the trainer with the checkpoint's own configuration",
      });
    }
    if (snapshot.environment === null) {
      fail(where, "the checkpoint holds no environment", {
        remedy: `${this.config.environment} cannot save its state, so its runs cannot be continued`,
      });
    }
    const step = snapshotNumber(where, snapshot, "step");
    const curve = snapshotSection(where, snapshot, "curve");
    const points = snapshotNumber(where, curve, "length");
    this.#curve.steps = Array.from(snapshotArray(where, curve, "steps", "float64", points));
    this.#curve.meanReturns = Array.from(snapshotArray(where, curve, "meanReturns", "float64", points));
    this.#window.restore(snapshotSection(where, snapshot, "scores"));
    const lossSums = snapshotSection(where, snapshot, "lossSums");
    this.#lossSums = new Map(
      Object.keys(lossSums).map((name) => [name, snapshotNumber(where, lossSums, name)]),
    );
    this.#updates = snapshotNumber(where, snapshot, "updates");
    this.#oracle?.restore(snapshotSection(where, snapshot, "oracle"));
    this.algorithm.restore(snapshotSection(where, snapshot, "algorithm"));
    await this.environment.restore(snapshotSection(where, snapshot, "environment"));
    this.#step = step;
    await this.#store.append({ event: "resumed", step, version });
  }

  /** Whether this iteration passed a multiple of `interval` steps; 0 is never. */
  #passed(before: number, interval: number): boolean {
    return interval > 0 && Math.floor(this.#step / interval) > Math.floor(before / interval);
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
    if (meanReturn !== null && this.#curve.steps.at(-1) !== this.#step) {
      this.#curve.steps.push(this.#step);
      this.#curve.meanReturns.push(meanReturn);
    }
    if (this.#updates === 0) return;
    const losses: Record<string, number> = {};
    for (const [name, sum] of this.#lossSums) losses[name] = sum / this.#updates;
    this.#lossSums.clear();
    this.#updates = 0;
    await this.#store.append({ event: "update", step: this.#step, meanReturn, losses });
  }

  async #consultOracle(): Promise<void> {
    if (this.#oracle === null) return;
    const answer = this.#oracle.measure(this.algorithm.theta(), this.#step);
    await this.#store.append({ event: "oracle", ...answer });
  }

  async #writeCheckpoint(): Promise<void> {
    await this.#store.writeCheckpoint(encodeCheckpoint(await this.save()));
    await this.#store.append({ event: "checkpoint", step: this.#step });
  }
}

/**
 * The configuration that a checkpoint was written under.
 * @throws SoftrlError when there is none, or when the checkpoint's format is a later one.
 */
export function checkpointConfig(where: string, snapshot: Snapshot): TrainConfig {
  if (snapshot.format !== FORMAT || typeof snapshot.config !== "string") {
    fail(where, "not a checkpoint of a training run", {
      expected: `format ${FORMAT} with a configuration`,
      got: `format ${String(snapshot.format)}`,
      remedy: `use a checkpoint that softrl ${version} wrote`,
    });
  }
  let config: unknown;
  try {
    config = JSON.parse(snapshot.config);
  } catch {
    fail(where, "the configuration is damaged", { expected: "JSON", got: JSON.stringify(snapshot.config) });
  }
  return trainConfig(readSettings(where, config));
}

/**
 * θ of a checkpoint's algorithm, in whichever precision it was learned.
 * @throws SoftrlError when there is none.
 */
export function learnedTheta(where: string, snapshot: Snapshot): ArrayLike<number> {
  const learner = snapshotSection(where, snapshotSection(where, snapshot, "algorithm"), "learner");
  const { theta } = snapshotSection(where, learner, "states");
  if (theta instanceof Float32Array || theta instanceof Float64Array) return theta;
  return fail(where, "the checkpoint holds no parameters", { expected: "an array named theta" });
}

/** A checkpoint's bytes, opened: what to build the run from, and what to restore into it. */
export function openCheckpoint(
  where: string,
  bytes: Uint8Array,
): { readonly config: TrainConfig; readonly snapshot: Snapshot } {
  const snapshot = decodeCheckpoint(where, bytes);
  return { config: checkpointConfig(where, snapshot), snapshot };
}
