import { existsSync } from "node:fs";
import { join } from "node:path";
import { hasRunsBelow, hasRunsIn } from "../runs/find-runs.js";
import { runFiles } from "../runs/run-folder.js";
import { DEFINITION_FILE } from "../sweeps/definition.js";
import { sweepFiles } from "../sweeps/results-file.js";

/**
 * Whether a folder is read by its tables. One of `softrl train --seeds` has tables too, but its run folders hold more: their
 * settings.
 */
export function isSweepFolder(path: string): boolean {
  const has = (name: string) => existsSync(join(path, name));
  if (isRunFolder(path)) return false;
  if (has(DEFINITION_FILE)) return true;
  return Object.values(sweepFiles).some(has) && !hasRunsIn(path);
}

/** Whether a folder has runs in it, or results of runs, and is not itself that of a run. */
export const holdsRuns = (path: string): boolean =>
  isSweepFolder(path) || (!isRunFolder(path) && hasRunsBelow(path));

const isRunFolder = (path: string): boolean =>
  [runFiles.events, runFiles.checkpoint].some((name) => existsSync(join(path, name)));
