import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { meanInterval, RandomStreams } from "softrl";
import { describe, expect, test } from "vitest";
import { temporaryFolder } from "../../../test/temporary-folder.js";
import { type PaperFigure, paperFigureSvg } from "../src/figures/paper-figure.js";
import { textWidth } from "../src/figures/text-width.js";
import { parseCsv, readCsv } from "../src/files/csv-file.js";
import { curveAcrossSeeds, interpolated, scoreInterval } from "../src/plots/across-seeds.js";
import { plotKinds } from "../src/plots/plot-kind.js";
import { ofVariants, type PlottedRun, plottedRuns } from "../src/plots/plotted-run.js";
import { runFigure } from "../src/plots/run-figure.js";
import { expectRefusal, softrl } from "./command.js";

const place = temporaryFolder("plot");

const random = () => new RandomStreams(7).stream("test");

test("a thousand runs are named in linear time", () => {
  const paths = Array.from({ length: 1000 }, (_, seed) => {
    const folder = join(place, "many", String(seed));
    mkdirSync(folder, { recursive: true });
    const algorithm = { name: "a2c", tau: seed % 2, gamma: 0.9 };
    const config = { run: { seed, steps: 100 }, environment: { id: `Env-v${seed % 3}` }, algorithm };
    writeFileSync(join(folder, "events.jsonl"), `${JSON.stringify({ event: "started", config })}\n`);
    return folder;
  });
  const { user } = process.cpuUsage();
  const variants = new Set(plottedRuns(paths).map(({ variant }) => variant));
  expect(variants).toEqual(new Set(["A2C, tau 0", "A2C, tau 1"]));
  expect(process.cpuUsage().user - user).toBeLessThan(5e6);
});

describe("a curve across seeds", () => {
  test("is the mean at each step, with the bootstrap's interval", () => {
    const curves = [1, 2, 6].map((factor) => ({ steps: [10, 20], meanReturns: [factor, 10 * factor] }));
    const [first, second] = curveAcrossSeeds(curves, "mean", random());
    expect([first.x, first.estimate, second.x, second.estimate]).toEqual([10, 3, 20, 30]);
    const { low, high } = meanInterval([1, 2, 6], { random: random(), resamples: 2000 });
    expect([first.low, first.high]).toEqual([low, high]);
    // The mean of three draws lies between the smallest and the largest.
    expect(low).toBeGreaterThanOrEqual(1);
    expect(high).toBeLessThanOrEqual(6);
    expect(high).toBeGreaterThan(3);
  });

  test("interpolates between points, and shows only steps that every run reached", () => {
    const curve = { steps: [0, 10, 30], meanReturns: [0, 5, 25] };
    expect([0, 4, 10, 20, 30].map((step) => interpolated(curve, step))).toEqual([0, 2, 5, 15, 25]);
    const short = { steps: [5, 20], meanReturns: [1, 1] };
    const points = curveAcrossSeeds([curve, short], "mean", random());
    expect(points.map(({ x, estimate }) => [x, estimate])).toEqual([
      [5, 1.75],
      [10, 3],
      [20, 8],
    ]);
  });

  test("of many points shows a hundred, with both ends", () => {
    const steps = Array.from({ length: 1001 }, (_, i) => i);
    const points = curveAcrossSeeds([{ steps, meanReturns: steps }], "mean", random());
    expect(points).toHaveLength(100);
    expect([points[0].x, points[99].x]).toEqual([0, 1000]);
    // One seed has no interval.
    expect(points.every(({ x, estimate, low, high }) => x === estimate && low === x && high === x)).toBe(
      true,
    );
  });

  test("by the interquartile mean leaves out the outer quarters", () => {
    expect(scoreInterval([0, 2, 4, 100], "iqm", random()).estimate).toBe(3);
    expect(scoreInterval([0, 2, 4, 100], "mean", random()).estimate).toBe(26.5);
  });
});

