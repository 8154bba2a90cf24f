import { describe, expect, it } from "vitest";
import { nearest, readTemperature, temperatures, temperatureText } from "../src/controls/temperatures.js";
import { solveSides, withPolicy, withProbability } from "../src/figures/sides.js";
import { solveTemperature, sweepTemperatures } from "../src/figures/temperature-sweep.js";
import { learning, lines, stepsInMaze } from "../src/figures/theorem-in-maze.js";

const sides = { q: [0.9, 0.5, -0.1, -0.7], prior: [0.1, 0.2, 0.3, 0.4], tau: 0.5 };
const sum = (numbers: readonly number[]) => numbers.reduce((total, x) => total + x, 0);
const largest = (vectors: readonly (readonly number[])[]) => Math.max(...vectors.flat().map(Math.abs));

describe("both sides of Q = V + τ log(π/π̄)", () => {
  it("add up for each action, with V between the mean of Q and its maximum", () => {
    for (const tau of [0, 0.05, 0.5, 8, Number.POSITIVE_INFINITY]) {
      const { pi, v, advantages, meanOfQ, maximumOfQ } = solveSides({ ...sides, tau });
      expect(sum(pi)).toBeCloseTo(1, 12);
      sides.q.forEach((q, a) => {
        expect(v + advantages[a]).toBeCloseTo(q, 12);
      });
      expect(v).toBeGreaterThanOrEqual(meanOfQ);
      expect(v).toBeLessThanOrEqual(maximumOfQ);
    }
  });

  it("are greedy at τ = 0 and the prior at τ = ∞, which nearby temperatures tend to", () => {
    expect(solveSides({ ...sides, tau: 0 }).pi).toEqual([1, 0, 0, 0]);
    expect(solveSides({ ...sides, tau: 0 }).v).toBe(0.9);
    const cold = solveSides({ ...sides, tau: 0.01 });
    expect(cold.pi[0]).toBeCloseTo(1, 12);
    const hot = solveSides({ ...sides, tau: 1e6 });
    const limit = solveSides({ ...sides, tau: Number.POSITIVE_INFINITY });
    limit.pi.forEach((p, a) => {
      expect(p).toBeCloseTo(sides.prior[a], 12);
      expect(hot.pi[a]).toBeCloseTo(p, 5);
    });
    expect(hot.v).toBeCloseTo(limit.v, 5);
  });

  it("a dragged policy gives values with that policy and the same V", () => {
    const { v, pi } = solveSides(sides);
    const wanted = withProbability(pi, 2, 0.6);
    expect(wanted[2]).toBeCloseTo(0.6, 12);
    expect(wanted[0] / wanted[1]).toBeCloseTo(pi[0] / pi[1], 12);
    const after = solveSides(withPolicy(sides, v, wanted));
    expect(after.v).toBeCloseTo(v, 12);
    after.pi.forEach((p, a) => {
      expect(p).toBeCloseTo(wanted[a], 12);
    });
  });

  it("a dragged probability stays a distribution at its ends, and beside a certain action", () => {
    for (const wanted of [-1, 0, 0.5, 1, 2]) {
      const p = withProbability([1, 0, 0, 0], 0, wanted);
      expect(sum(p)).toBeCloseTo(1, 12);
      expect(Math.min(...p)).toBeGreaterThan(0.001);
    }
  });
});

describe("the theorem in the maze", () => {
  const tableAfter = learning(0.2);

  it("holds in every cell, at every stage, though single actions differ", () => {
    for (const step of [0, 1, 10, 100]) {
      const cells = stepsInMaze(0.2, tableAfter(step), new Set());
      expect(cells).toHaveLength(9);
      expect(largest(cells.map(({ difference }) => difference))).toBeLessThan(1e-12);
      expect(largest(cells.flatMap(({ samples }) => samples))).toBeGreaterThan(1e-3);
    }
  });

  it.each(lines)("fails where the line about %s is broken", (line) => {
    const cells = stepsInMaze(0.2, tableAfter(0), new Set([line]));
    expect(largest(cells.map(({ difference }) => difference))).toBeGreaterThan(0.01);
    for (const { samples, difference } of cells) {
      difference.forEach((x, i) => {
        expect(sum(samples.map((sample) => sample[i]))).toBeCloseTo(x, 12);
      });
    }
  });

  it("a bootstrap at the end is felt only where the end is within n = 3 steps", () => {
    const cells = stepsInMaze(0.2, tableAfter(0), new Set(["terminal"]));
    const differs = (state: number) => largest([cells[state].difference]) > 1e-12;
    const start = cells.findIndex(({ state }) => state === 7);
    expect(differs(2)).toBe(true);
    expect(differs(start)).toBe(false);
  });

  it("steps vanish as the values become right, whichever algorithm takes them", () => {
    const last = stepsInMaze(0.2, tableAfter(400), new Set());
    expect(largest(last.flatMap(({ softQ, policy }) => [softQ, policy]))).toBeLessThan(1e-3);
    const exact = solveTemperature(0.2, 0.9, 0).v;
    for (const { state, v } of last) expect(v).toBeCloseTo(exact[state], 2);
  });
});

describe("the sweep over temperatures", () => {
  it("goes from certain and free of regret to uniform and costly", () => {
    const facts = sweepTemperatures([0.01, 0.1, 1, 10], 0.9);
    for (let i = 1; i < facts.length; i++) {
      expect(facts[i].softness).toBeGreaterThan(facts[i - 1].softness);
      expect(facts[i].regret).toBeGreaterThan(facts[i - 1].regret);
    }
    expect(facts[0].softness).toBeLessThan(1.01);
    expect(facts[0].regret).toBeLessThan(1e-3);
    expect(facts[3].softness).toBeGreaterThan(3.99);
  });

  it("has errors below the bound γⁿ of a contraction", () => {
    const { errors } = solveTemperature(0.1, 0.9, 200);
    errors.forEach((error, n) => {
      expect(error).toBeLessThanOrEqual(errors[0] * 0.9 ** n * (1 + 1e-9) + 1e-11);
    });
  });
});

describe("temperatures", () => {
  const values = [0, ...temperatures(0.01, 10, 10), Number.POSITIVE_INFINITY];

  it("have two digits, rise, and include both ends", () => {
    expect(values.slice(0, 4)).toEqual([0, 0.01, 0.013, 0.016]);
    expect(values.at(-2)).toBe(10);
    expect([...values].sort((x, y) => x - y)).toEqual(values);
  });

  it("are read from an address: the nearest one, or the default for anything else", () => {
    expect(readTemperature("0.0131", values, 0.1)).toBe(0.013);
    expect(readTemperature("0", values, 0.1)).toBe(0);
    expect(readTemperature("inf", values, 0.1)).toBe(Number.POSITIVE_INFINITY);
    for (const text of [null, "", "-1", "NaN", "<script>"])
      expect(readTemperature(text, values, 0.1)).toBe(0.1);
    expect(nearest(values, 700)).toBe(10);
  });

  it("are written as they are read, and not at all at the default", () => {
    expect(temperatureText(0.1, 0.1)).toBeNull();
    for (const tau of values) expect(readTemperature(temperatureText(tau, 0.5), values, 0.5)).toBe(tau);
  });
});
