import { identities, mutants } from "softrl";
import { describe, expect, test } from "vitest";
import { learningCurveSvg } from "../src/figures/chart.js";
import { evaluationLine, ProgressDisplay, progressLine } from "../src/terminal/progress.js";
import { columnsOf, counted, inLines, inShort, table, tableWithNotes } from "../src/terminal/terminal.js";
import { terminalPlot } from "../src/terminal/terminal-plot.js";
import { widest } from "./command.js";

const rising = { name: "A2C", steps: [100, 200, 300, 400], meanReturns: [0, 100, 200, 300] };
const flat = { name: "soft Q-learning", steps: [100, 200, 300, 400], meanReturns: [0, 50, 50, 50] };
const text = { title: "CartPole-v1", subtitle: "seed 1 & <τ>" };

describe("the plot for terminals", () => {
  test("gives each curve its sign and marks where they meet", () => {
    const plot = terminalPlot([rising, flat]);
    const lines = plot.split("\n");
    expect(lines[0]).toMatch(/^300 ┤ +●+$/);
    expect(lines[12]).toMatch(/^ {2}0 ┤ +◉+$/);
    expect(plot).toContain("○");
    expect(plot).toContain("400 steps");
    expect(lines.at(-1)?.trim()).toBe("● A2C   ○ soft Q-learning   ◉ both");
    expect(Math.max(...lines.map((line) => line.length))).toBe(60);
  });

  test("fits the columns of a narrow terminal", () => {
    for (const columns of [60, 40, 24, 20]) {
      const lines = terminalPlot([rising, { ...flat, meanReturns: [-1e6, 0, 50, 50] }], columns).split("\n");
      expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(Math.max(columns, 28));
      expect(lines.join("\n")).toContain("soft Q-learning");
    }
    const stream = (columns: number) => Object.assign(Object.create(process.stdout), { columns });
    expect([40, 200, 0].map((columns) => columnsOf(stream(columns)))).toEqual([40, 60, 60]);
  });

  test("is empty when there is nothing to draw", () => {
    expect(terminalPlot([{ name: "A2C", steps: [], meanReturns: [] }])).toBe("");
  });

  test("takes returns below zero and all alike", () => {
    expect(terminalPlot([{ name: "x", steps: [5], meanReturns: [-21] }])).toContain("-21.0".slice(0, 3));
    expect(terminalPlot([{ name: "x", steps: [5, 9], meanReturns: [0, 0] }])).toContain("●");
  });
});

describe("the chart", () => {
  const svg = learningCurveSvg([rising, flat], text);

  test("is one SVG with axes, title and a legend", () => {
    expect(svg).toMatch(/^<svg [^>]*xmlns="http:\/\/www.w3.org\/2000\/svg"/);
    expect(svg.match(/<svg/g)).toHaveLength(1);
    for (const words of [
      "environment steps",
      "mean return of the last 100 training episodes",
      "CartPole-v1",
      "A2C",
      "soft Q-learning",
    ]) {
      expect(svg).toContain(words);
    }
    expect(svg).toContain("seed 1 &amp; &lt;τ&gt;");
    expect(svg).not.toMatch(/NaN|undefined/);
  });

  test("has the same bytes twice", () => {
    expect(learningCurveSvg([rising, flat], text)).toBe(svg);
  });

  test("stands without a single point", () => {
    const empty = learningCurveSvg([{ name: "A2C", steps: [], meanReturns: [] }], text);
    expect(empty).toContain("A2C");
    expect(empty).not.toMatch(/NaN|undefined/);
  });
});

