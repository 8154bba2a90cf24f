import { describe, expect, test } from "vitest";
import { LearningCheck } from "../../src/experiment/learning-check.js";
import { ReturnsWindow } from "../../src/experiment/returns-window.js";

function windowOf(returns: readonly number[]): ReturnsWindow {
  const window = new ReturnsWindow();
  for (const each of returns) window.add(each);
  return window;
}

const STEPS = 100_000;
const QUARTER = STEPS / 4;
/** Alternates between two returns around a mean: the sample variance of n of them is n/(n − 1). */
const around = (mean: number, count: number) =>
  Array.from({ length: count }, (_, i) => mean + (i % 2 === 0 ? 1 : -1));
const check = (returns: readonly number[]) => new LearningCheck().check(QUARTER, STEPS, windowOf(returns));

describe("the returns' window", () => {
  test("has the first and the newest returns, oldest first, also from a snapshot", () => {
    const returns = Array.from({ length: 250 }, (_, i) => i);
    const window = windowOf(returns);
    const restored = new ReturnsWindow();
    restored.restore(window.save());
    for (const each of [window, restored]) {
      expect(Array.from(each.first(100))).toEqual(returns.slice(0, 100));
      expect(Array.from(each.newest(100))).toEqual(returns.slice(150));
      expect(Array.from(each.newest(3))).toEqual([247, 248, 249]);
    }
    expect(Array.from(windowOf([5, 6, 7]).newest(2))).toEqual([6, 7]);
  });
});

describe("the check after a quarter of the steps", () => {
  test("warns unless the newest returns are above the first by more than two standard errors", () => {
    const first = around(20, 20);
    // Two standard errors of the difference are 2 √(1/19 + 1/99).
    const bound = 2 * Math.sqrt(1 / 19 + 1 / 99);
    expect(check([...first, ...around(20 + 1.001 * bound, 100)])).toBeNull();
    expect(check([...first, ...around(20 + 0.999 * bound, 100)])).toMatchObject({ reason: "no-rise" });
    expect(check([...first, ...around(15, 300)])).toEqual({
      reason: "no-rise",
      step: QUARTER,
      steps: STEPS,
      firstEpisodes: 20,
      newestEpisodes: 100,
      firstMean: 20,
      newestMean: 15,
    });
    expect(check(new Array(200).fill(-200))).toMatchObject({ firstMean: -200, newestMean: -200 });
  });

  test("compares halves of fewer than 40 episodes, and nothing below 20", () => {
    expect(check([...around(1, 12), ...around(9, 12)])).toBeNull();
    expect(check(around(1, 25))).toMatchObject({ reason: "no-rise", firstEpisodes: 12, newestEpisodes: 13 });
    expect(check(around(1, 70))).toMatchObject({ firstEpisodes: 20, newestEpisodes: 50 });
    expect(check(around(1, 19))).toBeNull();
  });

  test("waits for a quarter of the steps in which the run learns", () => {
    const flat = windowOf(around(20, 200));
    const starts = STEPS / 5;
    const due = starts + (STEPS - starts) / 4;
    const learning = new LearningCheck();
    expect(learning.check(due - 1, STEPS, flat, starts)).toBeNull();
    expect(learning.check(due, STEPS, flat, starts)).toMatchObject({ reason: "no-rise", step: due });
  });

  test("warns at once, and once, where the run ends before it learns", () => {
    const learning = new LearningCheck();
    const warning = learning.check(40, 9000, windowOf([]), 9000);
    expect(warning).toMatchObject({ reason: "no-update", step: 40, steps: 9000, firstMean: null });
    expect(learning.check(80, 9000, windowOf([]), 9000)).toBeNull();
    const restored = new LearningCheck();
    restored.restore(learning.save());
    expect(restored.warning).toEqual(warning);
    // An extended run is checked as any other.
    expect(restored.check(40, 18_000, windowOf([]), 9000)).toBeNull();
    expect(restored.warning).toBeNull();
    expect(restored.check(11_250, 18_000, windowOf([]), 9000)).toMatchObject({ reason: "no-episode" });
  });

  test("warns where no episode has ended", () => {
    expect(check([])).toEqual({
      reason: "no-episode",
      step: QUARTER,
      steps: STEPS,
      firstEpisodes: 0,
      newestEpisodes: 0,
      firstMean: null,
      newestMean: null,
    });
  });

  test("is made once, at a quarter, and not in short runs", () => {
    const flat = windowOf(around(1, 200));
    expect(new LearningCheck().check(2_499, 9_999, flat)).toBeNull();
    expect(new LearningCheck().check(2_500, 10_000, flat)).not.toBeNull();
    const learning = new LearningCheck();
    expect(learning.check(QUARTER - 1, STEPS, flat)).toBeNull();
    expect(learning.warning).toBeNull();
    const warning = learning.check(QUARTER, STEPS, flat);
    expect(learning.warning).toBe(warning);
    // The run is extended: it is neither checked nor warned again.
    expect(learning.check(QUARTER + 1, 10 * STEPS, flat)).toBeNull();
    expect(learning.check(10 * QUARTER, 10 * STEPS, flat)).toBeNull();
    expect(learning.warning).toBe(warning);
  });

  test.each([
    ["before it", QUARTER - 1, around(1, 200)],
    ["after it, with a warning", QUARTER, around(1, 200)],
    ["after it, with a warning that no episode ended", QUARTER, []],
    ["after it, without a warning", QUARTER, [...around(1, 100), ...around(9, 100)]],
  ])("continues from a snapshot %s", (_, step, returns) => {
    const learning = new LearningCheck();
    learning.check(step, STEPS, windowOf(returns));
    const restored = new LearningCheck();
    restored.restore(learning.save());
    expect(restored.warning).toEqual(learning.warning);
    expect(restored.save()).toEqual(learning.save());
    const next = [learning, restored].map((each) => each.check(QUARTER + 1, STEPS, windowOf(around(1, 200))));
    expect(next[1]).toEqual(next[0]);
    expect(next[0] === null).toBe(step === QUARTER);
  });

  test("refuses a damaged snapshot", () => {
    expect(() => new LearningCheck().restore({ done: 1, warning: {} })).toThrow(/done is not valid/);
    expect(() => new LearningCheck().restore({ done: true })).toThrow(/warning/);
  });
});
