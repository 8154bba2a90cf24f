import {
  boltzmannPolicy,
  greedyPolicy,
  klDivergence,
  type LogPrior,
  logPrior,
  type QValues,
  qFromPolicy,
  qValues,
  type Random,
  RandomStreams,
  softValue,
} from "softrl";
import { describe, expect, it } from "vitest";

const random = new RandomStreams(1).stream("boltzmann");
const uniform = (low: number, high: number, n: number, stream: Random) =>
  Float64Array.from({ length: n }, () => stream.uniform(low, high));

/** E_π[q] − τ KL[π‖π̄]. */
function objective(pi: Float64Array, q: QValues, prior: LogPrior, tau: number): number {
  let sum = 0;
  for (let a = 0; a < q.length; a++) {
    if (pi[a] > 0) sum += pi[a] * (q[a] - tau * (Math.log(pi[a]) - prior[a]));
  }
  return sum;
}

describe("softValue", () => {
  it("is τ log Σ π̄ exp(q/τ)", () => {
    const q = qValues(Float64Array.of(1, 2));
    const prior = logPrior(Float64Array.of(Math.log(0.25), Math.log(0.75)));
    expect(softValue(q, prior, 0.5)).toBeCloseTo(0.5 * Math.log(0.25 * Math.exp(2) + 0.75 * Math.exp(4)), 14);
  });

  it("is E_π[q] − τ KL[π‖π̄] of the Boltzmann policy (13)", () => {
    for (let i = 0; i < 20; i++) {
      const q = qValues(uniform(-3, 3, 5, random));
      const prior = logPrior(uniform(-2, 1, 5, random));
      const tau = random.uniform(0.05, 2);
      const pi = boltzmannPolicy(q, prior, tau);
      const expected = pi.reduce((sum, logP, a) => sum + Math.exp(logP) * q[a], 0);
      expect(softValue(q, prior, tau)).toBeCloseTo(expected - tau * klDivergence(pi, prior), 12);
    }
  });

  it("tends to the maximum over the support as τ → 0, and equals it at τ = 0", () => {
    const q = qValues(Float64Array.of(-400, 3, 900));
    const prior = logPrior(Float64Array.of(-1, -2, Number.NEGATIVE_INFINITY));
    expect(softValue(q, prior, 1e-300)).toBe(3);
    expect(softValue(q, prior, 0)).toBe(3);
  });

  it("stays finite at large q and small τ", () => {
    const q = qValues(Float64Array.of(1e8, 1e8));
    expect(softValue(q, logPrior(new Float64Array(2)), 1e-3)).toBeCloseTo(1e8 + 1e-3 * Math.LN2, 6);
  });

  it("refuses wrong lengths, a negative τ and an empty support", () => {
    const q = qValues(Float64Array.of(1, 2));
    expect(() => softValue(q, logPrior(new Float64Array(3)), 1)).toThrow(/expected 2, got 3/);
    expect(() => softValue(q, logPrior(new Float64Array(2)), -1)).toThrow(/tau is out of range/);
    expect(() => softValue(q, logPrior(new Float64Array(2)), Number.NaN)).toThrow(/tau/);
    expect(() => softValue(q, logPrior(new Float64Array(2).fill(Number.NEGATIVE_INFINITY)), 1)).toThrow(
      /no action can be chosen/,
    );
  });
});

describe("boltzmannPolicy", () => {
  it("maximises E_π[q] − τ KL[π‖π̄] (2)", () => {
    for (let i = 0; i < 10; i++) {
      const q = qValues(uniform(-2, 2, 4, random));
      const prior = logPrior(uniform(-2, 1, 4, random));
      const best = objective(boltzmannPolicy(q, prior, 0.3).map(Math.exp), q, prior, 0.3);
      for (let j = 0; j < 50; j++) {
        const other = uniform(0, 1, 4, random);
        const sum = other.reduce((x, y) => x + y);
        expect(best).toBeGreaterThan(
          objective(
            other.map((p) => p / sum),
            q,
            prior,
            0.3,
          ),
        );
      }
    }
  });

  it("is normalised at any magnitude", () => {
    const pi = boltzmannPolicy(
      qValues(Float64Array.of(1e9, 1e9 + 1e-6, -1e9)),
      logPrior(Float64Array.of(700, 710, -800)),
      1e-6,
    );
    expect(pi.reduce((sum, logP) => sum + Math.exp(logP), 0)).toBeCloseTo(1, 12);
  });

  it("is zero where π̄ is zero", () => {
    const pi = boltzmannPolicy(
      qValues(Float64Array.of(5, 1)),
      logPrior(Float64Array.of(Number.NEGATIVE_INFINITY, 0)),
      1,
    );
    expect([...pi]).toEqual([Number.NEGATIVE_INFINITY, 0]);
  });
});

describe("qFromPolicy", () => {
  it("is the inverse of softValue and boltzmannPolicy (57)", () => {
    const q = qValues(uniform(-2, 2, 6, random));
    const prior = logPrior(uniform(-2, 1, 6, random));
    const back = qFromPolicy(softValue(q, prior, 0.2), boltzmannPolicy(q, prior, 0.2), prior, 0.2);
    for (let a = 0; a < 6; a++) expect(back[a]).toBeCloseTo(q[a], 13);
  });
});

describe("greedyPolicy", () => {
  it("is the limit of boltzmannPolicy as τ → 0, and splits ties in proportion to π̄ within its support", () => {
    const prior = logPrior(Float64Array.from([0.1, 0.3, 0, 0.6], Math.log));
    const pi = greedyPolicy(qValues(Float64Array.of(3, 3, 9, 1)), prior).map(Math.exp);
    expect(Array.from(pi, (p) => p.toFixed(12))).toEqual([0.25, 0.75, 0, 0].map((p) => p.toFixed(12)));
    const q = qValues(Float64Array.of(0.1, 0.4, 7, 0.3));
    expect(greedyPolicy(q, prior)).toEqual(
      boltzmannPolicy(q, prior, 1e-6).map((x) => (x < -1e3 ? -Infinity : x)),
    );
  });

  it("refuses wrong lengths and an empty support", () => {
    const q = qValues(Float64Array.of(1, 2));
    expect(() => greedyPolicy(q, logPrior(new Float64Array(3)))).toThrow(/expected 2, got 3/);
    expect(() => greedyPolicy(q, logPrior(new Float64Array(2).fill(-Infinity)))).toThrow(/no action/);
  });
});
