import {
  atariHumanScale,
  bootstrapInterval,
  interquartileMean,
  normalisedScore,
  optimalityGap,
  performanceProfile,
  probabilityOfImprovement,
  RandomStreams,
} from "softrl";
import { describe, expect, it } from "vitest";
import { standardNormal } from "../../src/math/normal.js";

describe("interquartileMean", () => {
  it("is the mean without the lowest and the highest quarter, rounded down", () => {
    // Eight runs of two tasks, sorted 0 1 2 3 4 5 6 100: two drop out at each end, and (2 + 3 + 4 + 5) / 4 is left.
    expect(
      interquartileMean([
        [100, 4, 0, 3],
        [2, 6, 5, 1],
      ]),
    ).toBe(3.5);
    // Of seven, ⌊7/4⌋ = 1 at each end: (1 + 2 + 3 + 4 + 5) / 5.
    expect(interquartileMean([[0, 1, 2, 3], [4, 5], [6]])).toBe(3);
    // Of three, none.
    expect(interquartileMean([[0, 1, 5]])).toBe(2);
  });

  it("leaves the scores as they are", () => {
    const runs = [3, 1, 2];
    interquartileMean([runs]);
    expect(runs).toEqual([3, 1, 2]);
  });
});

describe("optimalityGap", () => {
  it("is what runs lack of the goal, and no run makes up for another", () => {
    // min(x, 1): 0.5, 1, 0, 1, of mean 0.625.
    expect(
      optimalityGap([
        [0.5, 3],
        [0, 1],
      ]),
    ).toBe(0.375);
    // min(x, 2): 0.5, 2, 0, 1, of mean 0.875.
    expect(
      optimalityGap(
        [
          [0.5, 3],
          [0, 1],
        ],
        2,
      ),
    ).toBe(1.125);
  });
});

describe("performanceProfile", () => {
  it("is the share of runs above each threshold, strictly, as the mean over tasks", () => {
    // Above 0: 2 of 3 and 1 of 1; above 1: 1 of 3 and 1 of 1; above 4: none.
    const profile = performanceProfile([[0, 1, 2], [4]], [-1, 0, 1, 4]);
    expect([...profile]).toEqual([1, (2 / 3 + 1) / 2, (1 / 3 + 1) / 2, 0]);
  });

  it("never rises, from 1 below all scores to 0 at the highest", () => {
    const random = new RandomStreams(3).stream("profile");
    const scores = [7, 4, 9].map((runs) => Float64Array.from({ length: runs }, () => standardNormal(random)));
    const profile = performanceProfile(
      scores,
      Float64Array.from({ length: 50 }, (_, i) => -10 + 0.4 * i),
    );
    expect([profile[0], profile[49]]).toEqual([1, 0]);
    for (let i = 1; i < 50; i++) expect(profile[i]).toBeLessThanOrEqual(profile[i - 1]);
  });
});

describe("probabilityOfImprovement", () => {
  it("is the share of pairs that x wins, where a tie counts half, as the mean over tasks", () => {
    // Task 0: of (1, 3) against (2, 3) x wins 1:–, 3:2 and ties 3:3, so 1.5 of 4. Task 1: one win of one.
    expect(probabilityOfImprovement([[1, 3], [5]], [[2, 3], [4]])).toBe((1.5 / 4 + 1) / 2);
  });

  it("of x over y and of y over x add up to 1", () => {
    const random = new RandomStreams(5).stream("wins");
    const sample = () => [5, 8].map((runs) => Array.from({ length: runs }, () => random.integer(4)));
    for (let trial = 0; trial < 100; trial++) {
      const [x, y] = [sample(), sample()];
      expect(probabilityOfImprovement(x, y) + probabilityOfImprovement(y, x)).toBeCloseTo(1, 14);
      expect(probabilityOfImprovement(x, x)).toBe(0.5);
    }
  });
});

describe("the stratified bootstrap", () => {
  it("covers the truth in 95 % ± 1.5 of 2,000 draws", () => {
    // Two tasks, whose runs are normal around 1 and around 3: the mean over all is 2.
    const draws = new RandomStreams(7).stream("coverage");
    const random = new RandomStreams(7).stream("bootstrap");
    const runs = (centre: number) => Float64Array.from({ length: 40 }, () => centre + standardNormal(draws));
    let covered = 0;
    for (let draw = 0; draw < 2000; draw++) {
      const scores = [runs(1), runs(3)];
      const { low, high } = bootstrapInterval(scores, meanOfTasks, { random, resamples: 200 });
      if (low <= 2 && 2 <= high) covered++;
    }
    expect(Math.abs(covered / 2000 - 0.95)).toBeLessThan(0.015);
  });
});

const meanOfTasks = (scores: readonly ArrayLike<number>[]) => {
  let sum = 0;
  for (const runs of scores) for (let i = 0; i < runs.length; i++) sum += runs[i] / runs.length;
  return sum / scores.length;
};

describe("scores that mean nothing", () => {
  const statistics = {
    interquartileMean,
    optimalityGap,
    performanceProfile: (scores: readonly number[][]) => performanceProfile(scores, [0]),
    probabilityOfImprovement: (scores: readonly number[][]) => probabilityOfImprovement(scores, scores),
  };
  it.each(Object.entries(statistics))("%s refuses them", (name, statistic) => {
    expect(() => statistic([])).toThrow(`${name}: there are no tasks`);
    expect(() => statistic([[1], []])).toThrow(`${name}: task 1 has no runs`);
    expect(() => statistic([[1], [2, Number.NaN]])).toThrow(`${name}: run 1 of task 1 has no score`);
  });

  it("tasks that do not match are refused", () => {
    expect(() => probabilityOfImprovement([[1]], [[1], [2]])).toThrow("x and y have different tasks");
  });
});

describe("normalisedScore", () => {
  it("is 0 for random and 1 for human play", () => {
    const games = Object.values(atariHumanScale);
    expect(games).toHaveLength(57);
    for (const scale of games) {
      expect(normalisedScore(scale.zero, scale)).toBe(0);
      expect(normalisedScore(scale.one, scale)).toBe(1);
      expect(scale.one).toBeGreaterThan(scale.zero);
    }
    // (20.6 + 20.7) / (14.6 + 20.7)
    expect(normalisedScore(20.6, atariHumanScale.Pong)).toBeCloseTo(41.3 / 35.3, 14);
  });

  it("refuses a scale without length", () => {
    expect(() => normalisedScore(1, { zero: 2, one: 2 })).toThrow("both ends of the scale are the same");
  });
});
