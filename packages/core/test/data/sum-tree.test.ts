import { RandomStreams, SumTree } from "softrl";
import { expect, it } from "vitest";

const random = new RandomStreams(3).stream("sum tree");

it("finds the index at each prefix sum, for any size", () => {
  for (const size of [1, 2, 3, 7, 8, 100]) {
    const tree = new SumTree(size);
    // Integers: sums are exact.
    const weights = Array.from({ length: size }, (_, i) => (i % 3 === 1 ? 0 : 1 + random.integer(5)));
    weights.forEach((weight, i) => {
      tree.set(i, weight);
    });
    const total = weights.reduce((a, b) => a + b, 0);
    expect(tree.total).toBe(total);
    for (let x = 0; x < total; x += 0.5) {
      const sumTo = (i: number) => weights.slice(0, i + 1).reduce((a, b) => a + b, 0);
      expect(tree.find(x)).toBe(weights.findIndex((_, i) => x < sumTo(i)));
    }
    expect(tree.weights(0, size)).toEqual(Float64Array.from(weights));
  }
});

it("never finds a weight of 0, even where rounding leaves a rest", () => {
  const tree = new SumTree(9);
  for (let round = 0; round < 2000; round++) {
    for (let i = 0; i < 9; i++)
      tree.set(i, random.float() < 0.5 ? 0 : random.float() * 10 ** random.integer(12));
    if (tree.total === 0) continue;
    for (const share of [0, random.float(), 1 - 2 ** -53]) {
      expect(tree.at(tree.find(share * tree.total))).toBeGreaterThan(0);
    }
  }
});

it("has the same bits, whatever was set before", () => {
  const [a, b] = [new SumTree(50), new SumTree(50)];
  for (let i = 0; i < 1000; i++) a.set(random.integer(50), random.float());
  b.replace(a.weights(0, 50));
  expect(b.total).toBe(a.total);
  for (let i = 0; i < 200; i++) {
    const x = (a.total * i) / 200;
    expect(b.find(x)).toBe(a.find(x));
  }
});

it("refuses other indices and weights", () => {
  const tree = new SumTree(5);
  expect(() => tree.set(5, 1)).toThrow("SumTree.set: no such index, expected an integer in [0, 4], got 5");
  expect(() => tree.set(0, -1)).toThrow("invalid weight");
  expect(() => tree.set(0, Number.NaN)).toThrow("invalid weight");
  expect(() => tree.find(0)).toThrow("all weights are 0");
});
