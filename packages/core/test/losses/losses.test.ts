import {
  a2cStreamScales,
  boltzmannPolicy,
  klDivergence,
  klToPrior,
  logPrior,
  logProbabilities,
  policyEntropy,
  policyFromQ,
  policyGradientLoss,
  qFromPolicy,
  qFromValueAndPolicy,
  qValues,
  RandomStreams,
  scaleGradient,
  softQLoss,
  softQStreamsLoss,
  softValue,
  stateValues,
  theoremGap,
  unscaledStreams,
  valueFromQ,
  valueLoss,
} from "softrl";
import { describe, expect, it } from "vitest";
import { gradient } from "../../src/tensor/gradient.js";
import { input, mean, mul } from "../../src/tensor/operations.js";
import { evaluate } from "./evaluate.js";

const B = 3;
const A = 4;
const tau = 0.3;
const random = new RandomStreams(4).stream("losses");
const draw = (n: number, low: number, high: number) =>
  Float64Array.from({ length: n }, () => random.uniform(low, high));
const numbers = { q: draw(B * A, -1, 1), prior: draw(A, -2, 1), targets: draw(B, -1, 1) };
const actions = [2, 0, 3];
const feed = { ...numbers, actions };

const q = qValues(input("q", [B, A]));
const prior = logPrior(input("prior", [A]));
const actionTensor = input("actions", [B]);
const targets = input("targets", [B]);
const v = valueFromQ(q, prior, tau);
const logPi = policyFromQ(q, prior, tau);

/** V, log π and KL of each row, by the formulas in math/. */
const rows = Array.from({ length: B }, (_, b) => {
  const row = qValues(numbers.q.slice(b * A, (b + 1) * A));
  const rowPrior = logPrior(numbers.prior);
  const rowPi = boltzmannPolicy(row, rowPrior, tau);
  return { v: softValue(row, rowPrior, tau), logPi: rowPi, kl: klDivergence(rowPi, rowPrior) };
});
const pi = rows.map((row) => row.logPi.map(Math.exp));

function expectClose(found: ArrayLike<number>, expected: ArrayLike<number>): void {
  expect(found.length).toBe(expected.length);
  for (let i = 0; i < expected.length; i++) expect(found[i]).toBeCloseTo(expected[i], 12);
}

describe("boltzmann", () => {
  it("policyFromQ, valueFromQ and klToPrior match the numeric functions", () => {
    const found = evaluate({ v, logPi, kl: klToPrior(logPi, prior) }, feed);
    expectClose(
      found.v,
      rows.map((row) => row.v),
    );
    expectClose(
      found.logPi,
      rows.flatMap((row) => [...row.logPi]),
    );
    expectClose(
      found.kl,
      rows.map((row) => row.kl),
    );
  });

  it("qFromValueAndPolicy is the inverse of both, and matches qFromPolicy (57)", () => {
    const { back } = evaluate({ back: qFromValueAndPolicy(v, logPi, prior, tau) }, feed);
    expectClose(back, numbers.q);
    expectClose(
      back,
      rows.flatMap((row) => [...qFromPolicy(row.v, row.logPi, logPrior(numbers.prior), tau)]),
    );
  });

  it("policyEntropy is −KL to the counting measure", () => {
    const counting = logPrior(mul(0, prior));
    const found = evaluate({ entropy: policyEntropy(logPi), kl: klToPrior(logPi, counting) }, feed);
    expectClose(
      found.entropy,
      found.kl.map((kl) => -kl),
    );
    expect(found.entropy[0]).toBeGreaterThan(0);
  });
});

describe("policyGradientLoss", () => {
  it("is −mean(log π(a) Δ) + τ mean(KL), with the gradient of the paper (§3.6)", () => {
    const loss = policyGradientLoss({
      logPi,
      logPrior: prior,
      actions: actionTensor,
      advantages: targets,
      tau,
    });
    const found = evaluate({ loss, gradient: gradient(loss, [q])[0] }, feed);
    const terms = rows.map((row, b) => -row.logPi[actions[b]] * numbers.targets[b] + tau * row.kl);
    expect(found.loss[0]).toBeCloseTo(terms.reduce((x, y) => x + y) / B, 12);
    // For a softmax of q/τ: ∂log π(a)/∂q(b) = (1[a=b] − π(b))/τ and ∂KL/∂q(b) = π(b)(ℓ(b) − KL)/τ.
    const expected = rows.flatMap((row, b) =>
      Array.from(row.logPi, (logP, a) => {
        const chosen = actions[b] === a ? 1 : 0;
        const surrogate = (-(chosen - pi[b][a]) / tau) * numbers.targets[b];
        return (surrogate + pi[b][a] * (logP - numbers.prior[a] - row.kl)) / B;
      }),
    );
    expectClose(found.gradient, expected);
  });
});

