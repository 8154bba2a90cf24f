import { fail } from "../base/errors.js";

// What an entry of the ring is. Without STEP: the newest observation of an environment, the last one of a truncated
// episode, or an older frame of an episode's first observation.
export const STEP = 1;
export const TERMINATED = 2;
export const TRUNCATED = 4;
/** No older frame belongs to the stack of this entry. */
export const FIRST = 8;
/** The episode ended with the step of this entry. */
export const ENDED = TERMINATED | TRUNCATED;

/**
 * Checks what a replay relies on: which entry may follow which one.
 * @param tail @param head the oldest entry of an environment, and the newest
 * @param flagsAt the flags of an entry
 * @throws SoftrlError for flags that no replay saves.
 */
export function requireFlags(
  where: string,
  tail: number,
  head: number,
  flagsAt: (entry: number) => number,
): void {
  for (let entry = tail; entry <= head; entry++) {
    const flags = flagsAt(entry);
    const next = entry === head ? 0 : flagsAt(entry + 1);
    const [isStep, ending] = [(flags & STEP) !== 0, flags & ENDED];
    const isBegun = entry > 0 || (flags & FIRST) !== 0;
    const isOne = flags <= (STEP | ENDED | FIRST) && ending !== ENDED && (isStep || ending === 0);
    const isFollowed = !isStep || (entry < head && ((next & FIRST) !== 0) === (ending === TERMINATED));
    const isLast = ending !== TRUNCATED || (next & STEP) === 0;
    if (isBegun && isOne && isFollowed && isLast) continue;
    fail(where, "the flags of the entries are not valid", {
      expected: "those of whole episodes",
      got: `${flags} before ${next} at entry ${entry}`,
    });
  }
}