test("variants are chosen by name, in the order of the names", () => {
  const runs = ["a", "b", "c"].map(
    (variant): PlottedRun => ({ variant, environment: "E", seed: "1", curve: null, score: 1 }),
  );
  const chosen = (...names: string[]) => ofVariants(runs, names).map(({ variant }) => variant);
  expect(chosen("c", "a", "c")).toEqual(["c", "a"]);
  expect(() => chosen("d")).toThrow(
    '--variant: the runs have no such variant, expected "a", "b", "c", got "d"',
  );
});

describe("runs to plot", () => {
  const started = (seed: number, settings: object) => ({
    event: "started",
    config: {
      run: { seed, logEvery: seed },
      environment: { id: "CartPole-v1" },
      algorithm: { name: "a2c", ...settings },
    },
  });
  const update = (step: number, meanReturn: number | null) => ({
    event: "update",
    step,
    meanReturn,
    figures: {},
  });
  function write(folder: string, events: readonly object[]): void {
    mkdirSync(join(place, folder), { recursive: true });
    writeFileSync(
      join(place, folder, "events.jsonl"),
      events.map((event) => `${JSON.stringify(event)}\n`).join(""),
    );
  }

  test("of two folders of train --seeds are told apart by their settings, not by their tables", () => {
    for (const [name, tau] of [
      ["seeds-a", 0.1],
      ["seeds-b", 0.2],
    ] as const) {
      write(`${name}/seed-1`, [started(1, { tau }), update(20, 5)]);
      writeFileSync(
        join(place, name, "results.csv"),
        "variant,environment,seed,meanReturn\nA2C,CartPole-v1,1,5\n",
      );
    }
    const runs = plottedRuns([join(place, "seeds-a"), join(place, "seeds-b")]);
    expect(runs.map(({ variant }) => variant)).toEqual(["A2C, tau 0.1", "A2C, tau 0.2"]);
  });

  test("of folders are named for the settings in which they differ, but for their seeds", () => {
    write("runs/a", [started(1, { tau: 0.1, gamma: 0.9 }), update(10, null), update(20, 5)]);
    write("runs/b", [started(2, { tau: 0.1, gamma: 0.9 }), update(20, 6), update(30, 7)]);
    write("runs/c", [started(1, { tau: 0.2, gamma: 0.9 })]);
    expect(plottedRuns([join(place, "runs")])).toEqual([
      {
        variant: "A2C, tau 0.1",
        environment: "CartPole-v1",
        seed: "1",
        curve: { steps: [20], meanReturns: [5] },
        score: 5,
      },
      {
        variant: "A2C, tau 0.1",
        environment: "CartPole-v1",
        seed: "2",
        curve: { steps: [20, 30], meanReturns: [6, 7] },
        score: 7,
      },
      {
        variant: "A2C, tau 0.2",
        environment: "CartPole-v1",
        seed: "1",
        curve: { steps: [], meanReturns: [] },
        score: null,
      },
    ]);
    const same = plottedRuns(["a", "b"].map((name) => join(place, "runs", name)));
    expect(same.map(({ variant }) => variant)).toEqual(["A2C", "A2C"]);
  });

  test("of folders have finite returns: others are refused, where JSON reads a number as infinite", () => {
    write("infinite", [started(1, {}), update(10, 5), update(20, 6)]);
    const events = join(place, "infinite/events.jsonl");
    const text = readFileSync(events, "utf8");
    writeFileSync(events, text.replace('"meanReturn":6', '"meanReturn":1e999'));
    expect(() => plottedRuns([join(place, "infinite")])).toThrow(
      `${events}: the mean return at step 20 is not finite, expected a finite number, got Infinity; restore the file`,
    );
    writeFileSync(events, text.replace('"meanReturn":6', '"meanReturn":1e307'));
    expect(() => plottedRuns([join(place, "infinite")])).toThrow(
      "the mean return at step 20 is too large or too small to be drawn, expected 0, or a number",
    );
  });

  test("of an experiment come from both of its tables", () => {
    mkdirSync(join(place, "experiment"));
    const results = 'variant,environment,seed,meanReturn\n"A2C, naive",X,1,9\nsoft,X,1,8\n';
    const curves =
      'variant,environment,seed,step,meanReturn\n"A2C, naive",X,1,100,1\n"A2C, naive",X,1,200,2\n';
    writeFileSync(join(place, "experiment/results.csv"), results);
    writeFileSync(join(place, "experiment/curves.csv"), curves);
    const naive = { variant: "A2C, naive", environment: "X", seed: "1" };
    const curve = { steps: [100, 200], meanReturns: [1, 2] };
    expect(plottedRuns([join(place, "experiment")])).toEqual([
      { ...naive, curve, score: 9 },
      { variant: "soft", environment: "X", seed: "1", curve: null, score: 8 },
    ]);
    expect(plottedRuns([join(place, "experiment/curves.csv")])).toEqual([{ ...naive, curve, score: 2 }]);
    // Each table of it by its name gives the same runs.
    const both = ["results.csv", "curves.csv", "curves.csv"].map((name) => join(place, "experiment", name));
    expect(plottedRuns(both)).toEqual(plottedRuns([join(place, "experiment")]));
    writeFileSync(join(place, "odd.csv"), "variant,environment,seed,meanReturn\nA,X,1,many\n");
    expect(() => plottedRuns([join(place, "odd.csv")])).toThrow(
      /odd.csv: row 1: meanReturn is not valid, expected a number, got "many"; restore the row, or remove it/,
    );
    writeFileSync(join(place, "other.csv"), "x,y\n1,2\n");
    expect(() => plottedRuns([join(place, "other.csv")])).toThrow(
      /there is no column variant, expected a table/,
    );
  });
});

