import { SoftrlError } from "softrl";

/** More than any sweep trains. */
const MOST_SEEDS = 10_000;
/** {@link MOST_SEEDS}, for people. */
export const AT_MOST_SEEDS = "at most 10,000";
const EXPECTED = `${AT_MOST_SEEDS} distinct non-negative integers, such as [1, 2, 7], "1..5" or "1,2,7"`;

/**
 * Seeds as a definition or an option gives them: a list of integers, or a text of integers and ranges such as `1..5`.
 * @param where what an error names
 * @throws SoftrlError for anything else, for no seeds, and for one that stands twice.
 */
export function seedList(where: string, given: unknown): readonly number[] {
  const seeds = typeof given === "string" ? given.split(",").flatMap(seedsIn) : given;
  const isList = Array.isArray(seeds) && seeds.length > 0 && seeds.length <= MOST_SEEDS;
  if (isList && seeds.every(isSeed) && new Set(seeds).size === seeds.length) return seeds;
  throw new SoftrlError(where, "invalid seeds", { expected: EXPECTED, got: JSON.stringify(given) ?? "none" });
}

const isSeed = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;

/** The seeds of `7`, or of `1..5`; NaN for another text. */
function seedsIn(text: string): readonly number[] {
  const [, first, last = first] = /^\s*(\d{1,16})(?:\.\.(\d{1,16}))?\s*$/.exec(text) ?? [];
  const count = Number(last) - Number(first) + 1;
  if (!(count >= 1 && count <= MOST_SEEDS)) return [Number.NaN];
  return Array.from({ length: count }, (_, i) => Number(first) + i);
}
