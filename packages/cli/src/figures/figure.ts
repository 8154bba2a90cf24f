import * as Plot from "@observablehq/plot";
import { COLOURS, DASHES, darkRules, GREY, PAPER, SVG, svgElement, TEXT } from "@softrl/web";
import { parseHTML } from "linkedom";
import { largest, smallest } from "softrl";
import { type Layout, pageLayout, screenLayout } from "./figure-layout.js";
import { textWidth, wrapped } from "./text-width.js";

/** An axis of a figure. */
export interface FigureAxis {
  readonly label: string;
  readonly scale: "linear" | "log";
  /** Numbers that the axis must reach, whatever the points are. */
  readonly reaches?: readonly number[];
  /** What the axis shows, whatever the points are: lines end at its edges. */
  readonly within?: readonly [low: number, high: number];
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
  /** Of each point: the interval that is shaded, instead of `errors`. */
  readonly intervals?: readonly (readonly [low: number, high: number])[];
  /** Places in the palettes of colours and of dashes, instead of the next ones. */
  readonly colour?: number;
  readonly dash?: number;
}

/** A figure: its texts, its axes and its series. */
export interface Figure {
  readonly title: string;
  readonly subtitle: string;
  readonly x: FigureAxis;
  readonly y: FigureAxis;
  readonly series: readonly FigureSeries[];
}

/**
 * A figure as one SVG file, legible on light and dark pages. The same figure gives the same bytes.
 * @param width in millimetres, for a page of a paper with text of 7 and 8 points; undefined for a screen
 */
export function figureSvg(figure: Figure, width?: number): string {
  const { document } = parseHTML("<html><body></body></html>");
  const layout = width === undefined ? screenLayout : pageLayout(width);
  const { x, y, series } = figure;
  const head = headOf(figure, layout);
  const height = head.bottom + layout.plotHeight + layout.below;
  const numbers = (axis: 0 | 1) => series.flatMap(({ points }) => points.map((point) => point[axis]));
  const bounds = series.flatMap((one) => bandOf(one).flatMap(({ low, high }) => [low, high]));
  const isCut = x.within !== undefined || y.within !== undefined;
  const plot = Plot.plot({
    document,
    width: layout.width,
    height,
    marginTop: head.bottom,
    marginRight: layout.right,
    marginBottom: layout.below,
    marginLeft: layout.left,
    style: {
      background: PAPER,
      color: TEXT,
      fontFamily: layout.fonts,
      fontSize: `${layout.text}px`,
    },
    x: {
      ...scaleOf(x, numbers(0), layout.ticks, false),
      labelOffset: layout.xLabelOffset,
      ...layout.axis,
    },
    y: {
      ...scaleOf(y, [...numbers(1), ...bounds], layout.ticks, true),
      labelOffset: layout.yLabelOffset,
      ...layout.axis,
      grid: true,
    },
    marks: [
      ...(y.scale === "linear" && y.reaches?.includes(0) ? [Plot.ruleY([0], { stroke: TEXT })] : []),
      // References are thin and lie above the lines, so that a line on its reference shows both.
      ...["line", "line-and-dots", "reference", "dots"].flatMap((kind) =>
        series.flatMap((one, index) =>
          one.kind === kind ? marksOf(one, inkOf(series, index, layout), layout, isCut) : [],
        ),
      ),
      () => heading(document, series, head, layout),
    ],
  });
  plot.setAttribute("xmlns", SVG);
  if (width !== undefined) {
    plot.setAttribute("width", `${width}mm`);
    plot.setAttribute("height", `${Math.round((100 * height * width) / layout.width) / 100}mm`);
  }
  // A ground of its own, and colours for dark pages.
  const ground = `<rect width="${layout.width}" height="${height}" fill="${PAPER}"/>`;
  // Plot counts the ids of all the figures that it draws.
  const svg = plot.outerHTML.replaceAll(/plot-clip-\d+/g, "inside");
  return `${svg.replace(/^<svg[^>]*>/, (open) => open + darkRules() + ground)}\n`;
}

interface Ink {
  readonly colour: string;
  readonly dash: string;
}

/** References have the colour of the text, so that they show on a line too; the others go through the palette. */
function inkOf(series: readonly FigureSeries[], index: number, { dashes }: Layout): Ink {
  const one = series[index];
  const reference = one.kind === "reference";
  const before = series.slice(0, index).filter(({ kind }) => (kind === "reference") === reference).length;
  if (reference) return { colour: TEXT, dash: dashes(before === 0 ? "6 5" : "1.5 4") };
  const [colour, dash] = [one.colour ?? before, one.dash ?? before];
  return { colour: COLOURS[colour % COLOURS.length], dash: dashes(DASHES[dash % DASHES.length]) };
}

/** The shaded band of a series; none without errors or intervals. */
function bandOf({
  points,
  errors = [],
  intervals,
}: FigureSeries): { x: number; low: number; high: number }[] {
  const ends = intervals ?? errors.map((error, i) => [points[i][1] - error, points[i][1] + error] as const);
  return ends.map(([low, high], i) => ({ x: points[i][0], low, high }));
}

