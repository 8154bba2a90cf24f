import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { RandomStreams } from "softrl";
import { describe, expect, test } from "vitest";
import { temporaryFolder } from "../../../test/temporary-folder.js";
import { profileAcrossTasks } from "../src/plots/across-seeds.js";
import type { PlottedRun } from "../src/plots/plotted-run.js";
import { runFigure } from "../src/plots/run-figure.js";
import { softrl } from "./command.js";

const place = temporaryFolder("profile");

const scored = (variant: string, environment: string, scores: readonly (number | null)[]) =>
  scores.map((score, i): PlottedRun => ({ variant, environment, seed: `${i}`, curve: null, score }));
const figureOf = (runs: readonly PlottedRun[]) =>
  runFigure(runs, { kind: "profile", statistic: "mean", width: 85, theme: "light" });
const seriesOf = (runs: readonly PlottedRun[]) => {
  const [panel] = figureOf(runs).panels;
  if (panel.kind !== "lines") throw new Error("no lines");
  return panel.series;
};

test("a profile across tasks falls from one to zero, inside its interval", () => {
  const tasks = [
    [0.1, 0.4],
    [0.6, 0.9],
  ];
  const points = profileAcrossTasks(tasks, [0, 0.5, 1], () => new RandomStreams(7).stream("test"));
  expect(points.map(({ estimate }) => estimate)).toEqual([1, 0.5, 0]);
  for (const { estimate, low, high } of points) {
    expect(low).toBeLessThanOrEqual(estimate);
    expect(high).toBeGreaterThanOrEqual(estimate);
  }
  // Every resample has the same share above one half: the first task none, the second all.
  expect([points[1].low, points[1].high]).toEqual([0.5, 0.5]);
});

test("both ends of a profile's intervals fall from threshold to threshold", () => {
  const random = new RandomStreams(1).stream("scores");
  const tasks = Array.from({ length: 3 }, () => Array.from({ length: 8 }, () => random.uniform(0, 1)));
  const thresholds = Array.from({ length: 61 }, (_, i) => i / 60);
  const points = profileAcrossTasks(tasks, thresholds, () => new RandomStreams(7).stream("test"));
  const rises = (of: (point: (typeof points)[number]) => number) =>
    points.filter((point, i) => i > 0 && of(point) > of(points[i - 1])).map(({ x }) => x);
  expect([rises(({ low }) => low), rises(({ high }) => high)]).toEqual([[], []]);
});