describe("runs of the same variant and seed are not two seeds", () => {
  const event = (tau: number) => {
    const config = { run: { seed: 1 }, environment: { id: "E-v0" }, algorithm: { name: "a2c", tau } };
    return `${JSON.stringify({ event: "started", config })}\n`;
  };
  const refused = /A(2C)? on E-v0 with seed 1 appears twice, .*got .*; leave one of them out/;

  test("in run folders, which are named", () => {
    const folders = ["first", "second"].map((name) => join(place, "same", name));
    for (const folder of folders) {
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, "events.jsonl"), event(0.1));
    }
    expect(() => plottedRuns([join(place, "same")])).toThrow(refused);
    expect(() => plottedRuns(folders)).toThrow(`got ${folders.join(" and ")};`);
    writeFileSync(join(folders[1], "events.jsonl"), event(0.2));
    expect(plottedRuns(folders)).toHaveLength(2);
  });

  test.each([
    ["two scores", "variant,environment,seed,meanReturn\nA,E-v0,1,9\nA,E-v0,1,8\n"],
    ["two points at a step", "variant,environment,seed,step,meanReturn\nA,E-v0,1,10,9\nA,E-v0,1,10,8\n"],
  ])("in a table with %s", (_, text) => {
    writeFileSync(join(place, "twice.csv"), text);
    expect(() => plottedRuns([join(place, "twice.csv")])).toThrow(/two different rows for the same run/);
    // The same table twice is one.
    const once = text.split("\n").slice(0, 2).join("\n");
    writeFileSync(join(place, "twice.csv"), `${once}\n`);
    expect(plottedRuns([join(place, "twice.csv"), join(place, "twice.csv")])).toHaveLength(1);
    writeFileSync(join(place, "again.csv"), `${once}\n`);
    expect(() => plottedRuns([join(place, "twice.csv"), join(place, "again.csv")])).toThrow(refused);
  });
});

