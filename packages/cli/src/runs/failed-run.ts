import { SoftrlError } from "softrl";
import { blameFiles } from "../parts/file-fault.js";
import { RunFolder } from "./run-folder.js";

/** An error that ended a run, and the folder that holds the run up to it. */
export class FailedRun extends Error {
  readonly folder: string;
  /** Whether `softrl resume` continues it. */
  readonly canResume: boolean;

  constructor(folder: string, cause: unknown, canResume: boolean) {
    super(`the run in ${folder} failed`, { cause });
    this.folder = folder;
    this.canResume = canResume;
  }
}

/** A policy that is not finite means for the command's users that the run diverged. */
function describeDivergence(error: unknown): unknown {
  if (!(error instanceof SoftrlError && error.code === "diverged")) return error;
  const details = {
    ...error.details,
    remedy: "lower --learning-rate or --max-gradient-norm, or raise --tau",
  };
  const what = "the policy's probabilities are not finite";
  return new SoftrlError("the run diverged", what, details, { cause: error });
}

/**
 * Appends an error to a run's events and closes its folders, the innermost first.
 * @param savesState whether checkpoints have the state of the environments
 * @returns the error to throw, with the folder unless the folder was removed
 */
export function endFailed(folders: readonly RunFolder[], thrown: unknown, savesState = false): unknown {
  const error = blameFiles(describeDivergence(thrown));
  for (const folder of folders) {
    folder.fail(error);
    folder.close();
  }
  const last = folders.at(-1);
  if (last?.kept !== true) return error;
  // A run that diverged would diverge again.
  const isLost = error instanceof SoftrlError && error.code === "diverged";
  const canResume = savesState && last.isNew && !isLost && RunFolder.hasCheckpoint(last.path);
  return new FailedRun(last.path, error, canResume);
}
