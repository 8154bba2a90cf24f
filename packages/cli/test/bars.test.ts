import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { COLOURS, GREY } from "@softrl/web";
import { describe, expect, test } from "vitest";
import { temporaryFolder } from "../../../test/temporary-folder.js";
import { paperFigureSvg } from "../src/figures/paper-figure.js";
import { type PlottedRun, plottedRuns } from "../src/plots/plotted-run.js";
import { runFigure } from "../src/plots/run-figure.js";
import { reportStatistics } from "../src/reports/report-statistics.js";
import { sweepScores } from "../src/sweeps/sweep-summary.js";
import { softrl } from "./command.js";

const place = temporaryFolder("bars");

const options = { kind: "bars", statistic: "mean", width: 85, theme: "light" } as const;
const runsOf = (variants: number, environment = "X", scores: readonly number[] = [1, 2, 4]) =>
  Array.from({ length: variants }, (_, v) =>
    scores.map((score, s): PlottedRun => {
      return { variant: `variant ${v}`, environment, seed: `${s}`, curve: null, score: score + v };
    }),
  ).flat();
const svgOf = (variants: number) => paperFigureSvg(runFigure(runsOf(variants), options));

/** The middles of the bars, and the baselines of their labels. */
function placesIn(svg: string) {
  const numberIn = (element: string, name: string) =>
    Number(new RegExp(` ${name}="([\\d.]+)"`).exec(element)?.[1]);
  const [, chart] = svg.match(/<svg [^>]*>/g) ?? [];
  const bars = [...svg.matchAll(/aria-label="bar"[^>]*>(<rect [^>]*>)/g)];
  const labels = svg.match(/<text [^>]*>(?=variant \d+<)/g) ?? [];
  return {
    bars: bars.map(([, bar]) => numberIn(chart, "y") + numberIn(bar, "y") + numberIn(bar, "height") / 2),
    labels: labels.map((label) => numberIn(label, "y")),
  };
}

describe("bars", () => {
  test.each([1, 2, 5, 14])("of %i variants are level with their labels", (count) => {
    const { bars, labels } = placesIn(svgOf(count));
    expect([bars.length, labels.length]).toEqual([count, count]);
    // A letter of 6 points stands 2 below the middle of its line.
    bars.forEach((middle, i) => {
      expect(Math.abs(labels[i] - 2 - middle)).toBeLessThan(0.05);
    });
  });

  test("share no colour, or all share one", () => {
    const coloursOf = (svg: string) => new Set(svg.match(/fill-opacity="0.45" fill="#[0-9a-f]{6}"/g));
    expect(coloursOf(svgOf(COLOURS.length)).size).toBe(COLOURS.length);
    expect([...coloursOf(svgOf(COLOURS.length + 1))]).toEqual([`fill-opacity="0.45" fill="${GREY}"`]);
  });

  test("show the intervals of the tables of a sweep and of a report", () => {
    const runs = runsOf(1, "E-v0", [3, 1, 4, 1, 5, 9, 2, 6, 5, 3]);
    const [panel] = runFigure(runs, options).panels;
    if (panel.kind !== "bars") throw new Error("no bars");
    const [{ estimate, low, high }] = panel.bars;
    const cells = runs.map(({ variant, environment, seed }) => ({
      variant,
      environment,
      seed: Number(seed),
    }));
    const results = new Map(
      runs.map(({ score, ...run }) => [
        JSON.stringify([run.variant, run.environment, Number(run.seed)]),
        { ...run, seed: Number(run.seed), meanReturn: score ?? 0 } as never,
      ]),
    );
    const [swept] = sweepScores(cells as never, results);
    expect([swept.mean, swept.interval]).toEqual([estimate, { low, high }]);
    const planned = [{ variant: "variant 0", environment: "E-v0", seeds: runs.length }];
    const { environments } = reportStatistics({ runs, planned, published: {} } as never);
    const [reported] = environments[0].variants;
    expect(reported.mean).toEqual({ estimate, interval: { low, high } });
    const iqm = runFigure(runs, { ...options, statistic: "iqm" }).panels[0];
    if (iqm.kind !== "bars") throw new Error("no bars");
    const [bar] = iqm.bars;
    expect(reported.interquartileMean).toEqual({
      estimate: bar.estimate,
      interval: { low: bar.low, high: bar.high },
    });
  });
});

test.each(["minatar", "temperature"])("bars show the intervals of the table of experiments/%s", (name) => {
  const folder = fileURLToPath(new URL(`../../../experiments/${name}`, import.meta.url));
  const table = readFileSync(join(folder, "README.md"), "utf8");
  const digits = (x: number) => String(Number(x.toPrecision(3)));
  const { panels } = runFigure(plottedRuns([folder]), options);
  const cells = panels.flatMap((panel) =>
    panel.kind !== "bars"
      ? []
      : panel.bars.map(
          ({ estimate, low, high, scores }) =>
            `**${digits(estimate)}** [${digits(low)}, ${digits(high)}] (${scores.length} runs)`,
        ),
  );
  expect(cells.length).toBeGreaterThan(10);
  expect(cells.filter((cell) => !table.includes(cell))).toEqual([]);
});

describe("softrl plot", () => {
  const table = "variant,environment,seed,meanReturn\nA,Second,1,1\nA,First,1,2\nB,First,1,2\nB,Second,1,3\n";
  const titles = (svg: string) => svg.match(/(?<=>)(First|Second|Third)(?=<)/g);

  test("has the panels in the order of the definition beside the tables", async () => {
    writeFileSync(join(place, "results.csv"), table);
    const draw = async (...args: readonly string[]) => {
      const plot = ["plot", "results.csv", "--kind", "bars", "--out", "f.svg", "--overwrite", ...args];
      expect((await softrl(plot, place)).code).toBe(0);
      return titles(readFileSync(join(place, "f.svg"), "utf8"));
    };
    expect(await draw()).toEqual(["Second", "First"]);
    const variants = ["A", "B"].map((name) => ({ name, algorithm: "a2c" }));
    const definition = { variants, environments: ["Third", "First", "Second"], seeds: [1] };
    writeFileSync(join(place, "runs.json"), JSON.stringify(definition));
    expect(await draw()).toEqual(["First", "Second"]);
    expect(await draw("--variant", "A")).toEqual(["First", "Second"]);
    writeFileSync(join(place, "runs.json"), "{}");
    expect(await draw()).toEqual(["Second", "First"]);
  });

  test("refuses more lines than it can draw differently", async () => {
    const rows = Array.from({ length: 21 }, (_, i) => [`V${i},X,1,10,1`, `V${i},X,1,20,${i}`]).flat();
    writeFileSync(join(place, "many.csv"), `variant,environment,seed,step,meanReturn\n${rows.join("\n")}\n`);
    const { code, stderr } = await softrl(["plot", "many.csv", "--out", "many.svg"], place);
    expect(stderr).toContain("expected at most 20, got 21; choose some with --variant, or draw --kind bars");
    expect(code).toBe(1);
  });
});
