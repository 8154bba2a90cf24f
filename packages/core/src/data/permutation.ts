import type { Random } from "../base/random.js";

/** Fills `order` with a uniformly drawn permutation of 0, 1, … (Fisher and Yates, inside out). */
export function permutationInto(random: Random, order: Int32Array): void {
  for (let i = 0; i < order.length; i++) {
    const j = random.integer(i + 1);
    order[i] = order[j];
    order[j] = i;
  }
}
