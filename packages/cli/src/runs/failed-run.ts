import { SoftrlError } from "softrl";
import { blameFiles } from "../parts/file-fault.js";
import { RunFolder, runFiles } from "./run-folder.js";

/** An error that ended a run, and the folder that holds the run up to it. */
export class FailedRun extends Error {
  readonly folder: string;
  /** The command that goes on with the run, `softrl resume`, or makes it anew from its configuration; null for neither. */
  readonly next: "resume" | "train" | null;

  constructor(folder: string, cause: unknown, next: FailedRun["next"]) {
    super(`the run in ${folder} failed`, { cause });
    this.folder = folder;
    this.next = next;
  }
}

/** The error of a worker or a process that was lost, without its remedy: which command helps depends on the run. */
function withoutRemedy({ where, what, details, cause }: SoftrlError): SoftrlError {
  const { remedy: _, ...others } = details;
  return new SoftrlError(where, what, others, { cause });
}

/**
 * Appends an error to a run's events and closes its folders, the innermost first.
 * @param savesState whether checkpoints have the state of the environments
 * @returns the error to throw, with the folder unless the folder was removed
 */
export function endFailed(folders: readonly RunFolder[], thrown: unknown, savesState = false): unknown {
  const error = blameFiles(thrown);
  const isLost = error instanceof SoftrlError && error.code === "worker-lost";
  const last = folders.at(-1);
  const next = last === undefined ? null : commandAfter(error, last, savesState);
  const told = isLost && next !== null ? withoutRemedy(error) : error;
  for (const folder of folders) {
    folder.fail(told);
    folder.close();
  }
  return last?.kept === true ? new FailedRun(last.path, told, next) : error;
}

function commandAfter(error: unknown, folder: RunFolder, savesState: boolean): FailedRun["next"] {
  const code = error instanceof SoftrlError ? error.code : null;
  const isLost = code === "worker-lost";
  // A run that diverged would diverge again, and what ended a resumed run would end it again; a lost worker may be chance.
  const mayGoOn = isLost || (folder.isNew && code !== "diverged");
  if (mayGoOn && savesState && RunFolder.hasCheckpoint(folder.path)) return "resume";
  return isLost && folder.has(runFiles.config) ? "train" : null;
}
