import * as Plot from "@observablehq/plot";
import { COLOURS, DARK, DASHES, darkRules, GREY, PAPER, SVG, svgElement, TEXT } from "@softrl/web";
import { parseHTML } from "linkedom";
import { largest, smallest } from "softrl";
import { POINTS_PER_MILLIMETRE } from "./figure-layout.js";
import { FONTS, shortened, textWidth, wrapped } from "./text-width.js";

/** An estimate at x, and its interval. */
export interface PanelPoint {
  readonly x: number;
  readonly estimate: number;
  readonly low: number;
  readonly high: number;
}

/** A line of the figure's legend in one panel; panels may lack series of others. */
export interface PanelSeries {
  readonly name: string;
  readonly points: readonly PanelPoint[];
}

/** A bar of the figure's legend in one panel: an interval, its estimate, and the scores that it comes from. */
export interface PanelBar {
  readonly name: string;
  readonly estimate: number;
  readonly low: number;
  readonly high: number;
  readonly scores: readonly number[];
}

/** One of a figure's small charts. */
export type Panel =
  | { readonly kind: "lines"; readonly title: string; readonly series: readonly PanelSeries[] }
  | { readonly kind: "bars"; readonly title: string; readonly bars: readonly PanelBar[] };

/** `auto` is light where the reader's system is light, else dark. */
export type Theme = "light" | "dark" | "auto";

/** A figure for a page of a paper. */
export interface PaperFigure {
  /** Millimetres. */
  readonly width: number;
  readonly theme: Theme;
  readonly panels: readonly Panel[];
  /** The names of all series or bars, in the order of the legend. */
  readonly names: readonly string[];
  readonly xLabel: string;
  readonly yLabel: string;
  readonly xFormat: (tick: number) => string;
  /** Where the x axes of lines begin; undefined where their points do. */
  readonly xFrom?: number;
  /** Below the figure: what is shown, over how many seeds. */
  readonly note: string;
}

const FONT = 7;
const SMALL = 6;
const MARGIN = 4;

/** Lines that differ in their colour or their dashes. */
export const MOST_LINES = COLOURS.length * DASHES.length;

/** A figure as one SVG file in the size of its page. The same figure gives the same bytes. */
export function paperFigureSvg(figure: PaperFigure): string {
  const { document } = parseHTML("<html><body></body></html>");
  const width = figure.width * POINTS_PER_MILLIMETRE;
  const { panels, names, theme } = figure;
  const isBars = panels[0]?.kind === "bars";
  const svg = svgElement(document, "svg", {
    xmlns: SVG,
    "font-family": FONTS,
    "font-size": FONT,
    fill: TEXT,
  });
  const put = (...elements: readonly Element[]) => svg.append(...elements);

  // Bars are labelled where they are.
  let top = MARGIN;
  if (!isBars && names.length > 1) {
    const legend = legendOf(document, names, width, top);
    put(...legend.elements);
    top = legend.bottom + 3;
  }
  // The names of bars stand once, at the left of a row.
  const widest = isBars ? largest(names.map((name) => textWidth(name, SMALL))) + 8 : FONT + 2;
  const left = MARGIN + Math.min(widest, width / 2);
  const grid = gridOf(panels.length, width - left - MARGIN, isBars ? 75 : 104);
  const panelHeight = isBars
    ? 24 + 11 * names.length
    : Math.min(150, grid.panelWidth * (grid.columns === 1 ? 0.62 : 0.78)) + 10;
  panels.forEach((panel, i) => {
    const [row, column] = [Math.floor(i / grid.columns), i % grid.columns];
    const x = left + column * (grid.panelWidth + grid.gap);
    const y = top + row * (panelHeight + 4);
    const size = { width: grid.panelWidth, height: panelHeight };
    const chart =
      panel.kind === "lines"
        ? linesChart(document, panel, names, size, figure)
        : barsChart(document, panel, names, size);
    put(...placed(chart, x, y));
    if (isBars && column === 0) put(...barLabels(document, names, size.height, left - 2, y));
    const title = { x: x + (size.width + (isBars ? 0 : LINES_LEFT)) / 2, y: y + FONT + 1 };
    put(svgElement(document, "text", { ...title, "text-anchor": "middle" }, panel.title));
  });
  const bottom = top + Math.ceil(panels.length / grid.columns) * (panelHeight + 4);
  const middle = left + (width - left - MARGIN) / 2;
  put(
    svgElement(document, "text", { x: middle, y: bottom + FONT - 2, "text-anchor": "middle" }, figure.xLabel),
  );
  if (!isBars) {
    const at = { x: MARGIN + FONT - 1, y: (top + bottom) / 2 };
    const turn = `rotate(-90 ${at.x} ${at.y})`;
    put(svgElement(document, "text", { ...at, transform: turn, "text-anchor": "middle" }, figure.yLabel));
  }
  const lines = wrapped(figure.note, width - 2 * MARGIN, SMALL);
  lines.forEach((line, i) => {
    const y = bottom + 2 * FONT + 2 + i * (SMALL + 1.5);
    put(svgElement(document, "text", { x: MARGIN, y, "font-size": SMALL, fill: GREY }, line));
  });
  const height = bottom + 2 * FONT + 2 + lines.length * (SMALL + 1.5) - 2;

  svg.setAttribute("width", `${figure.width}mm`);
  svg.setAttribute("height", `${digits(height / POINTS_PER_MILLIMETRE)}mm`);
  svg.setAttribute("viewBox", `0 0 ${digits(width)} ${digits(height)}`);
  svg.prepend(svgElement(document, "rect", { width: digits(width), height: digits(height), fill: PAPER }));
  return `${inTheme(svg.outerHTML, theme)}\n`;
}

