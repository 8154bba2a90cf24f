import {
  type Bandit,
  banditGradient,
  banditObjective,
  banditObjectiveFromOptimum,
  banditOptimum,
  logPrior,
  logProbabilities,
} from "softrl";
import { describe, expect, it } from "vitest";

const bandit: Bandit = {
  rewards: Float64Array.of(1, 0),
  logPrior: logPrior(Float64Array.of(Math.log(0.25), Math.log(0.75))),
  tau: 0.5,
};
const even = logProbabilities(Float64Array.of(Math.log(0.5), Math.log(0.5)));

describe("bandit", () => {
  it("banditObjective is E_π[r] − τ KL[π‖π̄] (1)", () => {
    const kl = 0.5 * Math.log(0.5 / 0.25) + 0.5 * Math.log(0.5 / 0.75);
    expect(banditObjective(bandit, even)).toBeCloseTo(0.5 - 0.5 * kl, 14);
  });

  it("banditOptimum is π̄ exp(r/τ), normalised, and no policy is better (2)", () => {
    const weights = [0.25 * Math.exp(2), 0.75];
    const best = banditOptimum(bandit);
    expect(Math.exp(best[0])).toBeCloseTo(weights[0] / (weights[0] + weights[1]), 14);
    for (let p = 0.05; p < 1; p += 0.05) {
      const logPi = logProbabilities(Float64Array.of(Math.log(p), Math.log(1 - p)));
      expect(banditObjective(bandit, logPi)).toBeLessThanOrEqual(banditObjective(bandit, best));
    }
  });

  it("banditGradient is zero for an action that π̄ forbids", () => {
    const forbidding = { ...bandit, logPrior: logPrior(Float64Array.of(0, Number.NEGATIVE_INFINITY)) };
    expect([...banditGradient(forbidding, banditOptimum(forbidding))]).toEqual([0, 0]);
  });

  it("banditObjectiveFromOptimum equals η, computed from its maximum (6)", () => {
    expect(banditObjectiveFromOptimum(bandit, even)).toBeCloseTo(banditObjective(bandit, even), 14);
    const maximum = 0.5 * Math.log(0.25 * Math.exp(2) + 0.75);
    expect(banditObjectiveFromOptimum(bandit, banditOptimum(bandit))).toBeCloseTo(maximum, 14);
  });
});