function marksOf(
  series: FigureSeries,
  { colour, dash }: Ink,
  { dot, thin, thick }: Layout,
  clip: boolean,
): Plot.Markish[] {
  const { kind, points } = series;
  const band = bandOf(series);
  const data = points.map(([x, y]) => ({ x, y }));
  if (kind === "dots") {
    const many = points.length > 40;
    return [
      Plot.dot(data, {
        x: "x",
        y: "y",
        r: dot * (many ? 0.65 : 1),
        stroke: colour,
        strokeWidth: dot * 0.35,
        clip,
      }),
    ];
  }
  return [
    ...(band.length === 0
      ? []
      : [Plot.areaY(band, { x: "x", y1: "low", y2: "high", fill: colour, fillOpacity: 0.16, clip })]),
    ...(kind === "line-and-dots" && points.length <= 100
      ? [Plot.dot(data, { x: "x", y: "y", r: dot * 0.75, fill: colour, clip })]
      : []),
    Plot.line(data, {
      x: "x",
      y: "y",
      stroke: colour,
      strokeWidth: kind === "reference" ? thin : thick,
      strokeDasharray: dash,
      clip,
    }),
  ];
}

/** @param rounded whether a logarithmic axis covers whole decades, where it has more than one */
function scaleOf(
  { label, scale, reaches = [], within, format }: FigureAxis,
  points: readonly number[],
  most: number,
  rounded: boolean,
): Plot.ScaleOptions {
  const all = within ?? [...points, ...reaches];
  const shared = { label, labelAnchor: "center" as const, labelArrow: "none" as const };
  if (all.length === 0) return { ...shared, domain: scale === "linear" ? [0, 1] : [0.1, 1] };
  if (scale === "linear") {
    const domain = extent(all);
    // Counts have no halves.
    const ticks = all.every(Number.isInteger) ? Math.min(most, domain[1] - domain[0]) : most;
    const nice = within === undefined;
    return { ...shared, domain, nice, ticks, ...(format ? { tickFormat: format } : {}) };
  }
  const [low, high] = extent(all.filter((value) => value > 0).map(Math.log10));
  const [from, to] = [Math.floor(low + 1e-9), Math.ceil(high - 1e-9)];
  const isWhole = rounded && to - from > 1;
  const [first, last] =
    isWhole || to - from <= 1 ? [from, to] : [Math.ceil(low - 1e-9), Math.floor(high + 1e-9)];
  const step = Math.max(1, Math.ceil((last - first) / (most + 1)));
  const ticks: number[] = [];
  for (let power = last; power >= first; power -= step) ticks.push(10 ** power);
  return {
    ...shared,
    type: "log" as const,
    domain: isWhole ? [10 ** from, 10 ** to] : [10 ** low, 10 ** high],
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

/** A line of text in the head of a figure. */
interface Line {
  readonly text: string;
  readonly y: number;
}

interface Place {
  readonly x: number;
  readonly y: number;
}

/** What stands above the axes, and where. */
interface Head {
  readonly title: readonly Line[];
  readonly subtitle: readonly Line[];
  /** Where each series' entry of the legend begins: from left to right, in as many lines as it takes. */
  readonly legend: readonly Place[];
  readonly bottom: number;
}

/** More letters than a line takes, and more entries than a legend's line, make the figure higher. */
function headOf({ title, subtitle, series }: Figure, layout: Layout): Head {
  const { width, edge, head } = layout;
  const room = width - 2 * edge;
  const lines = (text: string, size: number, y: number, line: number) =>
    wrapped(text, room, size * layout.letter).map((text, i) => ({ text, y: y + i * line }));
  // Bold letters are a tenth wider.
  const titles = lines(title, 1.1 * layout.title, head.title, head.line);
  const lastTitle = titles[titles.length - 1].y;
  const subtitles = lines(subtitle, layout.subtitle, lastTitle + head.subtitle, head.line);
  let [x, y] = [edge, subtitles[subtitles.length - 1].y + head.legend];
  const legend = series.map(({ name, kind }) => {
    const length = swatch(kind, layout) + textWidth(name, layout.legend) * layout.letter;
    if (x > edge && x + length > width - edge) [x, y] = [edge, y + head.line];
    const place = { x: digits(x), y };
    x += length + layout.gap;
    return place;
  });
  return { title: titles, subtitle: subtitles, legend, bottom: y + head.below };
}

const digits = (value: number): number => Math.round(value * 100) / 100;

const swatch = (kind: FigureSeries["kind"], { swatch, dot }: Layout) =>
  kind === "dots" ? 5 * dot : 1.27 * swatch;

/** Title and subtitle at the upper left, below them the legend. */
function heading(
  document: Document,
  series: readonly FigureSeries[],
  head: Head,
  layout: Layout,
): SVGElement {
  const { edge, dot, thin, thick } = layout;
  const group = svgElement(document, "g", { "text-anchor": "start", fill: TEXT });
  for (const { text, y } of head.title) {
    const font = { "font-size": layout.title, "font-weight": 600 };
    group.append(svgElement(document, "text", { x: edge, y, ...font }, text));
  }
  for (const { text, y } of head.subtitle) {
    const font = { "font-size": layout.subtitle, fill: GREY };
    group.append(svgElement(document, "text", { x: edge, y, ...font }, text));
  }
  series.forEach(({ name, kind }, index) => {
    const { colour, dash } = inkOf(series, index, layout);
    const { x, y } = head.legend[index];
    const ring = { cx: x + 2 * dot, cy: y, r: dot, fill: "none", "stroke-width": 0.35 * dot };
    const line = { x1: x, x2: x + layout.swatch, y1: y, y2: y, "stroke-dasharray": dash };
    const text = {
      x: digits(x + swatch(kind, layout)),
      y: digits(y + 0.31 * layout.legend),
      "font-size": layout.legend,
    };
    group.append(
      kind === "dots"
        ? svgElement(document, "circle", { ...ring, stroke: colour })
        : svgElement(document, "line", {
            ...line,
            stroke: colour,
            "stroke-width": kind === "reference" ? thin : thick,
          }),
      svgElement(document, "text", text, name),
    );
  });
  return group;
}