test("runs stand in the order of the numbers in their folders' names", () => {
  for (const horizon of [10, 2]) {
    const folder = join(place, "horizons", `${horizon} steps`);
    mkdirSync(folder, { recursive: true });
    const config = { run: { seed: 1 }, environment: { id: "E-v0" }, algorithm: { name: "a2c", horizon } };
    writeFileSync(join(folder, "events.jsonl"), `${JSON.stringify({ event: "started", config })}\n`);
  }
  const names = plottedRuns([join(place, "horizons")]).map(({ variant }) => variant);
  expect(names).toEqual(["A2C, horizon 2", "A2C, horizon 10"]);
});

test("CSV is read with quotes, both kinds of line break, and an empty last cell", () => {
  writeFileSync(join(place, "cells.csv"), '\uFEFFa,b\r\n"x, ""y""\nz",\r\n1,2\n');
  expect(readCsv(join(place, "cells.csv")).rows).toEqual([
    { a: 'x, "y"\nz', b: "" },
    { a: "1", b: "2" },
  ]);
  writeFileSync(join(place, "ragged.csv"), "a,b\n1\n");
  expect(() => readCsv(join(place, "ragged.csv"))).toThrow(
    /row 1 has another number of cells than the header/,
  );
});

test.each([
  ['A,Cart"Pole-v1\n', /row 2: a quote or a carriage return is inside a cell, expected quotes around/],
  ['A,"Cart"Pole-v1\n', /row 2: a quote or a carriage return is inside a cell/],
  ["A,B\rC,D\n", /row 2: a quote or a carriage return/],
  ['A,"Cart\n', /row 2: a quote is not closed/],
])("CSV with %j is refused with its row", (line, message) => {
  expect(() => parseCsv("t.csv", `a,b\n1,2\n${line}`)).toThrow(message);
});

test("CSV with a quote that 12 MB do not close is refused, and two columns of one name", () => {
  expect(() => parseCsv("t.csv", `a,b\n"1,2\n${"A,B\n".repeat(3e6)}`)).toThrow(
    /row 1: a quote is not closed/,
  );
  expect(() => parseCsv("t.csv", `a,b\n${'1,"""'.repeat(2e6)}\n`)).toThrow(/row 1: /);
  expect(() => parseCsv("t.csv", "a,b,a\n")).toThrow(/two columns have the same name, got "a"/);
});

describe("a table with", () => {
  const lines = ["variant,environment,seed,step,meanReturn", "A,X,1,10,1", "A,X,1,20,21.0109"];
  const path = () => join(place, "damaged.csv");
  const plotted = (text: string) => {
    const warnings: string[] = [];
    writeFileSync(path(), text);
    const [{ curve }] = plottedRuns([path()], (line) => void warnings.push(line));
    return { curve, warnings };
  };

  test("a last line without its line break is drawn without it, and a warning says so", () => {
    const cut = `${lines.join("\n")}\n`.slice(0, -6);
    expect(plotted(cut)).toEqual({
      curve: { steps: [10], meanReturns: [1] },
      warnings: [expect.stringMatching(/damaged\.csv: the last line is left out: it has no line break/)],
    });
  });

  test.each(["1e307", "-1.7e308", "5e-324", "-1e-101"])("a return of %s is refused", (text) => {
    expect(() => plotted(`${lines[0]}\nA,X,1,10,${text}\n`)).toThrow(
      /row 1: meanReturn is not valid, expected 0, or a number of a size between 1e-100 and 1e100, got/,
    );
  });

  test.each([["0"], ["1e100"], ["-1e100", "1e-100"], ["1e-100", "2e-100"]])(
    "returns of %s are drawn",
    (...texts) => {
      const rows = ["10", "20"].flatMap((step) => texts.map((text, i) => `A,X,${i},${step},${text}\n`));
      writeFileSync(path(), `${lines[0]}\n${rows.join("")}`);
      for (const kind of plotKinds) {
        const svg = paperFigureSvg(
          runFigure(plottedRuns([path()]), { kind, statistic: "mean", width: 85, theme: "light" }),
        );
        expect(svg).not.toMatch(/NaN|Infinity/);
      }
    },
  );

  test("a row twice counts it once; two different ones are refused", () => {
    const curve = { steps: [10, 20], meanReturns: [1, 21.0109] };
    expect(plotted(`${[...lines, lines[2], lines[1]].join("\n")}\n`)).toEqual({ curve, warnings: [] });
    expect(() => plotted(`${[...lines, "A,X,1,20,3"].join("\n")}\n`)).toThrow(
      /damaged\.csv: row 3: the table has two different rows for the same run, .*row 2; remove the wrong one/,
    );
  });
});

