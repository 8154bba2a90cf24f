import { existsSync } from "node:fs";
import { join } from "node:path";
import { hasRunsBelow } from "../runs/find-runs.js";
import { runFiles } from "../runs/run-folder.js";
import { DEFINITION_FILE } from "../sweeps/definition.js";
import { sweepFiles } from "../sweeps/results-file.js";

/** Whether a folder is that of a sweep. */
export const isSweepFolder = (path: string): boolean =>
  !isRunFolder(path) &&
  [DEFINITION_FILE, ...Object.values(sweepFiles)].some((name) => existsSync(join(path, name)));

/** Whether a folder has runs in it, or results of runs, and is not itself that of a run. */
export const holdsRuns = (path: string): boolean =>
  isSweepFolder(path) || (!isRunFolder(path) && hasRunsBelow(path));

const isRunFolder = (path: string): boolean =>
  [runFiles.events, runFiles.checkpoint].some((name) => existsSync(join(path, name)));
