import { mkdirSync, rmdirSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { codeOf, quietly } from "./regular-file.js";

/** How often another process may remove a folder in which one is to be made. */
const MOST_TRIES = 3;

/**
 * Makes a folder and those above it, one level at a time (Node's recursive mkdir never returns below /proc), and removes
 * them again if one cannot be made. Other processes may make the same ones at the same time.
 * @returns what removes those that were made and are empty
 */
export function makeFolders(path: string): () => void {
  for (let tries = 1; ; tries++) {
    try {
      const made = makeMissing(path);
      return () => removeEach(made);
    } catch (error) {
      if (codeOf(error) !== "ENOENT" || tries === MOST_TRIES) throw error;
    }
  }
}

function removeEach(folders: readonly string[]): void {
  for (const folder of folders) quietly(rmdirSync, folder);
}

/** @returns the folders that were made, the deepest first */
function makeMissing(path: string): readonly string[] {
  const missing: string[] = [];
  let folder = resolve(path);
  while (statSync(folder, { throwIfNoEntry: false }) === undefined && dirname(folder) !== folder) {
    missing.unshift(folder);
    folder = dirname(folder);
  }
  // A file in its place: this throws EEXIST.
  if (missing.length === 0 && !statSync(folder).isDirectory()) mkdirSync(folder);
  const made: string[] = [];
  try {
    for (const next of missing) if (makeOne(next)) made.unshift(next);
  } catch (error) {
    removeEach(made);
    throw error;
  }
  return made;
}

/** Whether the folder was made now: another process may have been first. */
function makeOne(path: string): boolean {
  try {
    mkdirSync(path);
    return true;
  } catch (error) {
    const isThere = codeOf(error) === "EEXIST" && statSync(path, { throwIfNoEntry: false })?.isDirectory();
    if (isThere === true) return false;
    throw error;
  }
}
