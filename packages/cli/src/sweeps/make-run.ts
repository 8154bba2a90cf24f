import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type RunConfig, SoftrlError } from "softrl";
import { isSystemError, quietly, stampOf } from "../files/regular-file.js";
import { isOfFullDisk, writeRemedy } from "../files/write-fault.js";
import { runFiles } from "../runs/run-folder.js";
import { DISK_FULL, type RunProgress } from "../terminal/supervisor.js";
import { outcomeIn, type RunOutcome } from "./finished-run.js";
import { removeUnseenLocks, whenUnlocked } from "./folder-locks.js";
import { anewIn, hasOutcome, replaceByAnew, settleEarlier } from "./replaced-run.js";
import { runProcess } from "./run-process.js";
import { requireVersion } from "./run-version.js";
import { isOfSettings, type PlannedRun } from "./sweep-plan.js";

/** What one try to make a run in its folder comes to. */
export type MadeRun =
  | { readonly end: "finished"; readonly outcome: RunOutcome }
  | { readonly end: "interrupted" }
  | {
      readonly end: "failed";
      readonly error: string;
      /** Whether another try may end otherwise. */
      readonly retry: boolean;
      /**
       * Whether the run's own error came up after its last checkpoint, from which this try had gone on: the checkpoint may
       * be the cause. A run whose process was ended, or that had written a later checkpoint, is not suspected.
       */
      readonly suspectsCheckpoint: boolean;
      /** Whether its disk is full: then other runs fail there, too. */
      readonly isOfFullDisk: boolean;
    };

/** What a run is made from. */
type MadeFrom = Pick<PlannedRun, "settings" | "version" | "args">;

/** How a run is made in its folder. */
export interface MakeRunOptions {
  readonly folder: string;
  /**
   * Whether an earlier try suspects the run's checkpoint: if it fails from there again, it is made anew, and the checkpoint
   * stays until the run has its result.
   */
  readonly isSuspected: boolean;
  /** Whether no other machine makes the run, as a queue or a cluster has decided; what such a one left locked is taken over. */
  readonly isAlone?: boolean;
  /** Options of `softrl train` and `softrl resume` alike. */
  readonly shared: readonly string[];
  /** Options of `softrl resume` alone. */
  readonly ofResume?: readonly string[];
  readonly onProgress: (progress: RunProgress) => void;
  /** Asks the run to end early, so that it can be continued. */
  readonly stop: AbortSignal;
}

/**
 * Makes a run in a process of its own: takes the result that its folder has, else continues its checkpoint, else starts
 * it. The folder stays.
 */
export async function makeRun(run: MadeFrom, options: MakeRunOptions): Promise<MadeRun> {
  const { folder } = options;
  // If this fails, the run is made again.
  quietly(settleEarlier, folder);
  const made = await continueOrMakeAnew(run, options);
  // Whatever fails here, the result is known.
  if (made.end === "finished") quietly(settleEarlier, folder);
  return made;
}

async function continueOrMakeAnew(run: MadeFrom, options: MakeRunOptions): Promise<MadeRun> {
  const { folder, isSuspected } = options;
  const inside = anewIn(folder);
  const isMadeAnew = hasOutcome(inside) && !hasOutcome(folder);
  if (!isMadeAnew) {
    const continued = await makeIn(folder, run, options);
    if (!isSuspected || continued.end !== "failed" || !continued.suspectsCheckpoint) return continued;
  }
  const made = await makeIn(inside, run, options);
  if (made.end === "finished") quietly(replaceByAnew, folder);
  if (made.end === "failed" && made.suspectsCheckpoint) {
    quietly(rmSync, inside, { recursive: true, force: true });
  }
  return made;
}

