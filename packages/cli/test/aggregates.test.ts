import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { temporaryFolder } from "../../../test/temporary-folder.js";
import { paperFigureSvg } from "../src/figures/paper-figure.js";
import type { PlottedRun } from "../src/plots/plotted-run.js";
import { runFigure } from "../src/plots/run-figure.js";
import { reportStatistics } from "../src/reports/report-statistics.js";
import { softrl } from "./command.js";

const place = temporaryFolder("aggregates");

const scored = (variant: string, environment: string, scores: readonly number[]) =>
  scores.map((score, i): PlottedRun => ({ variant, environment, seed: `${i}`, curve: null, score }));
const figureOf = (runs: readonly PlottedRun[]) =>
  runFigure(runs, { kind: "aggregates", statistic: "mean", width: 85, theme: "light" });

/** Of `low`, every environment's lowest run is 0; of `high`, every one's highest is 10. */
const runs = [
  ...scored("low", "X", [0, 2]),
  ...scored("low", "Y", [0, 8]),
  ...scored("low", "Z", [0, 4]),
  ...scored("high", "X", [10, 6]),
  ...scored("high", "Y", [10, 10]),
  ...scored("high", "Z", [10, 5]),
];

describe("aggregates over all environments", () => {
  test("are the median, the IQM, the mean and the optimality gap of normalised scores", () => {
    const { panels, names, xLabel } = figureOf(runs);
    expect([names, xLabel]).toEqual([["low", "high"], "normalised score"]);
    expect(panels.map(({ title }) => title)).toEqual(["median", "IQM", "mean", "optimality gap"]);
    const estimates = panels.map((panel) =>
      panel.kind === "bars" ? panel.bars.map(({ estimate }) => estimate) : [],
    );
    // Of low, the means by environment are 0.1, 0.4 and 0.2, and the runs 0, 0, 0, 0.2, 0.4, 0.8, of which the IQM
    // drops one at each end. Of high, they are 0.8, 1 and 0.75, and 0.5, 0.6, 1, 1, 1, 1.
    const byHand = [
      [0.2, 0.8],
      [0.6 / 4, 3.6 / 4],
      [0.7 / 3, 2.55 / 3],
      [1 - 1.4 / 6, 1 - 5.1 / 6],
    ];
    estimates.forEach((row, i) => {
      row.forEach((estimate, j) => {
        expect(estimate, panels[i].title).toBeCloseTo(byHand[i][j], 12);
      });
    });
  });

  test("have stratified bootstrap intervals: those of a report's overall scores", () => {
    const groups = [...new Set(runs.map(({ variant, environment }) => `${variant} ${environment}`))];
    const planned = groups.map((group) => {
      const [variant, environment] = group.split(" ");
      return { variant, environment, seeds: 2 };
    });
    const { overall } = reportStatistics({ runs, planned, published: {} } as never);
    const [, iqm, mean, gap] = figureOf(runs).panels.map((panel) =>
      panel.kind === "bars" ? panel.bars : [],
    );
    overall.forEach(({ mean: ofMean, interquartileMean }, i) => {
      for (const [found, bar] of [
        [ofMean, mean[i]],
        [interquartileMean, iqm[i]],
      ] as const) {
        expect(found).toEqual({ estimate: bar.estimate, interval: { low: bar.low, high: bar.high } });
      }
      // No score is above 1: the gap is what the mean lacks.
      expect([gap[i].low, gap[i].high].map((x) => 1 - x)).toEqual([
        expect.closeTo(mean[i].high, 12),
        expect.closeTo(mean[i].low, 12),
      ]);
    });
    // Each task of high is resampled on its own: none of its means is below 0.6, 1 and 0.5.
    expect(mean[1].low).toBeGreaterThanOrEqual(0.7);
  });

  test("are drawn with a row for each variant, and a note", () => {
    const figure = figureOf(runs);
    expect(figure.note).toMatch(/^2 seeds on each environment, with .*; a smaller gap is better$/);
    const svg = paperFigureSvg(figure);
    for (const text of ["low", "high", "optimality gap"]) expect(svg).toContain(`>${text}</text>`);
    expect(svg).not.toMatch(/NaN|undefined/);
  });

  test("leave out variants without a score on every environment", async () => {
    const rows = ["a,X,1,1", "a,X,2,2", "a,Y,1,3", "a,Y,2,4", "b,Y,1,9"];
    writeFileSync(join(place, "part.csv"), `variant,environment,seed,meanReturn\n${rows.join("\n")}\n`);
    const run = await softrl(["plot", "part.csv", "--kind", "aggregates", "--json"], place);
    expect(JSON.parse(run.stdout)).toEqual({ out: "figure.svg", runs: 4, leftOut: ["b"] });
  });
});