describe("a figure of runs", () => {
  const runs = ["X", "Y"].flatMap((environment) =>
    ["one", "two"].flatMap((variant, v) =>
      ["1", "2", "3"].map((seed, s): PlottedRun => {
        const curve = { steps: [100, 200], meanReturns: [s, 10 * (s + v)] };
        return { variant, environment, seed, curve, score: 10 * (s + v) };
      }),
    ),
  );
  const options = { statistic: "mean", width: 85, theme: "light" } as const;

  test("has a panel for each environment, a line for each variant, and tells its seeds", () => {
    const figure = runFigure(runs, { ...options, kind: "curves" });
    expect(figure.names).toEqual(["one", "two"]);
    expect(figure.panels.map(({ title }) => title)).toEqual(["X", "Y"]);
    expect(figure.note).toMatch(/^Mean of 3 seeds with 95 % bootstrap intervals/);
    const [panel] = figure.panels;
    if (panel.kind !== "lines") throw new Error("no lines");
    expect(panel.series.map(({ points }) => points.map(({ x, estimate }) => [x, estimate]))).toEqual([
      [
        [100, 1],
        [200, 10],
      ],
      [
        [100, 1],
        [200, 20],
      ],
    ]);
    expect(runFigure(runs.slice(1), { ...options, kind: "curves" }).note).toMatch(
      /^Mean of 2 to 3 seeds with 95 % bootstrap intervals, which are too narrow for fewer than 10 seeds; returns/,
    );
    const alone = runs.filter(({ seed }) => seed === "1");
    expect(runFigure(alone, { ...options, kind: "curves" }).note).toMatch(/^One seed/);
    const oneAndMore = runs.filter(({ seed, variant }) => seed === "1" || variant === "two");
    for (const kind of ["curves", "bars"] as const) {
      expect(runFigure(oneAndMore, { ...options, kind }).note).toMatch(
        /^Mean of 1 to 3 seeds with .*; a variant with one run on an environment has none; /,
      );
    }
    const many = Array.from({ length: 10 }, (_, i) => ({ ...runs[0], seed: String(i), score: i }));
    expect(runFigure(many, { ...options, kind: "bars" }).note).toBe(
      "Mean of 10 seeds with 95 % bootstrap intervals; dots are runs",
    );
  });

  test("of runs without curves is refused", () => {
    const scores = runs.map((run) => ({ ...run, curve: null }));
    expect(() => runFigure(scores, { ...options, kind: "curves" })).toThrow(/none of the runs has a curve/);
  });

  test("of curves without a common step is refused", () => {
    const early = { ...runs[0], curve: { steps: [1, 2], meanReturns: [0, 0] } };
    expect(() => runFigure([early, runs[1]], { ...options, kind: "curves" })).toThrow(
      /the curves of one on X have no steps in common/,
    );
  });

  const svgOf = (changes: Partial<PaperFigure>, kind: "curves" | "bars" | "profile" = "curves") =>
    paperFigureSvg({ ...runFigure(runs, { ...options, kind }), ...changes });

  test.each(["curves", "bars", "profile"] as const)(
    "as %s has the width of its page, and the same bytes again",
    (kind) => {
      const svg = svgOf({}, kind);
      expect(svg).toMatch(/^<svg [^>]*width="85mm"/);
      expect(svgOf({}, kind)).toBe(svg);
      for (const name of ["one", "two"]) expect(svg).toContain(`>${name}</text>`);
      expect(svg).not.toContain("NaN");
      expect(svg).not.toContain("undefined");
    },
  );

  test("has its colours, their twins on dark paper, or both", () => {
    expect(svgOf({})).toContain('fill="#ffffff"');
    expect(svgOf({ theme: "dark" })).toContain('fill="#0d1117"');
    expect(svgOf({ theme: "dark" })).not.toContain("#ffffff");
    expect(svgOf({ theme: "auto" })).toContain("prefers-color-scheme:dark");
    expect(svgOf({ theme: "light" })).not.toContain("prefers-color-scheme");
  });

  test("wraps names in its legend that are wider than the figure, and cuts words that are", () => {
    const long = `A2C with ${"an option and ".repeat(6)}x`;
    const named = runs.map((run) => ({ ...run, variant: run.variant === "one" ? long : "W".repeat(90) }));
    const svg = paperFigureSvg(runFigure(named, { ...options, kind: "curves" }));
    const texts = [...svg.matchAll(/>([^<>]*(?:option|WWW)[^<>]*)</g)].map(([, text]) => text);
    expect(texts.length).toBeGreaterThan(2);
    for (const text of texts) expect(textWidth(text, 7)).toBeLessThan(options.width * (72 / 25.4) - 24);
    expect(texts.at(-1)).toMatch(/^W+…$/);
    expect(texts.slice(0, -1).join(" ")).toBe(long);
  });

  test("forces no zero into the axis of returns", () => {
    const far = runs.map((run) => ({
      ...run,
      curve: { steps: [1, 2], meanReturns: [500, 501] },
      score: 500,
    }));
    const svg = paperFigureSvg(runFigure(far, { ...options, kind: "curves" }));
    expect(svg).toMatch(/>500\.\d+<\/text>/);
    expect(svg).not.toContain(">100</text>");
  });
});

