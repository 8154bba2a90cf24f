/**
 * A run that is made anew in a folder inside its own replaces it once it is finished. A kill on the way loses nothing:
 *
 * | Killed | What is left | What the next try does |
 * | --- | --- | --- |
 * | before the first rename | the folder, with the finished run inside | replaces it |
 * | between the renames | the earlier folder alone, with the finished run inside | gives that run the folder's name |
 * | after the second rename | the finished run, and some of the earlier folder | removes that |
 */
import { existsSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { outcomeIn } from "./finished-run.js";

/** The end of the name of a run folder that is about to be removed, once another one has taken its place. */
const EARLIER = ".earlier";

/** The folder inside that of a run in which it is made anew, until it has its result: its checkpoint may be sound after all. */
export const anewIn = (folder: string): string => join(folder, "anew");

export const earlierOf = (folder: string): string => `${folder}${EARLIER}`;

/** The name of the run folder that an earlier one belongs to; other names as they are. */
export const withoutEarlier = (name: string): string =>
  name.endsWith(EARLIER) ? name.slice(0, -EARLIER.length) : name;

/** Whether the run in a folder is finished, with a mean return. */
export function hasOutcome(folder: string): boolean {
  try {
    return outcomeIn(folder) !== null;
  } catch {
    return false;
  }
}

/** Replaces the folder of a run with that of the finished run inside it. */
export function replaceByAnew(folder: string): void {
  const earlier = earlierOf(folder);
  rmSync(earlier, { recursive: true, force: true });
  renameSync(folder, earlier);
  renameSync(anewIn(earlier), folder);
  rmSync(earlier, { recursive: true, force: true });
}

/** Goes on where an earlier folder is left. One beside a run that is not finished stays until that has its result. */
export function settleEarlier(folder: string): void {
  const earlier = earlierOf(folder);
  if (!existsSync(earlier)) return;
  if (!existsSync(folder)) renameSync(hasOutcome(anewIn(earlier)) ? anewIn(earlier) : earlier, folder);
  if (hasOutcome(folder)) rmSync(earlier, { recursive: true, force: true });
}

/** Removes a run, with what a kill left of its earlier folder. */
export function removeRun(folder: string): void {
  rmSync(earlierOf(folder), { recursive: true, force: true });
  rmSync(folder, { recursive: true, force: true });
}
