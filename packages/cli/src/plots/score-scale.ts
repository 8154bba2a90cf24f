import { atariHumanScale, largest, type ScoreScale, smallest } from "softrl";

/** Between which scores each of some environments' scales runs from 0 to 1. */
export interface SharedScale {
  /** What 0 and 1 are on all of them: the scores of a random and of a human player, or the lowest and the highest run. */
  readonly kind: "human" | "runs";
  /** In the order of the environments. */
  readonly scales: readonly ScoreScale[];
}

/**
 * One kind of scale for all environments: that of human players where it is published for each of them, as it is for
 * Atari games, else that of the lowest and the highest run.
 * @param scoresOf the scores of an environment's runs
 */
export function sharedScale(
  environments: readonly string[],
  scoresOf: (environment: string) => readonly number[],
): SharedScale {
  const human = environments.flatMap((environment) => humanScale(environment) ?? []);
  if (human.length === environments.length) return { kind: "human", scales: human };
  return { kind: "runs", scales: environments.map((environment) => scaleOfRuns(scoresOf(environment))) };
}

function scaleOfRuns(scores: readonly number[]): ScoreScale {
  const [zero, one] = [smallest(scores), largest(scores)];
  // 1e100 - 1 is 1e100.
  return zero < one ? { zero, one } : { zero: zero - 1 < zero ? zero - 1 : zero - Math.abs(zero), one };
}

/** Null where no scores of a random and of a human player are published. */
function humanScale(environment: string): ScoreScale | null {
  const game = environment.replace(/^ALE\//, "").replace(/-v\d+$/, "");
  if (!environment.startsWith("ALE/") || !Object.hasOwn(atariHumanScale, game)) return null;
  return atariHumanScale[game as keyof typeof atariHumanScale];
}
