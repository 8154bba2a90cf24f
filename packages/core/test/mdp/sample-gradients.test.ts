import {
  expectedSoftQTargets,
  GridWorld,
  linearQ,
  logPrior,
  nStepAdvantages,
  policyGradient,
  policySampleGradient,
  RandomStreams,
  type SoftMdp,
  sampleGap,
  softQGradient,
  softQSampleGradient,
  tabularFeatures,
  valueGradient,
  valueSampleGradient,
} from "softrl";
import { describe, expect, it } from "vitest";

const random = new RandomStreams(3).stream("samples");
const { mdp } = new GridWorld();
const rows = mdp.states * mdp.actions;
const prior = logPrior(Float64Array.from({ length: rows }, () => random.uniform(-2, 0)));
const problem: SoftMdp = { mdp, logPrior: prior, tau: 0.3, gamma: 0.9 };
const theta = Float64Array.from({ length: rows }, () => random.uniform(-1, 1));
const model = linearQ(problem, tabularFeatures(mdp.states, mdp.actions), theta);
const advantages = nStepAdvantages(problem, model.logPi, model.v, 3);
const targets = expectedSoftQTargets(problem, model, advantages);
/** The rows of the states that are not terminal. */
const samples = Array.from(theta.keys()).filter((row) => !mdp.terminal[Math.floor(row / mdp.actions)]);
const weights = Float64Array.from(mdp.terminal, (ends) => 1 - ends);

/** Σ_s Σ_a π(a|s) x(s,a). */
function expectation(sample: (row: number) => Float64Array): Float64Array {
  const sum = new Float64Array(theta.length);
  for (const row of samples) {
    const weight = Math.exp(model.logPi[row]);
    sample(row).forEach((x, k) => {
      sum[k] += weight * x;
    });
  }
  return sum;
}

const expectClose = (left: Float64Array, right: Float64Array) =>
  left.forEach((x, k) => {
    expect(x).toBeCloseTo(right[k], 13);
  });

describe("the gradients of one sample", () => {
  it("have the expectations softQGradient, policyGradient and valueGradient", () => {
    const { logPi, scores } = model;
    expectClose(
      expectation((row) => softQSampleGradient(problem, model, row, targets[row])),
      softQGradient({ problem, model, weights, targets }),
    );
    expectClose(
      expectation((row) => policySampleGradient(problem, model, row, advantages[row])),
      policyGradient({ problem, logPi, scores, weights, advantages }),
    );
    expectClose(
      expectation((row) => valueSampleGradient(problem, model, row, advantages[row])),
      valueGradient(problem, model, weights, advantages),
    );
  });

  it("differ by sampleGap, which has mean zero under π_θ and is not zero itself (§4)", () => {
    let largest = 0;
    for (const row of samples) {
      const rise = policySampleGradient(problem, model, row, advantages[row]);
      const route = valueSampleGradient(problem, model, row, advantages[row]).map(
        (x, k) => x - problem.tau * rise[k],
      );
      const gap = sampleGap(problem, model, row);
      const softQ = softQSampleGradient(problem, model, row, targets[row]);
      expectClose(
        softQ.map((x, k) => x - route[k]),
        gap,
      );
      largest = Math.max(largest, ...gap.map(Math.abs));
    }
    expect(largest).toBeGreaterThan(0.1);
    expectClose(
      expectation((row) => sampleGap(problem, model, row)),
      new Float64Array(theta.length),
    );
  });

  it("refuse a row that does not exist, or in which no action is taken", () => {
    const gradients: readonly ((row: number) => Float64Array)[] = [
      (row) => softQSampleGradient(problem, model, row, 0),
      (row) => policySampleGradient(problem, model, row, 0),
      (row) => valueSampleGradient(problem, model, row, 0),
      (row) => sampleGap(problem, model, row),
    ];
    const end = mdp.terminal.indexOf(1);
    for (const gradient of gradients) {
      for (const row of [-1, 0.5, rows]) expect(() => gradient(row)).toThrow(/row is out of range/);
      expect(() => gradient(end * mdp.actions)).toThrow(`state ${end} is terminal`);
    }
  });
});
