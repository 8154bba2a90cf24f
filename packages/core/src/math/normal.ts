import type { Random } from "../base/random.js";
import { log } from "./logspace.js";

/**
 * A standard normal number, by the polar method (Marsaglia and Bray 1964); drops the second number of each
 * pair.
 */
export function standardNormal(random: Random): number {
  for (;;) {
    const x = random.uniform(-1, 1);
    const y = random.uniform(-1, 1);
    const square = x * x + y * y;
    if (square > 0 && square < 1) return x * Math.sqrt((-2 * log(square)) / square);
  }
}
