import { SoftrlError } from "softrl";
import { shownValue } from "./shown-value.js";

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
  const seeds = typeof given === "string" ? seedsOf(given) : given;
  const isList = Array.isArray(seeds) && seeds.length > 0 && seeds.length <= MOST_SEEDS;
  // `every` and a set skip what a list leaves out: [, 1].
  if (isList && Array.from(seeds).every(isSeed) && new Set(seeds).size === seeds.length) return seeds;
  throw new SoftrlError(where, "invalid seeds", { expected: EXPECTED, got: shownValue(given) });
}

const isSeed = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;

/** The seeds of a text; null where it is another text, or names too many. */
function seedsOf(text: string): readonly number[] | null {
  const seeds: number[] = [];
  for (const part of text.split(",")) {
    const [, first, last = first] = /^\s*(\d{1,16})(?:\.\.(\d{1,16}))?\s*$/.exec(part) ?? [];
    const count = Number(last) - Number(first) + 1;
    if (!(count >= 1 && seeds.length + count <= MOST_SEEDS)) return null;
    for (let i = 0; i < count; i++) seeds.push(Number(first) + i);
  }
  return seeds;
}
