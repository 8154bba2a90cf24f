import { expect, test } from "vitest";
import { learningCurveSvg } from "../src/figures/chart.js";
import { figureSvg } from "../src/figures/figure.js";
import { terminalPlot } from "../src/terminal/terminal-plot.js";

// More numbers than a call takes as arguments: about 120,000 in the command, 400,000 in a test's thread.
const points = 600_000;
const curve = {
  name: "A2C",
  steps: Array.from({ length: points }, (_, i) => 5 * (i + 1)),
  meanReturns: Array.from({ length: points }, (_, i) => Math.sqrt(i)),
};
const text = { title: "CartPole-v1", subtitle: "seed 1" };

test("a chart shows a curve of 600,000 points", () => {
  const svg = learningCurveSvg([curve], text);
  expect([svg.includes("3M"), /NaN|undefined/.test(svg)]).toEqual([true, false]);
});

test("a figure with logarithmic axes shows 600,000 points", () => {
  const svg = figureSvg({
    ...text,
    x: { label: "step", scale: "log" },
    y: { label: "error", scale: "log" },
    series: [{ name: "regret", kind: "line", points: curve.steps.map((step) => [step, 1 / step]) }],
  });
  expect([svg.includes("10⁻⁶"), /NaN|undefined/.test(svg)]).toEqual([true, false]);
});

test("a terminal plot shows a curve of 600,000 points", () => {
  const lines = terminalPlot([curve]).split("\n");
  expect(lines[0]).toMatch(/^775 ┤ +●+$/);
  expect(lines.join("\n")).toContain("3 000 000 steps");
});
