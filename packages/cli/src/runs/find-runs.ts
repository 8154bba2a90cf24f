import { existsSync, readdirSync } from "node:fs";
import { basename, join, relative, resolve } from "node:path";
import { SoftrlError } from "softrl";
import { naturalOrder } from "../files/natural-order.js";
import { isFolder } from "../files/regular-file.js";
import { sweepFiles } from "../sweeps/results-file.js";
import { runFiles } from "./run-folder.js";

/** A run folder that arguments name, and a name for it that no other of them has. */
export interface FoundRun {
  readonly name: string;
  readonly folder: string;
}

/** How deep run folders are looked for below a folder that is none: `runs/<comparison>/a2c`. */
const DEEPEST = 3;

/**
 * The run folders that the arguments of a command name: the folders themselves, or else all that are below them.
 * @throws SoftrlError for a folder without runs.
 */
export const findRuns = (paths: readonly string[]): readonly FoundRun[] => presentRuns(paths, refuse);

/** As {@link findRuns}, where a folder may be one in which no run has begun yet. */
export function presentRuns(
  paths: readonly string[],
  onNone: (path: string) => void = () => {},
): readonly FoundRun[] {
  const found = new Map<string, FoundRun>();
  const names = new Set<string>();
  for (const path of paths) {
    const isRun = isRunFolder(path);
    const folders = isRun ? [path] : runsBelow(path, DEEPEST);
    if (folders.length === 0) onNone(path);
    for (const folder of folders) {
      const key = resolve(folder);
      if (found.has(key)) continue;
      const name = isRun ? basename(key) : relative(resolve(path), key).replaceAll("\\", "/");
      found.set(key, { name: takeName(name, names), folder });
    }
  }
  return [...found.values()];
}

/** Whether a folder has run folders directly in it. */
export const hasRunsIn = (path: string): boolean => runsBelow(path, 1).length > 0;

/** Whether there are run folders below a folder. */
export const hasRunsBelow = (path: string): boolean => runsBelow(path, DEEPEST).length > 0;

const isRunFolder = (path: string): boolean => existsSync(join(path, runFiles.events));

function runsBelow(path: string, depth: number): readonly string[] {
  if (depth === 0 || !isFolder(path)) return [];
  return readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort(naturalOrder)
    .map((name) => join(path, name))
    .flatMap((folder) => (isRunFolder(folder) ? [folder] : runsBelow(folder, depth - 1)));
}

/** The name, with a number appended if it is taken. */
function takeName(name: string, taken: Set<string>): string {
  for (let number = 2, candidate = name; ; number++) {
    if (!taken.has(candidate)) {
      taken.add(candidate);
      return candidate;
    }
    candidate = `${name}-${number}`;
  }
}

function refuse(path: string): never {
  const exists = existsSync(path);
  const isSweep = existsSync(join(path, sweepFiles.results));
  throw new SoftrlError(path, exists ? "there is no run in this folder" : "there is no such folder", {
    expected: `a run folder, with ${runFiles.events} in it, or a folder with run folders in it`,
    remedy: isSweep
      ? "a sweep keeps its finished run folders with --keep-runs; softrl plot and softrl report read its tables"
      : "name the run folder that `softrl train` printed",
  });
}
