import { SoftrlError } from "softrl";
import type { RunFolder } from "./run-folder.js";

/** An error that ended a run, and the folder that keeps what the run was until then. */
export class FailedRun extends Error {
  readonly folder: string;

  constructor(folder: string, cause: unknown) {
    super(`the run in ${folder} failed`, { cause });
    this.folder = folder;
  }
}

/** A policy that is none, as the command's users caused it: by a run that diverged. */
function inWordsOfTheRun(error: unknown): unknown {
  if (!(error instanceof SoftrlError && error.where === "sampleCategorical")) return error;
  return new SoftrlError(
    "the run diverged",
    "the policy's probabilities are not finite",
    {
      ...error.details,
      remedy: "lower --learning-rate or --max-gradient-norm, or raise --tau",
    },
    { cause: error },
  );
}

/**
 * Notes an error at the end of a run's events and closes its folders, the innermost first.
 * @returns what to throw: the error, with the folder unless nothing is left of it.
 */
export function endFailed(folders: readonly RunFolder[], thrown: unknown): unknown {
  const error = inWordsOfTheRun(thrown);
  for (const folder of folders) {
    folder.fail(error);
    folder.close();
  }
  const last = folders.at(-1);
  return last?.kept === true ? new FailedRun(last.path, error) : error;
}
