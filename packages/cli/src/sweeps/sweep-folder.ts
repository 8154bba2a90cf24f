import { existsSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type RunConfig, SoftrlError } from "softrl";
import { makeFolders } from "../files/make-folders.js";
import { quietly } from "../files/regular-file.js";
import { RunFolder, runFiles } from "../runs/run-folder.js";
import type { RunProgress } from "../terminal/supervisor.js";
import { outcomeIn, type RunOutcome } from "./finished-run.js";
import { claimedKeys, claimRun, whenUnlocked, whileLocked } from "./folder-locks.js";
import { nameOfCell, readResults, type SweepResult, sweepFiles, writeResults } from "./results-file.js";
import { runProcess } from "./run-process.js";
import type { Attempt, SweepWork } from "./scheduler.js";
import { counts, type Standing, standingOf } from "./standing.js";
import { isOfSettings, type PlannedRun, type SweepCell, type SweepPlan } from "./sweep-plan.js";

/** How long the process of a sweep that was killed may take to end. */
const SECONDS_TO_END = 40;
const MILLISECONDS_BETWEEN_LOOKS = 500;

/** What a sweep does with the folder that it writes. */
export interface SweepFolderOptions {
  readonly plan: SweepPlan;
  /** Only results of the same settings and version count as done. */
  readonly fresh: boolean;
  /** Whether run folders stay when their results are written. */
  readonly keepRuns: boolean;
  /** Whether runs draw their charts. */
  readonly charts: boolean;
  readonly runFolder: (run: PlannedRun) => string;
}

/** A folder with the results of sweeps, and the runs that are being made; several processes may share it. */
export class SweepFolder implements SweepWork {
  readonly path: string;
  readonly #options: SweepFolderOptions;
  /** The results as last read, and the state of the file then. */
  #known: { readonly results: ReadonlyMap<string, SweepResult>; readonly stamp: string } | null = null;

  /** @throws SoftrlError when the folder cannot be made, or its results cannot be read. */
  constructor(path: string, options: SweepFolderOptions) {
    this.path = path;
    this.#options = options;
    try {
      makeFolders(path);
    } catch (error) {
      throw unwritable(path, "the folder of the sweep could not be made", error);
    }
    this.results();
  }

