import { RandomStreams } from "softrl";
import { expect, it } from "vitest";
import { permutationInto } from "../../src/data/permutation.js";

it("draws each permutation of three equally often, whatever the array holds", () => {
  const random = new RandomStreams(3).stream("permutation");
  const order = Int32Array.of(7, 7, 7);
  const counts = new Map<string, number>();
  const draws = 6000;
  for (let draw = 0; draw < draws; draw++) {
    permutationInto(random, order);
    counts.set(order.join(), (counts.get(order.join()) ?? 0) + 1);
  }
  expect([...counts.keys()].sort()).toEqual(["0,1,2", "0,2,1", "1,0,2", "1,2,0", "2,0,1", "2,1,0"]);
  // Chi-square with 5 degrees of freedom: 20.5 is exceeded with probability 0.001.
  let chiSquare = 0;
  for (const count of counts.values()) chiSquare += (count - draws / 6) ** 2 / (draws / 6);
  expect(chiSquare).toBeLessThan(20.5);
});