const digits = (value: number): number => Math.round(value * 100) / 100;

function inTheme(svg: string, theme: Theme): string {
  if (theme === "auto") return svg.replace(/^<svg[^>]*>/, (open) => open + darkRules());
  if (theme === "light") return svg;
  return svg.replaceAll(/#[0-9a-f]{6}\b/g, (colour) => DARK[colour] ?? colour);
}

/** As few rows as the narrowest panel allows, with as many panels in each. */
function gridOf(panels: number, width: number, narrowest: number) {
  const most = Math.max(1, Math.floor(width / narrowest));
  const columns = Math.max(1, Math.ceil(panels / Math.ceil(panels / most)));
  const gap = 5;
  return { columns, gap, panelWidth: (width - gap * (columns - 1)) / columns };
}

interface Size {
  readonly width: number;
  readonly height: number;
}

const LINES_LEFT = 22;
/** Above and below a chart, for its title and for the numbers of its axis. */
const TITLE = FONT + 5;
const BELOW = 12;

function linesChart(
  document: Document,
  { title, series }: Panel & { kind: "lines" },
  names: readonly string[],
  size: Size,
  { xFormat, xFrom }: Pick<PaperFigure, "xFormat" | "xFrom">,
): Element {
  const points = series.flatMap((one) => one.points);
  const x = extent([...points.map((point) => point.x), ...(xFrom === undefined ? [] : [xFrom])]);
  const y = padded(extent(points.flatMap(({ low, high }) => [low, high])));
  const marks = series.flatMap(({ name, points }) => {
    const { colour, dash } = inkOf(names, name);
    const data = points.map((point) => ({ ...point }));
    return [
      { layer: 0, mark: Plot.areaY(data, { x: "x", y1: "low", y2: "high", fill: colour, fillOpacity: 0.2 }) },
      {
        layer: 1,
        mark: Plot.line(data, {
          x: "x",
          y: "estimate",
          stroke: colour,
          strokeWidth: 1.1,
          strokeDasharray: dash,
        }),
      },
    ];
  });
  return Plot.plot({
    document,
    ...size,
    marginTop: title === "" ? FONT : TITLE,
    marginLeft: LINES_LEFT,
    marginRight: 6,
    marginBottom: BELOW,
    style: { fontSize: `${SMALL}px`, fontFamily: FONTS, color: TEXT, background: "none" },
    x: { domain: x, label: null },
    y: { domain: y, label: null },
    marks: [
      Plot.gridY({ ticks: 4, stroke: GREY, strokeOpacity: 0.25, strokeWidth: 0.5 }),
      Plot.axisX({
        ticks: size.width < 150 ? 3 : 6,
        tickSize: 2,
        tickPadding: 2,
        tickFormat: xFormat,
        label: null,
      }),
      Plot.axisY({ ticks: 4, tickSize: 0, tickPadding: 2, label: null }),
      ...[0, 1].flatMap((layer) => marks.filter((one) => one.layer === layer).map(({ mark }) => mark)),
    ],
  });
}

/** Between bars and at both ends, as a share of their pitch. */
const BAR_PADDING = 0.3;

/**
 * Each bar is an interval, with a line at its estimate and a dot for each score: none of it begins at zero. More bars
 * than there are colours are all grey, since their labels name them.
 */
function barsChart(
  document: Document,
  { bars }: Panel & { kind: "bars" },
  names: readonly string[],
  size: Size,
): Element {
  const x = padded(extent(bars.flatMap(({ low, high, scores }) => [low, high, ...scores])));
  const scores = bars.flatMap(({ name, scores }) => scores.map((score) => ({ name, score })));
  const ticks = size.width < 150 ? 3 : 6;
  return Plot.plot({
    document,
    ...size,
    marginTop: TITLE,
    marginLeft: 6,
    marginRight: 6,
    marginBottom: BELOW,
    style: { fontSize: `${SMALL}px`, fontFamily: FONTS, color: TEXT, background: "none" },
    x: { domain: x, label: null },
    y: { type: "band", domain: names, padding: BAR_PADDING, round: false, label: null, axis: null },
    marks: [
      Plot.gridX({ ticks, stroke: GREY, strokeOpacity: 0.25, strokeWidth: 0.5 }),
      Plot.axisX({ ticks, tickSize: 2, tickPadding: 2, label: null }),
      ...bars.flatMap((bar) => {
        const colour = names.length > COLOURS.length ? GREY : inkOf(names, bar.name).colour;
        return [
          Plot.barX([bar], { x1: "low", x2: "high", y: "name", fill: colour, fillOpacity: 0.45 }),
          Plot.tickX([bar], { x: "estimate", y: "name", stroke: colour, strokeWidth: 1.6 }),
        ];
      }),
      Plot.dot(scores, { x: "score", y: "name", r: 0.9, fill: TEXT, fillOpacity: 0.55 }),
    ],
  });
}

/** The names at the left of a chart's bars. */
function barLabels(
  document: Document,
  names: readonly string[],
  height: number,
  right: number,
  top: number,
): readonly Element[] {
  const pitch = (height - TITLE - BELOW) / (names.length + BAR_PADDING);
  return names.map((name, i) => {
    const y = digits(top + TITLE + pitch * (i + (1 + BAR_PADDING) / 2) + SMALL / 3);
    const at = { x: right, y, "text-anchor": "end", "font-size": SMALL };
    return svgElement(document, "text", at, shortened(name, right - MARGIN, SMALL));
  });
}

/** A chart of Plot as a part of a larger picture. */
function placed(chart: Element, x: number, y: number): readonly Element[] {
  chart.setAttribute("x", String(digits(x)));
  chart.setAttribute("y", String(digits(y)));
  // The last number of an axis reaches beyond it.
  chart.setAttribute("overflow", "visible");
  return [chart];
}

function inkOf(names: readonly string[], name: string) {
  const index = names.indexOf(name);
  return { colour: COLOURS[index % COLOURS.length], dash: dashOf(DASHES[index % DASHES.length]) };
}

/** Dashes for thin lines. */
const dashOf = (dash: string): string =>
  dash === "none"
    ? dash
    : dash
        .split(" ")
        .map((length) => Number(length) / 2)
        .join(" ");

/** From left to right, in as many lines as it takes; a name that is wider than the figure has several. */
function legendOf(document: Document, names: readonly string[], width: number, top: number) {
  const elements: Element[] = [];
  const [line, inner] = [FONT + 3, FONT + 1];
  const room = width - 2 * MARGIN - 16;
  let [x, y] = [MARGIN, top + FONT / 2 + 1];
  for (const name of names) {
    const { colour, dash } = inkOf(names, name);
    const texts = wrapped(name, room, FONT).map((text) => shortened(text, room, FONT));
    const length = 16 + largest(texts.map((text) => textWidth(text, FONT)));
    if (x > MARGIN && x + length > width - MARGIN) [x, y] = [MARGIN, y + line];
    const at = { x1: digits(x), x2: digits(x + 13), y1: y, y2: y };
    elements.push(
      svgElement(document, "line", { ...at, stroke: colour, "stroke-width": 1.4, "stroke-dasharray": dash }),
      ...texts.map((text, i) =>
        svgElement(document, "text", { x: digits(x + 16), y: y + 2.5 + i * inner }, text),
      ),
    );
    y += (texts.length - 1) * inner;
    x += length + 9;
  }
  return { elements, bottom: y + FONT / 2 };
}

function extent(values: readonly number[]): [number, number] {
  if (values.length === 0) return [0, 1];
  const [low, high] = [smallest(values), largest(values)];
  if (low < high) return [low, high];
  const half = Math.abs(low) > 0 ? Math.abs(low) / 10 : 0.5;
  return [low - half, high + half];
}

/** Room beside the outermost points. */
function padded([low, high]: readonly [number, number]): [number, number] {
  const room = 0.04 * (high - low);
  return [low - room, high + room];
}
