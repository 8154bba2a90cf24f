import {
  entropy,
  klDivergence,
  logPrior,
  logProbabilities,
  mode,
  RandomStreams,
  sampleCategorical,
} from "softrl";
import { describe, expect, it } from "vitest";

const minus = Number.NEGATIVE_INFINITY;
const logOf = (...p: number[]) => logProbabilities(Float64Array.from(p, (x) => Math.log(x)));

describe("entropy", () => {
  it("is log A for the uniform distribution and 0 for a deterministic one", () => {
    expect(entropy(logOf(0.25, 0.25, 0.25, 0.25))).toBeCloseTo(Math.log(4), 14);
    expect(entropy(logOf(0, 1, 0))).toBe(0);
  });

  it("reads the given row", () => {
    expect(entropy(logOf(1, 0, 0.5, 0.5, 1, 0), 2, 2)).toBeCloseTo(Math.LN2, 14);
  });
});

describe("klDivergence", () => {
  it("is Σ π (log π − log π̄)", () => {
    const kl = klDivergence(logOf(0.2, 0.8), logPrior(Float64Array.of(Math.log(0.6), Math.log(0.4))));
    expect(kl).toBeCloseTo(0.2 * Math.log(0.2 / 0.6) + 0.8 * Math.log(0.8 / 0.4), 14);
  });

  it("is −entropy under the counting measure", () => {
    const pi = logOf(0.1, 0.2, 0.7);
    expect(klDivergence(pi, logPrior(new Float64Array(3)))).toBe(-entropy(pi));
  });

  it("is +∞ if π leaves the support of π̄, and finite where both are zero", () => {
    const prior = logPrior(Float64Array.of(0, minus));
    expect(klDivergence(logOf(0.5, 0.5), prior)).toBe(Number.POSITIVE_INFINITY);
    expect(klDivergence(logOf(1, 0), prior)).toBe(0);
  });

  it("reads π and π̄ from different rows", () => {
    const pi = logOf(1, 0, 0.3, 0.7);
    const prior = logPrior(Float64Array.of(9, 9, 9, Math.log(0.3), Math.log(0.7)));
    expect(klDivergence(pi, prior, 2, 2, 3)).toBe(0);
  });
});

describe("sampleCategorical", () => {
  it("draws with the probabilities of its row, in both precisions", () => {
    const p = [0.1, 0, 0.6, 0.3];
    for (const rows of [new Float64Array(12), new Float32Array(12)]) {
      rows.fill(minus);
      rows.set(
        p.map((x) => Math.log(x)),
        4,
      );
      const random = new RandomStreams(3).stream("sample");
      const counts = [0, 0, 0, 0];
      const draws = 40_000;
      for (let i = 0; i < draws; i++) counts[sampleCategorical(logProbabilities(rows), random, 4, 4)]++;
      // Five standard deviations of a count.
      for (let a = 0; a < 4; a++) {
        const spread = 5 * Math.sqrt(draws * p[a] * (1 - p[a]));
        expect(Math.abs(counts[a] - draws * p[a])).toBeLessThanOrEqual(spread);
      }
    }
  });

  it("refuses rows that are not distributions", () => {
    const random = new RandomStreams(3).stream("sample");
    const bad = logProbabilities(Float64Array.of(Number.NaN, Number.NaN));
    expect(() => sampleCategorical(bad, random)).toThrow(/logPi is not a distribution.*got a sum of NaN/);
    expect(() => sampleCategorical(logProbabilities(Float64Array.of(minus)), random)).toThrow(/sum of 0/);
  });

  it("tells numbers that are not finite, as a diverged run has, from rows that are not normalised", () => {
    const random = new RandomStreams(3).stream("sample");
    const codeOf = (...row: number[]) => {
      const logPi = logProbabilities(Float64Array.from(row));
      return expect(() => sampleCategorical(logPi, random));
    };
    codeOf(Number.NaN, 0).toThrow(expect.objectContaining({ code: "diverged" }));
    codeOf(-9, Number.NaN).toThrow(expect.objectContaining({ code: "diverged" }));
    codeOf(-9, -9).toThrow(expect.objectContaining({ code: "bad-input" }));
  });
});

describe("mode", () => {
  it("is the first of the most likely actions of the row", () => {
    expect(mode(logOf(0.9, 0.1, 0.2, 0.4, 0.4), 2, 3)).toBe(1);
  });

  it("refuses NaN", () => {
    const diverged = logProbabilities(Float64Array.of(-1, Number.NaN, 0));
    expect(() => mode(diverged)).toThrow(/mode: .*got NaN/);
    expect(() => mode(diverged)).toThrow(expect.objectContaining({ code: "diverged" }));
    expect(() => mode(logProbabilities(Float64Array.of(minus)))).toThrow(
      expect.objectContaining({ code: "bad-input" }),
    );
  });
});
