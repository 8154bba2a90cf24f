import { Minibatches, RandomStreams } from "softrl";
import { describe, expect, it } from "vitest";

const random = () => new RandomStreams(2).stream("minibatches");

describe("Minibatches", () => {
  it("pass over each sample once an epoch, in orders of their own, every column in the same one", () => {
    const minibatches = new Minibatches({
      observations: new Float32Array(3 * 2),
      steps: 4,
      size: 3,
      count: 2,
      random: random(),
    });
    expect(minibatches.size).toBe(6);
    for (let t = 0; t < 4; t++) {
      minibatches.keep(
        t,
        Float32Array.from({ length: 6 }, (_, i) => 100 + 6 * t + i),
      );
    }
    const numbers = Int32Array.from({ length: 12 }, (_, i) => i);
    const [observations, to] = [new Float64Array(12), new Float64Array(6)];
    const columns = [
      { from: minibatches.observations, to: observations },
      { from: numbers, to },
    ];
    const orders = [0, 1, 2].map(() => {
      const seen: number[] = [];
      let steps = 0;
      minibatches.epoch(columns, () => {
        steps++;
        seen.push(...to);
        const rows = [...to].flatMap((i) => [100 + 2 * i, 101 + 2 * i]);
        expect([...observations]).toEqual(rows);
      });
      expect(steps).toBe(2);
      expect([...seen].sort((a, b) => a - b)).toEqual([...numbers]);
      return seen.join();
    });
    expect(new Set(orders).size).toBe(3);
  });

  it("keep frames as bytes", () => {
    const frames = { observations: new Uint8Array(8), steps: 2, size: 2, count: 1, random: random() };
    const minibatches = new Minibatches(frames);
    minibatches.keep(1, Uint8Array.of(0, 1, 2, 3, 252, 253, 254, 255));
    expect(minibatches.observations).toEqual(
      Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 252, 253, 254, 255),
    );
  });

  it("are of one size", () => {
    const parts = { observations: new Float32Array(3), steps: 5, size: 3, count: 4, random: random() };
    expect(() => new Minibatches(parts)).toThrow(
      "Minibatches: count does not divide the samples, expected a divisor of 15, got 4; take minibatches of one size.",
    );
  });
});