describe("softrl plot", () => {
  const table = "variant,environment,seed,step,meanReturn\nA,X,1,10,1\nA,X,1,20,2\nA,X,2,10,2\nA,X,2,20,4\n";

  test("writes a figure as SVG or PNG, and replaces none unless it is told to", async () => {
    writeFileSync(join(place, "curves.csv"), table);
    const run = await softrl(["plot", "curves.csv", "--json"], place);
    expect(JSON.parse(run.stdout)).toEqual({ out: "figure.svg", runs: 2 });
    expect(readFileSync(join(place, "figure.svg"), "utf8")).toMatch(/^<svg .*<\/svg>\n$/s);
    const again = await softrl(["plot", "curves.csv"], place);
    expectRefusal(again, 1, /--out: figure.svg already exists; choose another name, or pass --overwrite/);
    expect((await softrl(["plot", "curves.csv", "--out", "f.png", "--dpi", "254"], place)).code).toBe(0);
    const png = readFileSync(join(place, "f.png"));
    expect(png.subarray(0, 4).toString("latin1")).toBe("\x89PNG");
    // 85 mm at 254 pixels per inch of 25.4 mm.
    expect(png.readUInt32BE(16)).toBe(850);
  });

  test.each([
    [["--kind", "pie"], /--kind: invalid value, expected curves, bars, profile, aggregates, got "pie"/],
    [["--width", "3"], /--width: invalid value, expected millimetres in \[60, 600\], got "3"/],
    [["--out", "f.gif"], /--out: f.gif cannot be written, expected a file that ends in .svg, .png or .pdf/],
    [["--out", "g.svg", "--dpi", "72"], /--dpi: only a PNG has pixels/],
    [["--out", "g.png", "--theme", "auto"], /--theme: a PNG has one theme, expected light or dark/],
  ])("refuses %j", async (args, message) => {
    writeFileSync(join(place, "curves.csv"), table);
    expectRefusal(await softrl(["plot", "curves.csv", ...args], place), 1, message);
  });
});
