/** What the table and the page of the theory say alike. */
import type { Fact } from "softrl";

/** A number that should be zero and is smaller than this is float64 rounding; its digits have no meaning. */
const ROUNDING = 1e-10;

/** The first line of the page, by which an earlier page is recognised. */
export const PAGE_TITLE = "# The theory, measured\n";

/** The measured number with few digits, or "rounding" if it is zero up to float64 rounding. */
export function measuredInShort({ measured }: Fact): string {
  if (measured !== 0 && Math.abs(measured) < ROUNDING) return "rounding";
  return String(Number(measured.toPrecision(4)));
}

/** `≤ 1e-12`, `≈ 1 ± 0.05` */
export function requirement({ relation, bound, tolerance }: Fact): string {
  return `${relation} ${bound}${tolerance > 0 ? ` ± ${tolerance}` : ""}`;
}
