import { atariHumanScale, largest, type ScoreScale, smallest } from "softrl";

/**
 * Between which scores an environment's scale runs from 0 to 1: those of a random and of a human player on Atari, else the
 * lowest and the highest of the runs.
 */
export function scoreScale(environment: string, scores: readonly number[]): ScoreScale {
  const game = gameOf(environment);
  if (hasHumanScale(environment)) return atariHumanScale[game as keyof typeof atariHumanScale];
  const [zero, one] = [smallest(scores), largest(scores)];
  return zero < one ? { zero, one } : { zero: zero - 1, one };
}

const gameOf = (environment: string): string => environment.replace(/^ALE\//, "").replace(/-v\d+$/, "");
/** Whether scores are published of a random and of a human player. */
export const hasHumanScale = (environment: string): boolean =>
  environment.startsWith("ALE/") && Object.hasOwn(atariHumanScale, gameOf(environment));
