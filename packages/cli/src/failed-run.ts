import type { RunFolder } from "./run-folder.js";

/** An error that ended a run, and the folder that keeps what the run was until then. */
export class FailedRun extends Error {
  readonly folder: string;

  constructor(folder: string, cause: unknown) {
    super(`the run in ${folder} failed`, { cause });
    this.folder = folder;
  }
}

/**
 * Notes an error at the end of a run's events and closes its folders, the innermost first.
 * @returns what to throw: the error, with the folder unless nothing is left of it.
 */
export function endFailed(folders: readonly RunFolder[], error: unknown): unknown {
  for (const folder of folders) {
    folder.fail(error);
    folder.close();
  }
  const last = folders.at(-1);
  return last?.kept === true ? new FailedRun(last.path, error) : error;
}
