import { drawn, redraw } from "./drawn.js";
import { powerText } from "./number-text.js";
import type { Scale } from "./scale.js";

/** A line of a chart; its class gives it its colour. */
export interface ChartLine {
  readonly className: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

/** An axis of a chart. */
export interface ChartAxis {
  readonly scale: Scale;
  readonly label: string;
  readonly format?: (tick: number) => string;
}

/** What a chart shows. */
export interface Chart {
  readonly x: ChartAxis;
  readonly y: ChartAxis;
  readonly lines: readonly ChartLine[];
  /** A point with its text, such as the present choice. */
  readonly mark?: {
    readonly x: number;
    readonly y: number;
    readonly text: string;
    readonly className: string;
  };
}

/** The rectangle of a chart's lines inside a picture of 272 × 226. */
export const chartArea = { left: 38, right: 258, top: 12, bottom: 182 } as const;

const { left, right, top, bottom } = chartArea;

/** Draws a chart into an SVG, in place of what was there. */
export function drawLineChart(svg: SVGSVGElement, { x, y, lines, mark }: Chart): void {
  svg.replaceChildren();
  svg.setAttribute("role", "img");
  const grid = drawn(svg, "g", { class: "grid" });
  const text = drawn(svg, "g", { class: "axis" });
  for (const tick of y.scale.ticks) {
    const at = y.scale.at(tick);
    drawn(grid, "line", { x1: left, x2: right, y1: at, y2: at });
    drawn(text, "text", { x: left - 8, y: at + 4, "text-anchor": "end" }, (y.format ?? powerText)(tick));
  }
  for (const tick of x.scale.ticks) {
    const at = x.scale.at(tick);
    drawn(grid, "line", { x1: at, x2: at, y1: bottom, y2: bottom + 4 });
    // The last one stays within the picture.
    const isLast = at > right - 6;
    const place = { x: isLast ? at + 8 : at, y: bottom + 19, "text-anchor": isLast ? "end" : "middle" };
    drawn(text, "text", place, (x.format ?? powerText)(tick));
  }
  drawn(
    text,
    "text",
    { x: (left + right) / 2, y: bottom + 39, "text-anchor": "middle", class: "label" },
    x.label,
  );
  // Lines below the lowest tick of a logarithmic axis end at the edge of the chart.
  const inner = drawn(svg, "svg", {
    class: "clip",
    x: left,
    y: top - 6,
    width: right - left + 6,
    height: bottom - top + 9,
  });
  redraw(inner, { viewBox: `${left} ${top - 6} ${right - left + 6} ${bottom - top + 9}` });
  for (const { className, points } of lines) {
    const path = points.map(([px, py], i) => `${i === 0 ? "M" : "L"}${x.scale.at(px)} ${y.scale.at(py)}`);
    // A single point is a dot.
    drawn(inner, "path", { class: `line ${className}`, d: path.join("") + (path.length === 1 ? "h0" : "") });
  }
  if (mark !== undefined) drawMark(svg, x.scale.at(mark.x), y.scale.at(mark.y), mark.text, mark.className);
}

function drawMark(svg: SVGSVGElement, x: number, y: number, text: string, className: string): void {
  drawn(svg, "line", { class: "guide", x1: x, x2: x, y1: top, y2: bottom });
  drawn(svg, "circle", { class: `mark ${className}`, cx: x, cy: y, r: 6 });
  const onRight = x < (left + right) / 2;
  // Clear of a curve that rises to the right, also where it is flat at the top.
  const isAbove = !onRight && y - 9 >= top + 8;
  const at = { x: onRight ? x + 11 : x - 11, y: isAbove ? y - 9 : Math.min(y + 20, bottom - 4) };
  drawn(svg, "text", { ...at, class: `value ${className}`, "text-anchor": onRight ? "start" : "end" }, text);
}
