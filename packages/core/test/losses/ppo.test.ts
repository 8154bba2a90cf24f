import {
  advantageScale,
  clippedShare,
  clippedSurrogateLoss,
  clippedValueLoss,
  klDivergence,
  klFromOld,
  logPrior,
  logProbabilities,
  normalisedAdvantages,
  penalisedSurrogateLoss,
  probabilityRatio,
  RandomStreams,
  stateValues,
} from "softrl";
import { describe, expect, it, test } from "vitest";
import { gradient } from "../../src/tensor/gradient.js";
import { constant, input } from "../../src/tensor/operations.js";
import { randomPolicy } from "../../src/theory/cases.js";
import { evaluate } from "./evaluate.js";

const B = 40;
const A = 3;
const clipRange = 0.2;
const random = new RandomStreams(6).stream("ppo");
const draw = (n: number, low: number, high: number) =>
  Float64Array.from({ length: n }, () => random.uniform(low, high));
const now = randomPolicy(random, A, B);
const old = randomPolicy(random, A, B);
const taken = Float64Array.from({ length: B }, () => random.integer(A));
const advantages = draw(B, -1, 1);

const logPi = logProbabilities(constant(now, [B, A]));
const oldLogPi = logProbabilities(constant(old, [B, A]));
const terms = { logPi, oldLogPi, actions: constant(taken), advantages: constant(advantages) };
const ratios = [...taken].map((a, t) => Math.exp(now[t * A + a] - old[t * A + a]));
const mean = (numbers: readonly number[]) => numbers.reduce((sum, x) => sum + x, 0) / numbers.length;
const clip = (x: number, low: number, high: number) => Math.min(Math.max(x, low), high);

test("the ratio is π(a)/π_old(a), and clippedShare counts those beyond ε", () => {
  const { ratio } = evaluate({ ratio: probabilityRatio(terms) });
  for (let t = 0; t < B; t++) expect(ratio[t]).toBeCloseTo(ratios[t], 12);
  const { share } = evaluate({ share: clippedShare(probabilityRatio(terms), clipRange) });
  const beyond = ratios.filter((x) => Math.abs(x - 1) > clipRange).length;
  expect(beyond).toBeGreaterThan(5);
  expect(share[0]).toBeCloseTo(beyond / B, 12);
});

test("the surrogates and the KL from π_old, sample by sample", () => {
  const found = evaluate({
    clipped: clippedSurrogateLoss({ ...terms, clipRange }),
    penalised: penalisedSurrogateLoss({ ...terms, penalty: 0.7 }),
    kl: klFromOld(terms),
  });
  const row = (numbers: typeof now, t: number) => logProbabilities(numbers.slice(t * A, (t + 1) * A));
  const rows = Array.from({ length: B }, (_, t) => t);
  const kl = mean(rows.map((t) => klDivergence(row(now, t), logPrior(row(old, t)))));
  const reversed = mean(rows.map((t) => klDivergence(row(old, t), logPrior(row(now, t)))));
  const clipped = rows.map((t) =>
    Math.min(ratios[t] * advantages[t], clip(ratios[t], 1 - clipRange, 1 + clipRange) * advantages[t]),
  );
  const plain = rows.map((t) => ratios[t] * advantages[t]);
  expect(found.clipped[0]).toBeCloseTo(-mean(clipped), 12);
  expect(found.penalised[0]).toBeCloseTo(-mean(plain) + 0.7 * kl, 12);
  expect(found.kl[0]).toBeCloseTo(reversed, 12);
});

describe("the slope of the clipped surrogate in log π(a), by ratio and sign of Δ (figure 1 of PPO)", () => {
  it.each([
    [1.5, 1, 0],
    [1.1, 1, -1.1],
    [0.5, 1, -0.5],
    [1.5, -1, 1.5],
    [0.9, -1, 0.9],
    [0.5, -1, 0],
  ])("ρ = %d, Δ = %d: %d", (ratio, delta, expected) => {
    const z = input("z", [1, 2]);
    const loss = clippedSurrogateLoss({
      logPi: logProbabilities(z),
      oldLogPi: logProbabilities(constant([0, 0], [1, 2])),
      actions: constant([1]),
      advantages: constant([delta]),
      clipRange,
    });
    const [slope] = gradient(loss, [z]);
    const found = evaluate({ slope }, { z: [0, Math.log(ratio)] });
    expect(found.slope[1]).toBeCloseTo(expected, 12);
  });
});

describe("the clipped value loss", () => {
  const v = input("v", [4]);
  // V_old = 1 everywhere; V and V̂ so that each branch is taken once.
  const values = stateValues(constant([1, 1, 1, 1]));
  const targets = stateValues(constant([2, 2, 0, 1.05]));
  const loss = clippedValueLoss({ v: stateValues(v), values, targets, clipRange });
  const feed = { v: [1.1, 1.8, 1.8, 0.5] };

  it("is half the larger square", () => {
    const found = evaluate({ loss }, feed);
    // Within the clip; (1.2 − 2)² > (1.8 − 2)²; (1.8 − 0)² > (1.2 − 0)²; (0.5 − 1.05)² > (0.8 − 1.05)².
    expect(found.loss[0]).toBeCloseTo(0.5 * mean([0.9 ** 2, 0.8 ** 2, 1.8 ** 2, 0.55 ** 2]), 12);
  });

  it("has no slope where V has moved by more than ε towards V̂", () => {
    const [slope] = gradient(loss, [v]);
    const found = evaluate({ slope }, feed);
    [-0.9 / 4, 0, 1.8 / 4, -0.55 / 4].forEach((x, i) => {
      expect(found.slope[i]).toBeCloseTo(x, 12);
    });
  });
});

test("normalised advantages have mean 0 and sample deviation 1", () => {
  const found = evaluate({
    normalised: normalisedAdvantages(constant(advantages)),
    scale: advantageScale(constant(advantages)),
  });
  expect(mean(found.normalised)).toBeCloseTo(0, 12);
  expect(found.normalised.reduce((sum, x) => sum + x * x, 0) / (B - 1)).toBeCloseTo(1, 6);
  const centre = mean([...advantages]);
  const deviation = Math.sqrt(advantages.reduce((sum, x) => sum + (x - centre) ** 2, 0) / (B - 1));
  expect(found.scale[0]).toBeCloseTo(deviation + 1e-8, 12);
  const equal = evaluate({ normalised: normalisedAdvantages(constant([2, 2])) });
  expect(equal.normalised).toEqual([0, 0]);
});

test("where every ratio is within ε, KL[π_old ‖ π] is at most −ε − log(1 − ε)", () => {
  let largest = 0;
  for (let i = 0; i < 2000; i++) {
    // Ratios within ε whose mean under π_old is 1.
    const from = Array.from(randomPolicy(random, A), Math.exp);
    const drift = draw(A, -1, 1);
    const centre = drift.reduce((sum, x, a) => sum + from[a] * x, 0);
    const reach = Math.max(...drift.map((x) => Math.abs(x - centre)));
    const change = drift.map((x) => 1 + (clipRange * (x - centre)) / reach);
    largest = Math.max(
      largest,
      from.reduce((sum, p, a) => sum - p * Math.log(change[a]), 0),
    );
  }
  expect(largest).toBeLessThan(-clipRange - Math.log(1 - clipRange));
  expect(largest).toBeGreaterThan(0.7 * (-clipRange - Math.log(1 - clipRange)));
});
