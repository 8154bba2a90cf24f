import * as Plot from "@observablehq/plot";
import { COLOURS, DASHES, darkRules, GREY, PAPER, SVG, svgElement, TEXT } from "@softrl/web";
import { parseHTML } from "linkedom";
import { largest, smallest } from "softrl";

/** An axis of a figure. */
export interface FigureAxis {
  readonly label: string;
  readonly scale: "linear" | "log";
  /** Numbers that the axis must reach, whatever the points are. */
  readonly reaches?: readonly number[];
  /** What stands at a tick; powers of ten on a logarithmic axis unless given. */
  readonly format?: (tick: number) => string;
}

/** What is drawn with one colour and one line of the legend. */
export interface FigureSeries {
  readonly name: string;
  /**
   * "line": measured; "line-and-dots": measured at few points; "reference": thin and dashed; "dots": points that no line
   * joins.
   */
  readonly kind: "line" | "line-and-dots" | "reference" | "dots";
  readonly points: readonly (readonly [x: number, y: number])[];
  /** Of each point: the band from y − error to y + error is shaded. */
  readonly errors?: readonly number[];
}

/** A figure: its texts, its axes and its series. */
export interface Figure {
  readonly title: string;
  readonly subtitle: string;
  readonly x: FigureAxis;
  readonly y: FigureAxis;
  readonly series: readonly FigureSeries[];
}

const WIDTH = 800;
const HEIGHT = 470;
const MARGIN = { top: 104, right: 32, bottom: 56, left: 76 };
const LEGEND_TOP = 78;
const LEGEND_LINE = 22;

/** A figure as one SVG file, legible on light and dark pages. The same figure gives the same bytes. */
export function figureSvg({ title, subtitle, x, y, series }: Figure): string {
  const { document } = parseHTML("<html><body></body></html>");
  const places = legendPlaces(series);
  // A legend of several lines makes the figure higher.
  const extra = places.length === 0 ? 0 : places[places.length - 1].y - LEGEND_TOP;
  const numbers = (axis: 0 | 1) => series.flatMap(({ points }) => points.map((point) => point[axis]));
  const bounds = series.flatMap((one) => bandOf(one).flatMap(({ low, high }) => [low, high]));
  const plot = Plot.plot({
    document,
    width: WIDTH,
    height: HEIGHT + extra,
    marginTop: MARGIN.top + extra,
    marginRight: MARGIN.right,
    marginBottom: MARGIN.bottom,
    marginLeft: MARGIN.left,
    style: {
      background: PAPER,
      color: TEXT,
      fontFamily: "system-ui, 'DejaVu Sans', sans-serif",
      fontSize: "12px",
    },
    x: { ...scaleOf(x, numbers(0)), labelOffset: 42 },
    y: { ...scaleOf(y, [...numbers(1), ...bounds]), labelOffset: 58, grid: true },
    marks: [
      ...(y.scale === "linear" && y.reaches?.includes(0) ? [Plot.ruleY([0], { stroke: TEXT })] : []),
      // References are thin and lie above the lines, so that a line on its reference shows both.
      ...["line", "line-and-dots", "reference", "dots"].flatMap((kind) =>
        series.flatMap((one, index) => (one.kind === kind ? marksOf(one, inkOf(series, index)) : [])),
      ),
      () => heading(document, title, subtitle, series, places),
    ],
  });
  plot.setAttribute("xmlns", SVG);
  return `${onItsGround(plot.outerHTML, HEIGHT + extra)}\n`;
}

interface Ink {
  readonly colour: string;
  readonly dash: string;
}

/** References have the colour of the text, so that they show on a line too; the others go through the palette. */
function inkOf(series: readonly FigureSeries[], index: number): Ink {
  const reference = series[index].kind === "reference";
  const before = series.slice(0, index).filter(({ kind }) => (kind === "reference") === reference).length;
  if (reference) return { colour: TEXT, dash: before === 0 ? "6 5" : "1.5 4" };
  return { colour: COLOURS[before % COLOURS.length], dash: DASHES[before % DASHES.length] };
}

/** The shaded band of a series; none without errors. */
function bandOf({ points, errors = [] }: FigureSeries): { x: number; low: number; high: number }[] {
  return errors.map((error, i) => ({
    x: points[i][0],
    low: points[i][1] - error,
    high: points[i][1] + error,
  }));
}

