import { FONTS } from "./text-width.js";

/** Sizes of a figure with a title, a subtitle, a legend and one pair of axes, in the units of its picture. */
export interface Layout {
  readonly width: number;
  /** Between the axes. */
  readonly plotHeight: number;
  readonly left: number;
  readonly right: number;
  readonly below: number;
  /** Left of the title and of the legend, and right of them at least. */
  readonly edge: number;
  /** Baselines: the first of the title, what follows the last of the title, of the subtitle, and of the legend. */
  readonly head: {
    readonly title: number;
    readonly subtitle: number;
    readonly legend: number;
    readonly below: number;
    readonly line: number;
  };
  readonly xLabelOffset: number;
  readonly yLabelOffset: number;
  readonly axis: { readonly tickSize?: number; readonly tickPadding?: number };
  readonly fonts: string;
  /** Font sizes. */
  readonly title: number;
  readonly subtitle: number;
  readonly text: number;
  readonly legend: number;
  /** How much wider the letters of the fonts are than those of Helvetica. */
  readonly letter: number;
  /** Between the entries of the legend. */
  readonly gap: number;
  /** Of a line in the legend. */
  readonly swatch: number;
  /** Radius of a dot. */
  readonly dot: number;
  /** Widths of lines: of references, and of what is measured. */
  readonly thin: number;
  readonly thick: number;
  readonly dashes: (dash: string) => string;
  /** About as many numbers as an axis has. */
  readonly ticks: number;
}

/** 800 pixels wide, for a screen. */
export const screenLayout: Layout = {
  width: 800,
  plotHeight: 310,
  left: 76,
  right: 32,
  below: 56,
  edge: 20,
  head: { title: 30, subtitle: 22, legend: 26, below: 26, line: 22 },
  xLabelOffset: 42,
  yLabelOffset: 58,
  axis: {},
  fonts: "system-ui, 'DejaVu Sans', sans-serif",
  title: 18,
  subtitle: 12.5,
  text: 12,
  legend: 13,
  letter: 1.12,
  gap: 22,
  swatch: 30,
  dot: 4,
  thin: 1.2,
  thick: 2.4,
  dashes: (dash) => dash,
  ticks: 7,
};

/** Points, as a page counts: the unit of a page's pictures. */
export const POINTS_PER_MILLIMETRE = 72 / 25.4;

/** For a page of a paper, in points: a title of 8 and text of 7. @param width in millimetres */
export function pageLayout(width: number): Layout {
  const points = Math.round(width * POINTS_PER_MILLIMETRE * 100) / 100;
  return {
    width: points,
    plotHeight: Math.round(Math.min(180, 0.52 * points)),
    left: 38,
    right: 10,
    below: 27,
    edge: 4,
    head: { title: 11, subtitle: 10, legend: 10, below: 11, line: 9.5 },
    xLabelOffset: 24,
    yLabelOffset: 34,
    axis: { tickSize: 2, tickPadding: 2 },
    fonts: FONTS,
    title: 8,
    subtitle: 7,
    text: 7,
    legend: 7,
    letter: 1.04,
    gap: 9,
    swatch: 13,
    dot: 1.8,
    thin: 0.7,
    thick: 1.2,
    dashes: (dash) => dash.replaceAll(/\d+(\.\d+)?/g, (length) => String(Number(length) / 2)),
    ticks: points < 300 ? 5 : 7,
  };
}
