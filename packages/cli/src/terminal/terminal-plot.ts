import { largest, smallest } from "softrl";
import type { NamedCurve } from "../figures/curve.js";
import { counted } from "./terminal.js";

const WIDTH = 64;
const HEIGHT = 13;
const SIGNS = ["●", "○", "×", "+"];
const SEVERAL = "◉";

/**
 * Curves drawn with characters, readable without colour: each has its own sign, and ◉ is where several meet.
 * Empty when no curve has a point.
 */
export function terminalPlot(curves: readonly NamedCurve[]): string {
  const returns = curves.flatMap((curve) => curve.meanReturns);
  const lastStep = Math.max(0, largest(curves.flatMap((curve) => curve.steps)));
  if (returns.length === 0 || lastStep === 0) return "";
  const low = Math.min(0, smallest(returns));
  const high = Math.max(largest(returns), low + 1);
  const grid = Array.from({ length: HEIGHT }, () => Array.from({ length: WIDTH }, () => " "));
  curves.forEach((curve, index) => {
    const sign = SIGNS[index % SIGNS.length];
    for (let column = 0; column < WIDTH; column++) {
      const value = valueAt(curve, ((column + 1) / WIDTH) * lastStep);
      if (value === null) continue;
      const row = HEIGHT - 1 - Math.round(((value - low) / (high - low)) * (HEIGHT - 1));
      grid[row][column] = grid[row][column] === " " ? sign : SEVERAL;
    }
  });
  const label = (row: number) => {
    const value = high - ((high - low) * row) / (HEIGHT - 1);
    // Rounding may leave a zero a hair below itself.
    return row % 4 === 0 ? value.toFixed(high - low < 10 ? 2 : 0).replace(/^-(0\.?0*)$/, "$1") : "";
  };
  const labels = grid.map((_, row) => label(row));
  const margin = Math.max(...labels.map((text) => text.length));
  const lines = grid.map((cells, row) =>
    `${labels[row].padStart(margin)} ${labels[row] === "" ? "│" : "┤"}${cells.join("")}`.trimEnd(),
  );
  const indent = " ".repeat(margin + 1);
  const right = `${counted(lastStep)} steps`;
  const legend = curves.map((curve, index) => `${SIGNS[index % SIGNS.length]} ${curve.name}`).join("   ");
  return [
    ...lines,
    `${indent}└${"─".repeat(WIDTH)}`,
    `${indent} 0${right.padStart(WIDTH - 1)}`,
    `${indent} ${legend}${curves.length > 1 ? `   ${SEVERAL} both` : ""}`,
  ].join("\n");
}

/** The newest value at or before a step; null before the first. */
function valueAt(curve: NamedCurve, step: number): number | null {
  let value: number | null = null;
  for (let i = 0; i < curve.steps.length && curve.steps[i] <= step; i++) value = curve.meanReturns[i];
  return value;
}