describe("a performance profile", () => {
  test("normalises the scores of each environment", () => {
    const runs = ["X", "Y"].flatMap((environment) => [
      ...scored("one", environment, [0, 10, 20]),
      ...scored("two", environment, [10, 20, 30]),
    ]);
    const [one, two] = seriesOf(runs).map(({ points }) => points);
    expect([one[0].x, one[60].x]).toEqual([0, 1]);
    // Scores of one: 0, 10, 20 of 30; of two: 10, 20, 30. Above 1/2: a third, and two thirds.
    expect(one[30].estimate).toBeCloseTo(1 / 3);
    expect(two[30].estimate).toBeCloseTo(2 / 3);
  });

  test("draws the variants with a score on every environment, and names the others", () => {
    const whole = [...scored("a", "X", [0, 10]), ...scored("a", "Y", [0, 10])];
    const part = [...scored("b", "Y", [40, -40]), ...scored("c", "X", [3, 4]), ...scored("c", "Y", [null])];
    const figure = figureOf([...whole, ...part]);
    expect(figure.names).toEqual(["a"]);
    expect(figure.leftOut).toEqual(["b", "c"]);
    expect(figure.note).toBe(
      "2 seeds on each environment, with 95 % stratified bootstrap intervals, " +
        "which are too narrow for fewer than 10 seeds; " +
        'left out, without a score on every environment: "b", "c"; ' +
        "0 is the lowest run of each environment, 1 the highest",
    );
    // What is left out decides nothing: neither the scale nor the thresholds.
    expect(seriesOf([...whole, ...part])).toEqual(seriesOf(whole));
    expect(figureOf(whole).leftOut).toEqual([]);
    expect(() => figureOf(part)).toThrow(
      'no variant has a score on every environment, got "b" without X; "c" without Y; choose variants of the same environments with --variant',
    );
    const none = scored("a", "X", [null]);
    expect(() => figureOf(none)).toThrow("none of the runs has a score");
  });

  test("has one scale: that of human players only where every environment has it", () => {
    // A random player scores -20.7 on Pong, and a human one 14.6.
    const pong = scored("a", "ALE/Pong-v5", [-20.7, 14.6, 49.9]);
    const games = figureOf(pong);
    expect(games.xLabel).toBe("threshold of the human-normalised score");
    expect(games.note).not.toContain("lowest");
    expect(seriesOf(pong)[0].points.at(-1)?.x).toBeCloseTo(2);
    const mixed = [...pong, ...scored("a", "CartPole-v1", [1, 2, 3])];
    const both = figureOf(mixed);
    expect(both.xLabel).toBe("threshold of the normalised score");
    expect(both.note).toContain("0 is the lowest run of each environment, 1 the highest");
    const { points } = seriesOf(mixed)[0];
    expect([points[0].x, points[60].x]).toEqual([0, 1]);
    // The middle run of each environment is halfway: above 0.4 are two runs of three, above 0.6 one.
    expect([points[24].estimate, points[36].estimate]).toEqual([2 / 3, 1 / 3]);
  });

  test("has no interval where an environment has one run, and says so", () => {
    const noteOf = (all: readonly PlottedRun[]) => figureOf(all).note;
    const hasInterval = (all: readonly PlottedRun[]) =>
      seriesOf(all).map(({ points }) => points.some(({ low, high }) => low < high));
    const one = [...scored("a", "X", [1]), ...scored("b", "X", [2])];
    expect(noteOf(one)).toMatch(
      /^One seed on each environment; one run has no interval; 0 is the lowest run/,
    );
    expect(hasInterval(one)).toEqual([false, false]);
    // The second run of b on X would give it a width, though all of its runs on Y are one.
    const some = [
      ...scored("a", "X", [0, 1, 2]),
      ...scored("a", "Y", [0, 1, 2]),
      ...scored("b", "X", [0, 2]),
      ...scored("b", "Y", [1]),
    ];
    expect(noteOf(some)).toMatch(
      /^1 to 3 seeds on each environment, with 95 % stratified bootstrap intervals, which are too narrow for fewer than 10 seeds; a variant with one run on an environment has none; 0 is/,
    );
    expect(hasInterval(some)).toEqual([true, false]);
    expect(seriesOf(some)[1].points.map(({ estimate }) => estimate)).toContain(3 / 4);
    const two = [...scored("a", "X", [1, 2]), ...scored("a", "Y", [1, 2])];
    expect(noteOf(two)).toMatch(
      /^2 seeds on each environment, with 95 % stratified bootstrap intervals, which are too narrow for fewer than 10 seeds; 0 is/,
    );
    // A run without a score does not count.
    expect(noteOf([...one, ...scored("b", "X", [null])])).toMatch(/^One seed on each/);
  });
});

test("softrl plot prints which variants a profile leaves out", async () => {
  const rows = ["a,X,1,1", "a,X,2,2", "a,Y,1,3", "a,Y,2,4", "b,Y,1,9"];
  writeFileSync(join(place, "part.csv"), `variant,environment,seed,meanReturn\n${rows.join("\n")}\n`);
  const plot = ["plot", "part.csv", "--kind", "profile", "--out", "part.svg", "--overwrite"];
  const text = await softrl(plot, place);
  expect(text.stdout).toBe('part.svg: 4 runs; left out, without a score on every environment: "b"\n');
  const json = await softrl([...plot, "--json"], place);
  expect(JSON.parse(json.stdout)).toEqual({ out: "part.svg", runs: 4, leftOut: ["b"] });
});