function marksOf(series: FigureSeries, { colour, dash }: Ink): Plot.Markish[] {
  const { kind, points } = series;
  const band = bandOf(series);
  const data = points.map(([x, y]) => ({ x, y }));
  if (kind === "dots") {
    const many = points.length > 40;
    return [Plot.dot(data, { x: "x", y: "y", r: many ? 2.6 : 4, stroke: colour, strokeWidth: 1.4 })];
  }
  return [
    ...(band.length === 0
      ? []
      : [Plot.areaY(band, { x: "x", y1: "low", y2: "high", fill: colour, fillOpacity: 0.16 })]),
    ...(kind === "line-and-dots" && points.length <= 100
      ? [Plot.dot(data, { x: "x", y: "y", r: 3, fill: colour })]
      : []),
    Plot.line(data, {
      x: "x",
      y: "y",
      stroke: colour,
      strokeWidth: kind === "reference" ? 1.2 : 2.4,
      strokeDasharray: dash,
    }),
  ];
}

function scaleOf(
  { label, scale, reaches = [], format }: FigureAxis,
  points: readonly number[],
): Plot.ScaleOptions {
  const all = [...points, ...reaches];
  const shared = { label, labelAnchor: "center" as const, labelArrow: "none" as const };
  if (all.length === 0) return { ...shared, domain: scale === "linear" ? [0, 1] : [0.1, 1] };
  if (scale === "linear") {
    const domain = extent(all);
    // Counts have no halves.
    const ticks = all.every(Number.isInteger) ? Math.min(7, domain[1] - domain[0]) : 7;
    return { ...shared, domain, nice: true, ticks, ...(format ? { tickFormat: format } : {}) };
  }
  const [low, high] = extent(all.filter((value) => value > 0).map(Math.log10));
  const [from, to] = [Math.floor(low + 1e-9), Math.ceil(high - 1e-9)];
  const step = Math.max(1, Math.ceil((to - from) / 8));
  const ticks: number[] = [];
  for (let power = to; power >= from; power -= step) ticks.push(10 ** power);
  return {
    ...shared,
    type: "log" as const,
    // Whole decades, unless the range is shorter than one.
    domain: to - from > 1 ? [10 ** from, 10 ** to] : [10 ** low, 10 ** high],
    ticks,
    tickFormat: format ?? powerOfTen,
  };
}

function extent(values: readonly number[]): [number, number] {
  return [smallest(values), largest(values)];
}

/** `10⁻³` */
function powerOfTen(value: number): string {
  const digits = "⁰¹²³⁴⁵⁶⁷⁸⁹";
  const power = Math.round(Math.log10(value));
  if (power === 0) return "1";
  return `10${power < 0 ? "⁻" : ""}${[...String(Math.abs(power))].map((d) => digits[Number(d)]).join("")}`;
}

interface Place {
  readonly x: number;
  readonly y: number;
}

/** Where each series' line of the legend begins: from left to right, in as many lines as it takes. */
function legendPlaces(series: readonly FigureSeries[]): Place[] {
  let [x, y] = [20, LEGEND_TOP];
  return series.map(({ name, kind }) => {
    // Letters of this size are about 7.2 wide; combining bars take nothing.
    const width = swatch(kind) + 7.2 * [...name.replaceAll(/\p{M}/gu, "")].length;
    if (x > 20 && x + width > WIDTH - 10) [x, y] = [20, y + LEGEND_LINE];
    const place = { x, y };
    x += width + 22;
    return place;
  });
}

const swatch = (kind: FigureSeries["kind"]) => (kind === "dots" ? 20 : 38);

/** Title and subtitle at the upper left, below them the legend. */
function heading(
  document: Document,
  title: string,
  subtitle: string,
  series: readonly FigureSeries[],
  places: readonly Place[],
): SVGElement {
  const group = svgElement(document, "g", { "text-anchor": "start", fill: TEXT });
  group.append(
    svgElement(document, "text", { x: 20, y: 30, "font-size": 18, "font-weight": 600 }, title),
    svgElement(document, "text", { x: 20, y: 52, "font-size": 12.5, fill: GREY }, subtitle),
  );
  series.forEach(({ name, kind }, index) => {
    const { colour, dash } = inkOf(series, index);
    const { x, y } = places[index];
    const ink = { stroke: colour, "stroke-width": kind === "reference" ? 1.2 : 2.4 };
    group.append(
      kind === "dots"
        ? svgElement(document, "circle", {
            ...ink,
            cx: x + 8,
            cy: y,
            r: 4,
            fill: "none",
            "stroke-width": 1.4,
          })
        : svgElement(document, "line", { ...ink, x1: x, x2: x + 30, y1: y, y2: y, "stroke-dasharray": dash }),
      svgElement(document, "text", { x: x + swatch(kind), y: y + 4, "font-size": 13 }, name),
    );
  });
  return group;
}

/** A ground of its own, and colours for dark pages. */
function onItsGround(svg: string, height: number): string {
  const ground = `<rect width="${WIDTH}" height="${height}" fill="${PAPER}"/>`;
  return svg.replace(/^<svg[^>]*>/, (open) => open + darkRules() + ground);
}
