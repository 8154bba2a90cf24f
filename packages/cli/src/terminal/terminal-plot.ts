import { largest, smallest } from "softrl";
import type { NamedCurve } from "../figures/curve.js";
import { counted, inLines, MOST_COLUMNS } from "./terminal.js";

const HEIGHT = 13;
const SIGNS = ["●", "○", "×", "+"];
const SEVERAL = "◉";

/**
 * Curves drawn with characters, readable without colour: each has its own sign, and ◉ is where several meet.
 * Empty when no curve has a point.
 * @param columns no line is longer
 */
export function terminalPlot(curves: readonly NamedCurve[], columns: number = MOST_COLUMNS): string {
  const returns = curves.flatMap((curve) => curve.meanReturns);
  const lastStep = Math.max(0, largest(curves.flatMap((curve) => curve.steps)));
  if (returns.length === 0 || lastStep === 0) return "";
  const low = Math.min(0, smallest(returns));
  const high = Math.max(largest(returns), low + 1);
  const label = (row: number) => {
    const value = high - ((high - low) * row) / (HEIGHT - 1);
    // Rounding may leave a zero a hair below itself.
    return row % 4 === 0 ? value.toFixed(high - low < 10 ? 2 : 0).replace(/^-(0\.?0*)$/, "$1") : "";
  };
  const labels = Array.from({ length: HEIGHT }, (_, row) => label(row));
  const margin = Math.max(...labels.map((text) => text.length));
  const width = Math.max(1, columns - margin - 2);
  const grid = labels.map(() => Array.from({ length: width }, () => " "));
  curves.forEach((curve, index) => {
    const sign = SIGNS[index % SIGNS.length];
    for (let column = 0; column < width; column++) {
      const value = valueAt(curve, ((column + 1) / width) * lastStep);
      if (value === null) continue;
      const row = HEIGHT - 1 - Math.round(((value - low) / (high - low)) * (HEIGHT - 1));
      grid[row][column] = grid[row][column] === " " ? sign : SEVERAL;
    }
  });
  const lines = grid.map((cells, row) =>
    `${labels[row].padStart(margin)} ${labels[row] === "" ? "│" : "┤"}${cells.join("")}`.trimEnd(),
  );
  const indent = " ".repeat(margin + 1);
  const right = `${counted(lastStep)} steps`;
  const entries = curves.map((curve, index) => `${SIGNS[index % SIGNS.length]} ${curve.name}`);
  if (curves.length > 1) entries.push(`${SEVERAL} ${curves.length === 2 ? "both" : "several"}`);
  const legend = inLines(entries, "   ", columns - margin - 2);
  return [
    ...lines,
    `${indent}└${"─".repeat(width)}`,
    `${indent} 0${right.padStart(width - 1)}`,
    ...legend.map((line) => `${indent} ${line}`),
  ].join("\n");
}

/** The newest value at or before a step; null before the first. */
function valueAt(curve: NamedCurve, step: number): number | null {
  let value: number | null = null;
  for (let i = 0; i < curve.steps.length && curve.steps[i] <= step; i++) value = curve.meanReturns[i];
  return value;
}
