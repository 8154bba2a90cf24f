import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { SoftrlError } from "softrl";
import { makeFolders } from "../files/make-folders.js";
import { quietly, stampOf } from "../files/regular-file.js";
import { writeRemedy } from "../files/write-fault.js";
import type { RunProgress } from "../terminal/supervisor.js";
import type { RunOutcome } from "./finished-run.js";
import {
  claimedKeys,
  claimRun,
  removeLeftLock,
  unseenClaims,
  whenTablesUnlocked,
  whileLocked,
} from "./folder-locks.js";
import { RunMaker } from "./make-run.js";
import { earlierOf, removeRun, settleEarlier } from "./replaced-run.js";
import {
  nameOfCell,
  readSweepTables,
  requireOwnColumns,
  type SweepResult,
  type SweepTables,
  sweepFiles,
  writeResults,
} from "./results-file.js";
import type { Attempt, SweepWork } from "./scheduler.js";
import { counts, type Standing, standingOf } from "./standing.js";
import type { PlannedRun, SweepCell, SweepPlan } from "./sweep-plan.js";

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

/** A run and what came of it. */
export interface EndedRun {
  readonly run: PlannedRun;
  readonly outcome: RunOutcome;
}

/** A folder with the results of sweeps, and the runs that are being made; several processes may share it. */
export class SweepFolder implements SweepWork {
  readonly path: string;
  readonly #options: SweepFolderOptions;
  readonly #maker = new RunMaker();
  /** The tables as last read, and the state of the results then. */
  #known: { readonly tables: SweepTables; readonly stamp: string | null } | null = null;

  /** @throws SoftrlError when the folder cannot be made, or its tables cannot be read or not be written as a whole. */
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
    return this.#tables().results;
  }

  #tables(): SweepTables {
    const stamp = this.#stamp();
    // The files are replaced, never changed, by every process that sweeps.
    if (this.#known === null || this.#known.stamp !== stamp) {
      const tables = readSweepTables(this.path);
      requireOwnColumns(tables);
      this.#known = { tables, stamp };
    }
    return this.#known.tables;
  }

  /** What the tables lack, for people. */
  warnings(): readonly string[] {
    const { results, warnings } = this.#tables();
    const cut = [...results.values()].filter(({ curve, steps }) => curve.at(-1)?.step !== steps).length;
    if (cut === 0) return warnings;
    const what = `${cut} of ${results.size} results have no whole learning curve in ${sweepFiles.curves}`;
    return [
      ...warnings,
      `${what}: restore it, or remove their rows from ${sweepFiles.results} to train them again`,
    ];
  }

  #stamp(): string | null {
    return stampOf(join(this.path, sweepFiles.results));
  }

  /** Where a run is made. */
  runFolder(run: PlannedRun): string {
    return this.#options.runFolder(run);
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

  unseenClaims(run: PlannedRun): readonly string[] {
    return unseenClaims(this.path, run.key);
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
    const copied = await this.copied(run);
    if (copied !== null) return copied;
    const { runFolder, charts, keepRuns } = this.#options;
    const folder = runFolder(run);
    const shared = charts ? [] : ["--no-chart"];
    const made = await this.#maker.make(run, number, { folder, shared, onProgress, stop });
    if (made.end !== "finished") return made;
    const { outcome } = made;
    await this.record([{ run, outcome }]);
    // Where it cannot be removed now, tidy() tries again.
    if (!keepRuns) quietly(removeRun, folder);
    return { end: "finished", meanReturn: outcome.meanReturn };
  }

  /**
   * Waits while another process writes the tables: as long as it does, training would be in vain. See
   * {@link whenTablesUnlocked}.
   */
  async whenWritable(onWait: (reason: string) => void, stop: AbortSignal): Promise<void> {
    await whenTablesUnlocked(this.path, onWait, stop);
  }

  /** Removes what sweeps that were killed have left of runs that have their results, as far as the disk lets it. */
  tidy(): void {
    quietly(() => this.#tidy());
  }

  #tidy(): void {
    removeLeftLock(this.path);
    const { plan, keepRuns, runFolder } = this.#options;
    const isLeft = (folder: string) => existsSync(earlierOf(folder)) || (!keepRuns && existsSync(folder));
    const left = plan.runs.filter((run) => isLeft(runFolder(run)) && this.isDone(run));
    const folders = new Map(left.map((run) => [run.key, runFolder(run)]));
    for (const key of new Set([...claimedKeys(this.path), ...folders.keys()])) {
      const claim = claimRun(this.path, key);
      const folder = folders.get(key);
      if (claim !== null && folder !== undefined) quietly(keepRuns ? settleEarlier : removeRun, folder);
      claim?.release();
    }
  }

  /** Copies the results of a run that has them under another name; null where it has none. */
  async copied(run: PlannedRun): Promise<(Attempt & { readonly end: "finished" }) | null> {
    const found = [...this.results().values()].find(({ key }) => key === run.key);
    if (found === undefined) return null;
    await this.record([{ run, outcome: found }]);
    return { end: "finished", meanReturn: found.meanReturn };
  }

  /** Writes the results of runs. */
  async record(ended: readonly EndedRun[]): Promise<void> {
    const { version, cells } = this.#options.plan;
    try {
      await whileLocked(this.path, () => {
        const { lone, warnings, columns } = this.#tables();
        const results = new Map(this.results());
        for (const { run, outcome } of ended) {
          const { meanReturn, episodes, steps, executor, curve, time } = outcome;
          const { key } = run;
          for (const { variant, environment, seed } of run.cells) {
            const cell = { variant, environment, seed };
            const row = { ...cell, meanReturn, episodes, steps, executor, version, key };
            results.set(nameOfCell(cell), { ...row, curve, time });
          }
        }
        writeResults(this.path, results, cells, lone);
        // Reading thousands of results again would take longer than writing them.
        this.#known = { tables: { results, lone, warnings, columns }, stamp: this.#stamp() };
      });
    } catch (error) {
      throw unwritable(this.path, "the results could not be written", error);
    }
  }
}

/** The results cannot be written: then no run helps. */
class Unwritable extends SoftrlError {}

/** @param error of the operating system, or of softrl */
export function unwritable(path: string, what: string, error: unknown): SoftrlError {
  if (error instanceof SoftrlError) return new Unwritable(error.where, error.what, error.details);
  const got = error instanceof Error ? error.message : String(error);
  const { first, elsewhere } = writeRemedy(error);
  const where = elsewhere === "another" ? "another folder" : elsewhere;
  const remedy = `${first}, then run the command again to go on; or choose ${where}`;
  return new Unwritable(path, what, { got, remedy }, { cause: error });
}