async function makeIn(
  folder: string,
  run: MadeFrom,
  { isAlone = false, shared, ofResume = [], onProgress, stop }: MakeRunOptions,
): Promise<MadeRun> {
  try {
    if (isAlone) await removeUnseenLocks(folder, stop);
    await whenUnlocked(folder, stop);
    if (stop.aborted) return { end: "interrupted" };
    if (existsSync(join(folder, runFiles.config))) requireOwnSettings(folder, run);
    const known = ownOutcome(folder, run);
    if (known !== null) return { end: "finished", outcome: known };
    const checkpoint = () => stampOf(join(folder, runFiles.checkpoint));
    const before = checkpoint();
    if (before === null) removeBegun(folder);
    const verb =
      before === null ? ["train", ...run.args, `--run-folder=${folder}`] : ["resume", folder, ...ofResume];
    let madeSteps = false;
    const onSteps = (progress: RunProgress) => {
      madeSteps = true;
      onProgress(progress);
    };
    const { code, error } = await runProcess([...verb, ...shared], onSteps, stop);
    if (code !== 0) {
      if (stop.aborted) return { end: "interrupted" };
      const reported = error === "" ? `the process ended with code ${code}` : error;
      const full = code === DISK_FULL;
      const isOwnError = code !== null && madeSteps && !full;
      const suspectsCheckpoint = isOwnError && before !== null && checkpoint() === before;
      return { end: "failed", error: reported, retry: true, suspectsCheckpoint, isOfFullDisk: full };
    }
    const outcome = ownOutcome(folder, run);
    if (outcome === null) throw new SoftrlError(folder, "the run ended without a result");
    return { end: "finished", outcome };
  } catch (error) {
    const isSystem = isSystemError(error);
    if (!isSystem && !(error instanceof SoftrlError)) throw error;
    const { message } = isSystem ? unusable(folder, error) : error;
    const full = isOfFullDisk(error);
    return { end: "failed", error: message, retry: isSystem, suspectsCheckpoint: false, isOfFullDisk: full };
  }
}

function unusable(folder: string, error: Error): SoftrlError {
  const remedy = `${writeRemedy(error).first}, then run the command again`;
  return new SoftrlError(folder, "the run folder cannot be used", { got: error.message, remedy });
}

/** @throws SoftrlError where other code than the run's trained it: it may have been updated since the sweep or the worker began. */
function ownOutcome(folder: string, { version }: Pick<PlannedRun, "version">): RunOutcome | null {
  const outcome = outcomeIn(folder);
  if (outcome !== null) requireVersion(folder, version);
  return outcome;
}

/** Makes runs in their folders, and remembers between two tries of a run what became of the first. */
export class RunMaker {
  /** Runs whose checkpoint may have made them fail. */
  readonly #suspected = new Set<string>();

  /**
   * Makes a run. A second try goes on from its checkpoint, too, and makes it anew if that fails as the first try did.
   * @param number of the try, from 1
   * @throws SoftrlError where the disk is full: other runs would fail, too.
   */
  async make(
    run: PlannedRun,
    number: number,
    options: Omit<MakeRunOptions, "isSuspected">,
  ): Promise<MadeRun> {
    const made = await makeRun(run, {
      ...options,
      isSuspected: number > 1 && this.#suspected.has(run.key),
    });
    if (made.end === "failed" && made.isOfFullDisk) {
      throw new SoftrlError(options.folder, "the run cannot go on, since its disk is full", {
        remedy: "free some space, then run the command again to go on; or choose a folder on another disk",
      });
    }
    if (made.end === "failed" && made.suspectsCheckpoint) this.#suspected.add(run.key);
    return made;
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

/** @throws SoftrlError when the folder has a run of other settings. */
function requireOwnSettings(folder: string, run: Pick<PlannedRun, "settings">): void {
  const path = join(folder, runFiles.config);
  let config: RunConfig;
  try {
    config = JSON.parse(readFileSync(path, "utf8"));
  } catch {
    // The run is resumed by its checkpoint, which says what is wrong with the file.
    return;
  }
  if (isOfSettings(config, run)) return;
  throw new SoftrlError(path, "the run in this folder has other settings", {
    remedy: "choose another folder, or remove this one",
  });
}