  results(): ReadonlyMap<string, SweepResult> {
    const stats = statSync(join(this.path, sweepFiles.results), { throwIfNoEntry: false });
    const stamp = stats === undefined ? "none" : `${stats.ino} ${stats.size} ${stats.mtimeMs}`;
    // The files are replaced, never changed, by every process that sweeps.
    if (this.#known?.stamp !== stamp) this.#known = { results: readResults(this.path), stamp };
    return this.#known.results;
  }

  standing(run: PlannedRun, cell: SweepCell): Standing {
    return standingOf(this.results().get(nameOfCell(cell)), run, this.#options.plan.version);
  }

  /** Whether a run has a row that counts under each of its names. */
  isDone(run: PlannedRun): boolean {
    return run.cells.every((cell) => counts(this.standing(run, cell), this.#options.fresh));
  }

  claim(run: PlannedRun): { release(): void } | null {
    try {
      return claimRun(this.path, run.key);
    } catch (error) {
      throw unwritable(this.path, "a run could not be reserved", error);
    }
  }

  async wait(stop: AbortSignal): Promise<void> {
    await sleep(MILLISECONDS_BETWEEN_LOOKS, undefined, { signal: stop }).catch(() => {});
  }

  async attempt(
    run: PlannedRun,
    number: number,
    onProgress: (progress: RunProgress) => void,
    stop: AbortSignal,
  ): Promise<Attempt> {
    // The same settings may have been trained under another name, by another definition in this folder.
    const copied = await this.#copied(run);
    if (copied !== null) return copied;
    const folder = this.#options.runFolder(run);
    try {
      await whenUnlocked(folder, SECONDS_TO_END);
      if (existsSync(join(folder, runFiles.config))) requireSame(folder, run);
      // A run that went on from its checkpoint and failed is made anew. One that could not go on keeps its folder.
      const starts = number > 1 && this.#wentOn.has(run.key);
      let outcome = starts ? null : outcomeIn(folder);
      if (outcome === null) {
        const ended = await this.#train(folder, run, starts, onProgress, stop);
        if (ended !== null) return ended;
        outcome = outcomeIn(folder);
      }
      if (outcome === null) throw new SoftrlError(folder, "the run ended without a result");
      await this.#record(run, outcome);
      if (!this.#options.keepRuns) rmSync(folder, { recursive: true, force: true });
      return { end: "finished", meanReturn: outcome.meanReturn };
    } catch (error) {
      if (!(error instanceof SoftrlError) || error instanceof Unwritable) throw error;
      return { end: "failed", error: error.message, retry: false };
    }
  }

  /** Removes what sweeps that were killed have left of runs that have their results. */
  tidy(): void {
    const { plan, keepRuns, runFolder } = this.#options;
    const left = keepRuns ? [] : plan.runs.filter((run) => this.isDone(run) && existsSync(runFolder(run)));
    const folders = new Map(left.map((run) => [run.key, runFolder(run)]));
    for (const key of new Set([...claimedKeys(this.path), ...folders.keys()])) {
      const claim = claimRun(this.path, key);
      const folder = folders.get(key);
      if (claim !== null && folder !== undefined) quietly(rmSync, folder, { recursive: true, force: true });
      claim?.release();
    }
  }

  /** Runs that this process has resumed, and that made steps after it. */
  readonly #wentOn = new Set<string>();

  /** Trains a run to its end; null where it was reached. */
  async #train(
    folder: string,
    run: PlannedRun,
    starts: boolean,
    onProgress: (progress: RunProgress) => void,
    stop: AbortSignal,
  ): Promise<Attempt | null> {
    const resumes = !starts && RunFolder.hasCheckpoint(folder);
    if (!resumes) removeBegun(folder);
    const verb = resumes ? ["resume", folder] : ["train", ...run.args, `--run-folder=${folder}`];
    const args = this.#options.charts ? verb : [...verb, "--no-chart"];
    const onStep = (progress: RunProgress) => {
      if (resumes) this.#wentOn.add(run.key);
      onProgress(progress);
    };
    const { code, error } = await runProcess(args, onStep, stop);
    if (code === 0) return null;
    if (stop.aborted) return { end: "interrupted" };
    return {
      end: "failed",
      error: error === "" ? `the process ended with code ${code}` : error,
      retry: true,
    };
  }

  /** Copies the results of a run that has them under another name; null where it has none. */
  async #copied(run: PlannedRun): Promise<Attempt | null> {
    const found = [...this.results().values()].find(({ key }) => key === run.key);
    if (found === undefined) return null;
    await this.#record(run, found);
    return { end: "finished", meanReturn: found.meanReturn };
  }

  async #record(run: PlannedRun, outcome: RunOutcome): Promise<void> {
    const { plan } = this.#options;
    const { meanReturn, episodes, steps, executor, curve, time } = outcome;
    const { key } = run;
    try {
      await whileLocked(this.path, () => {
        const results = new Map(readResults(this.path));
        for (const { variant, environment, seed } of run.cells) {
          const cell = { variant, environment, seed };
          const row = { ...cell, meanReturn, episodes, steps, executor, version: plan.version, key };
          results.set(nameOfCell(cell), { ...row, curve, time });
        }
        writeResults(this.path, results, plan.cells);
      });
    } catch (error) {
      throw unwritable(this.path, "the results could not be written", error);
    }
  }
}

/**
 * Removes a run that has no checkpoint.
 * @throws SoftrlError for a folder of something else.
 */
function removeBegun(folder: string): void {
  const entries = existsSync(folder) ? readdirSync(folder) : [];
  const isRun = [runFiles.config, runFiles.events].some((name) => entries.includes(name));
  const foreign = entries.find((name) => !name.startsWith("."));
  if (!isRun && foreign !== undefined) {
    throw new SoftrlError(folder, "this folder is not that of a run", {
      got: foreign,
      remedy: "choose another folder, or remove this one",
    });
  }
  rmSync(folder, { recursive: true, force: true });
}

/** The results cannot be written: then no run helps. */
class Unwritable extends SoftrlError {}

function unwritable(path: string, what: string, error: unknown): SoftrlError {
  if (error instanceof SoftrlError) return new Unwritable(error.where, error.what, error.details);
  const got = error instanceof Error ? error.message : String(error);
  const remedy = "make the folder writable, or choose another";
  return new Unwritable(path, what, { got, remedy }, { cause: error });
}

/** @throws SoftrlError when the folder has a run of other settings. */
function requireSame(folder: string, run: PlannedRun): void {
  const path = join(folder, runFiles.config);
  let config: RunConfig;
  try {
    config = JSON.parse(readFileSync(path, "utf8"));
  } catch {
    // The run is resumed by its checkpoint, which says what is wrong with the file.
    return;
  }
  if (isOfSettings(config, run)) return;
  throw new SoftrlError(path, "the run in this folder is of other settings", {
    remedy: "choose another folder, or remove this one",
  });
}
