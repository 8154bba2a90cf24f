import { drawn, redraw } from "./drawn.js";
import { decimals } from "./number-text.js";
import { linearScale, type Scale } from "./scale.js";

/** A line with an interval at each of its points. */
export interface BandLine {
  /** Its class gives it its colour. */
  readonly className: string;
  /** At each x of the chart. */
  readonly points: readonly (readonly [estimate: number, low: number, high: number])[];
}

/** A chart of lines with bands, in the pixels of the screen. */
export interface BandChart {
  readonly width: number;
  readonly height: number;
  readonly xs: readonly number[];
  readonly xText: (tick: number) => string;
  readonly xLabel: string;
  readonly lines: readonly BandLine[];
}

/** What a drawn chart does next. */
export interface DrawnBandChart {
  /** The horizontal axis: to place a pointer. */
  readonly x: Scale;
  /** Marks the points of one x. */
  mark(index: number): void;
}

const margin = { left: 46, right: 14, top: 10, bottom: 44 } as const;

/** Draws a chart into an SVG, in place of what was there. */
export function drawBandChart(svg: SVGSVGElement, chart: BandChart): DrawnBandChart {
  const { width, height, xs, xText, xLabel, lines } = chart;
  svg.replaceChildren();
  redraw(svg, { viewBox: `0 0 ${width} ${height}` });
  const [left, right, top, bottom] = [margin.left, width - margin.right, margin.top, height - margin.bottom];
  const values = lines.flatMap(({ points }) => points.flatMap(([, low, high]) => [low, high]));
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const room = (high - low || 1) * 0.04;
  const x = linearScale([0, xs[xs.length - 1]], [left, right]);
  const y = linearScale([low - room, high + room], [bottom, top]);
  const digits = high - low < 5 ? 1 : 0;

  const grid = drawn(svg, "g", { class: "grid" });
  const text = drawn(svg, "g", { class: "axis" });
  for (const tick of y.ticks) {
    const at = y.at(tick);
    drawn(grid, "line", { x1: left, x2: right, y1: at, y2: at });
    drawn(text, "text", { x: left - 8, y: at + 4, "text-anchor": "end" }, decimals(tick, digits));
  }
  for (const tick of x.ticks) {
    const at = x.at(tick);
    drawn(grid, "line", { x1: at, x2: at, y1: bottom, y2: bottom + 4 });
    drawn(text, "text", { x: at, y: bottom + 19, "text-anchor": "middle" }, xText(tick));
  }
  const middle = { x: (left + right) / 2, y: bottom + 38, "text-anchor": "middle", class: "label" };
  drawn(text, "text", middle, xLabel);

  const path = (points: readonly (readonly [number, number])[]) =>
    points.map(([px, py], i) => `${i === 0 ? "M" : "L"}${x.at(px)} ${y.at(py)}`).join("");
  for (const { className, points } of lines) {
    const upper = points.map(([, , end], i) => [xs[i], end] as const);
    const lower = points.map(([, end], i) => [xs[i], end] as const);
    drawn(svg, "path", { class: `band ${className}`, d: `${path([...upper, ...lower.reverse()])}Z` });
  }
  for (const { className, points } of lines) {
    drawn(svg, "path", {
      class: `mean-line ${className}`,
      d: path(points.map(([mean], i) => [xs[i], mean])),
    });
  }
  const guide = drawn(svg, "line", { class: "guide", y1: top, y2: bottom });
  const dots = lines.map(({ className }) => drawn(svg, "circle", { class: `mean-dot ${className}`, r: 5 }));
  return {
    x,
    mark(index) {
      const at = x.at(xs[index]);
      redraw(guide, { x1: at, x2: at });
      lines.forEach(({ points }, i) => {
        redraw(dots[i], { cx: at, cy: y.at(points[index][0]) });
      });
    },
  };
}
