import { RandomStreams } from "softrl";

/** Σ xᵢ / n; NaN for no numbers. The library's `mean` is that of a tensor. */
export function meanOf(numbers: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < numbers.length; i++) total += numbers[i];
  return total / numbers.length;
}

/** Random streams for bootstrapped intervals: always the same, so that the same runs give the same intervals. */
export const bootstrapStreams = (): RandomStreams => new RandomStreams(0);

/** Names without repetitions, in the order in which they first occur. */
export const distinct = (names: readonly string[]): readonly string[] => [...new Set(names)];