describe("progress", () => {
  const run = {
    algorithm: "a2c",
    step: 165_000,
    steps: 500_000,
    episodes: 900,
    meanReturn: 212.42,
    stepsPerSecond: 48_000,
  };
  const line = " 33 %  165 000 / 500 000 steps  a2c 212  48 000 steps/s";

  function display(isTTY: boolean) {
    let written = "";
    let seconds = 0;
    const stream = Object.assign(Object.create(process.stderr), {
      isTTY,
      columns: 100,
      write: (chunk: string) => {
        written += chunk;
        return true;
      },
    });
    const progress = new ProgressDisplay(stream, () => seconds);
    return { progress, wait: (time: number) => (seconds += time), written: () => written };
  }

  test("says how far, how good, how fast", () => {
    expect(progressLine([run], false)).toBe(line);
    expect(progressLine([run], true)).toBe(`▕${"█".repeat(7)}${" ".repeat(17)}▏   33 %${line.slice(5)}`);
    const other = { ...run, algorithm: "soft-q", meanReturn: null, stepsPerSecond: 16_000 };
    expect(progressLine([run, other], false)).toContain("a2c 212  soft-q –  24 000 steps/s");
  });

  test("says how far an evaluation is", () => {
    const progress = { played: 33, episodes: 100, meanReturn: 0.7, steps: 4096, stepsPerSecond: 48_000 };
    const line = " 33 %  33 / 100 episodes  mean return 0.700  48 000 steps/s";
    expect(evaluationLine(progress, false)).toBe(line);
    expect(evaluationLine({ ...progress, played: 0, meanReturn: null }, true)).toBe(
      `▕${" ".repeat(24)}▏    0 %  0 / 100 episodes  mean return –  48 000 steps/s`,
    );
    const { progress: shown, wait, written } = display(false);
    wait(5);
    shown.showEvaluation(progress);
    expect(written()).toBe(`${line}\n`);
  });

  test("is redrawn on a terminal", () => {
    const { progress, written } = display(true);
    progress.show([run]);
    progress.show([run]);
    progress.end();
    expect(written().split("\r").length).toBe(3);
    expect(written().endsWith("\n")).toBe(true);
  });

  test("is a plain line now and then elsewhere", () => {
    const { progress, wait, written } = display(false);
    progress.show([run]);
    wait(5);
    progress.show([run]);
    progress.show([run]);
    progress.end();
    expect(written()).toBe(`${line}\n`);
  });
});

test("numbers have three significant digits, or all those before the point", () => {
  const numbers = [
    0.697_12, 36.77, 494.9, -83.44, 0, -0, 1, 9.996, 200, 999.7, 1234.5, -12_345.6, 0.000_123_4,
  ];
  expect(numbers.map(inShort)).toEqual(
    "0.697 36.8 495 -83.4 0 0 1.00 10.0 200 1000 1235 -12346 0.000123".split(" "),
  );
  expect(inShort(null)).toBe("–");
});

test("counts have groups of three, tables have columns", () => {
  expect([0, 999, 1000, 1234567].map(counted)).toEqual(["0", "999", "1 000", "1 234 567"]);
  expect(
    table(
      ["", "n"],
      [
        ["ab", "1"],
        ["c", "10"],
      ],
    ),
  ).toBe("     n\nab   1\nc   10");
  expect(
    table(
      ["", ""],
      [
        ["π̄", "is"],
        ["τ", "is"],
      ],
    ),
  ).toBe("\nπ̄  is\nτ  is");
});

test("notes below the rows of a table keep within its columns", () => {
  const rows = [
    ["a", "1"],
    ["b", "10"],
  ];
  const notes = ["what it is", "one two three four", "π̄ five"];
  expect(tableWithNotes(["", "n"], rows, notes, 12)).toBe(
    "    n\n  what it is\na   1\n  one two\n  three four\nb  10\n  π̄ five",
  );
  const checks = identities.map(({ identity }) => identity);
  const checked = checks.map(() => ["holds", "1.0e-15", "1e-12", "50", "(§3.2–3.3)"]);
  const header = ["", "residual", "bound", "seeds", "paper"];
  expect(widest(tableWithNotes(header, checked, ["identity", ...checks], 60))).toBeLessThanOrEqual(60);
  const mistakes = mutants.map(({ mutant }) => ["caught", "1.0e-15", "1e-12", mutant]);
  expect(
    widest(
      tableWithNotes(["", "residual", "bound", "mistake"], mistakes, ["", ...mistakes.map(() => "")], 60),
    ),
  ).toBeLessThanOrEqual(60);
  expect(inLines(["aaa", "bb", "c", "dddddd"], ", ", 5)).toEqual(["aaa", "bb, c", "dddddd"]);
});

test("no label of the terminal plot is minus zero", () => {
  const plot = terminalPlot([{ name: "A2C", steps: [400], meanReturns: [22.3] }]);
  expect(plot).toMatch(/^ +0 ┤/m);
  expect(plot).not.toContain("-0");
});