describe("valueLoss", () => {
  it("is ½ mean (V − V̂)², with gradient (V − V̂)/B (§3.6)", () => {
    const values = stateValues(input("values", [B]));
    const loss = valueLoss({ v: values, targets: stateValues(targets) });
    const found = evaluate(
      { loss, gradient: gradient(loss, [values])[0] },
      { values: [1, 2, 3], targets: [1.5, 0, 3] },
    );
    expect(found.loss[0]).toBeCloseTo((0.25 + 4) / 6, 14);
    expectClose(found.gradient, [-0.5 / 3, 2 / 3, 0]);
  });
});

describe("softQLoss", () => {
  it("is ½ mean (Q(a) − y)², with a gradient only at the action (§3.5)", () => {
    const loss = softQLoss({ q, actions: actionTensor, targets: qValues(targets) });
    const found = evaluate({ loss, gradient: gradient(loss, [q])[0] }, feed);
    const errors = actions.map((a, b) => numbers.q[b * A + a] - numbers.targets[b]);
    expect(found.loss[0]).toBeCloseTo(errors.reduce((sum, e) => sum + e * e, 0) / (2 * B), 14);
    const expected = new Float64Array(B * A);
    actions.forEach((a, b) => {
      expected[b * A + a] = errors[b] / B;
    });
    expectClose(found.gradient, expected);
  });
});

describe("softQStreamsLoss", () => {
  const terms = { logPrior: prior, actions: actionTensor, targets: qValues(targets), tau };

  it("without scaling, equals softQLoss for the Q of its streams", () => {
    const streams = softQStreamsLoss({ v, logPi, ...terms, scales: unscaledStreams });
    const whole = softQLoss({ q, actions: actionTensor, targets: qValues(targets) });
    const found = evaluate(
      {
        streams,
        whole,
        streamsGradient: gradient(streams, [q])[0],
        wholeGradient: gradient(whole, [q])[0],
      },
      feed,
    );
    expectClose(found.streams, found.whole);
    expectClose(found.streamsGradient, found.wholeGradient);
  });

  it("scales the gradients of the two streams by 1/τ and c, but not its value (§6.3)", () => {
    const valueLeaf = stateValues(input("v", [B]));
    const policyLeaf = logProbabilities(input("logPi", [B, A]));
    const plain = softQStreamsLoss({ v: valueLeaf, logPi: policyLeaf, ...terms, scales: unscaledStreams });
    const scaled = softQStreamsLoss({
      v: valueLeaf,
      logPi: policyLeaf,
      ...terms,
      scales: a2cStreamScales(tau, 0.5),
    });
    const [plainV, plainPi] = gradient(plain, [valueLeaf, policyLeaf]);
    const [scaledV, scaledPi] = gradient(scaled, [valueLeaf, policyLeaf]);
    const found = evaluate(
      { plain, scaled, plainV, plainPi, scaledV, scaledPi },
      {
        prior: feed.prior,
        targets: feed.targets,
        actions,
        v: rows.map((row) => row.v),
        logPi: rows.flatMap((row) => [...row.logPi]),
      },
    );
    expect(found.scaled[0]).toBe(found.plain[0]);
    expectClose(
      found.scaledV,
      found.plainV.map((x) => 0.5 * x),
    );
    expectClose(
      found.scaledPi,
      found.plainPi.map((x) => x / tau),
    );
    expect(Math.max(...found.plainV.map(Math.abs))).toBeGreaterThan(0.01);
  });
});

describe("scaleGradient", () => {
  it("multiplies the gradient and keeps every bit of the value", () => {
    const x = input("x", [2]);
    const scaled = scaleGradient(x, 7.3);
    const found = evaluate({ scaled, gradient: gradient(mean(scaled), [x])[0] }, { x: [0.1, -1e9] });
    expect(found.scaled).toEqual([0.1, -1e9]);
    expectClose(found.gradient, [3.65, 3.65]);
  });
});

describe("theoremGap", () => {
  it("has the closed-form gap as its gradient, unscaled and rescaled (§4)", () => {
    for (const scales of [unscaledStreams, a2cStreamScales(tau, 0.5)]) {
      const gap = theoremGap({ v, logPi, logPrior: prior, actions: actionTensor, tau, scales });
      const found = evaluate({ gradient: gradient(gap, [q])[0] }, feed);
      const expected = rows.flatMap((row, b) => {
        const surprise = row.logPi[actions[b]] - numbers.prior[actions[b]] - row.kl;
        return Array.from(row.logPi, (logP, a) => {
          const chosen = actions[b] === a ? 1 : 0;
          const gradLogPi = (chosen - pi[b][a]) / tau;
          const gradKl = (pi[b][a] * (logP - numbers.prior[a] - row.kl)) / tau;
          const policy = scales.policy * tau ** 2 * (surprise * gradLogPi - gradKl);
          return (policy + scales.value * tau * surprise * pi[b][a]) / B;
        });
      });
      expectClose(found.gradient, expected);
    }
  });
});
