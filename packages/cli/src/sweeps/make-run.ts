import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type RunConfig, SoftrlError } from "softrl";
import { RunFolder, runFiles } from "../runs/run-folder.js";
import type { RunProgress } from "../terminal/supervisor.js";
import { outcomeIn, type RunOutcome } from "./finished-run.js";
import { whenUnlocked } from "./folder-locks.js";
import { runProcess } from "./run-process.js";
import { isOfSettings, type PlannedRun } from "./sweep-plan.js";

/** How long the process of a sweep that was killed may take to end. */
const SECONDS_TO_END = 40;

/** What one try to make a run in its folder comes to. */
export type MadeRun =
  | { readonly end: "finished"; readonly outcome: RunOutcome }
  | { readonly end: "interrupted" }
  | {
      readonly end: "failed";
      readonly error: string;
      /** Whether another try may end otherwise. */
      readonly retry: boolean;
      /** Whether this one went on from a checkpoint, and made steps. */
      readonly wentOn: boolean;
    };

/** How a run is made in its folder. */
export interface MakeRunOptions {
  readonly folder: string;
  /** Makes the run anew, also where it has a checkpoint. */
  readonly anew: boolean;
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
export async function makeRun(
  run: Pick<PlannedRun, "settings" | "args">,
  { folder, anew, shared, ofResume = [], onProgress, stop }: MakeRunOptions,
): Promise<MadeRun> {
  try {
    await whenUnlocked(folder, SECONDS_TO_END);
    if (existsSync(join(folder, runFiles.config))) requireSame(folder, run);
    const known = anew ? null : outcomeIn(folder);
    if (known !== null) return { end: "finished", outcome: known };
    const resumed = !anew && RunFolder.hasCheckpoint(folder);
    if (!resumed) removeBegun(folder);
    const verb = resumed ? ["resume", folder, ...ofResume] : ["train", ...run.args, `--run-folder=${folder}`];
    let wentOn = false;
    const onSteps = (progress: RunProgress) => {
      wentOn = resumed;
      onProgress(progress);
    };
    const { code, error } = await runProcess([...verb, ...shared], onSteps, stop);
    if (code !== 0) {
      if (stop.aborted) return { end: "interrupted" };
      const reported = error === "" ? `the process ended with code ${code}` : error;
      return { end: "failed", error: reported, retry: true, wentOn };
    }
    const outcome = outcomeIn(folder);
    if (outcome === null) throw new SoftrlError(folder, "the run ended without a result");
    return { end: "finished", outcome };
  } catch (error) {
    if (!(error instanceof SoftrlError)) throw error;
    return { end: "failed", error: error.message, retry: false, wentOn: false };
  }
}

/** Makes runs in their folders, and remembers between two tries of a run what became of the first. */
export class RunMaker {
  /** Runs that went on from their checkpoint, and failed. */
  readonly #wentOn = new Set<string>();

  /**
   * Makes a run. A second try makes it anew if it went on from its checkpoint and failed; one that could not go on keeps its
   * folder.
   * @param number of the try, from 1
   */
  async make(run: PlannedRun, number: number, options: Omit<MakeRunOptions, "anew">): Promise<MadeRun> {
    const made = await makeRun(run, { ...options, anew: number > 1 && this.#wentOn.has(run.key) });
    if (made.end === "failed" && made.wentOn) this.#wentOn.add(run.key);
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
function requireSame(folder: string, run: Pick<PlannedRun, "settings">): void {
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
