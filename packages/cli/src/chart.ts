import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";
import type { OracleFigures, OracleMeasurement } from "softrl";
import type { NamedCurve } from "./curve.js";

const WIDTH = 800;
const HEIGHT = 460;
const MARGIN = { top: 92, right: 32, bottom: 52, left: 72 };
const SVG = "http://www.w3.org/2000/svg";
/** Blue and vermilion of the Okabe-Ito palette, told apart by every kind of colour vision; dashes without colour. */
const LINES = [
  { colour: "#0072b2", dash: "none" },
  { colour: "#d55e00", dash: "7 4" },
  { colour: "#009e73", dash: "2 3" },
  { colour: "#cc79a7", dash: "9 3 2 3" },
];

/** What a chart says beside its curves. */
export interface ChartText {
  readonly title: string;
  readonly subtitle: string;
}

/**
 * Learning curves as one SVG file: mean return against environment steps.
 * The same curves and texts give the same bytes.
 */
export function learningCurveSvg(curves: readonly NamedCurve[], text: ChartText): string {
  const lastStep = Math.max(1, ...curves.flatMap((curve) => curve.steps));
  return svg((document) => ({
    y: { ...AXIS, label: "mean return of the last 100 training episodes", grid: true },
    marks: [
      Plot.ruleY([0], { stroke: "#222" }),
      // An invisible point keeps the axes from shrinking around a short run.
      Plot.dot([{ step: lastStep, meanReturn: 1 }], { x: "step", y: "meanReturn", stroke: "none" }),
      Plot.dot([{ step: 0, meanReturn: 0 }], { x: "step", y: "meanReturn", stroke: "none" }),
      ...curves.map((curve, index) =>
        Plot.lineY(
          curve.steps.map((step, i) => ({ step, meanReturn: curve.meanReturns[i] })),
          { x: "step", y: "meanReturn", ...lineStyle(index) },
        ),
      ),
      () => heading(document, names(curves), text),
    ],
  }));
}

/** What the oracle's chart shows, each with its line of the legend. */
const oracleLines: readonly { readonly name: string; readonly of: (figures: OracleFigures) => number }[] = [
  { name: "regret of the soft return", of: ({ regret }) => regret },
  { name: "mean |V − Vπ|", of: ({ valueErrorVisited }) => valueErrorVisited },
  { name: "mean distance of π from π*", of: ({ policyErrorVisited }) => policyErrorVisited },
];

/** The oracle's answers as one SVG file: errors on a logarithmic scale against environment steps. */
export function oracleSvg(measurements: readonly OracleMeasurement[], text: ChartText): string {
  return svg((document) => ({
    y: { ...AXIS, label: "error, logarithmic", type: "log", tickFormat: "~g", grid: true },
    marks: [
      ...oracleLines.map(({ of }, index) =>
        Plot.lineY(
          // Rounding may leave nothing, or less: no place for it on this scale.
          measurements
            .map(({ step, figures }) => ({ step, error: of(figures) }))
            .filter(({ error }) => error > 0),
          { x: "step", y: "error", ...lineStyle(index) },
        ),
      ),
      () => heading(document, names(oracleLines), text),
    ],
  }));
}

const AXIS = { labelAnchor: "center", labelArrow: "none" } as const;

const names = (lines: readonly { readonly name: string }[]) => lines.map(({ name }) => name);

const lineStyle = (index: number) => ({
  stroke: LINES[index % LINES.length].colour,
  strokeDasharray: LINES[index % LINES.length].dash,
  strokeWidth: 2.2,
});

/** A chart over environment steps, in the house's style. */
function svg(content: (document: Document) => Pick<Plot.PlotOptions, "y" | "marks">): string {
  const { document } = parseHTML("<html><body></body></html>");
  const plot = Plot.plot({
    document,
    width: WIDTH,
    height: HEIGHT,
    marginTop: MARGIN.top,
    marginRight: MARGIN.right,
    marginBottom: MARGIN.bottom,
    marginLeft: MARGIN.left,
    style: {
      background: "white",
      color: "#222",
      fontFamily: "system-ui, 'DejaVu Sans', sans-serif",
      fontSize: "12px",
    },
    x: { ...AXIS, label: "environment steps", tickFormat: stepLabel },
    ...content(document),
  });
  plot.setAttribute("xmlns", SVG);
  return `${plot.outerHTML}\n`;
}

/** `0`, `500`, `50k`, `1.5M` */
function stepLabel(step: number): string {
  if (step >= 1e6) return `${step / 1e6}M`;
  return step >= 1000 ? `${step / 1000}k` : String(step);
}

/** Title and subtitle at the upper left, and a line of the legend for each curve at the upper right. */
function heading(document: Document, legend: readonly string[], text: ChartText): SVGElement {
  const element = (name: string, attributes: Readonly<Record<string, string | number>>, content = "") => {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
    made.textContent = content;
    return made;
  };
  const group = document.createElementNS(SVG, "g");
  group.setAttribute("text-anchor", "start");
  group.setAttribute("fill", "#222");
  group.append(
    element("text", { x: 20, y: 30, "font-size": 18, "font-weight": 600 }, text.title),
    element("text", { x: 20, y: 52, "font-size": 12, fill: "#555" }, text.subtitle),
  );
  const right = WIDTH - MARGIN.right;
  legend.forEach((name, index) => {
    const y = 26 + 20 * index;
    const { colour, dash } = LINES[index % LINES.length];
    group.append(
      element("line", {
        x1: right - 36,
        x2: right,
        y1: y,
        y2: y,
        stroke: colour,
        "stroke-width": 2.2,
        "stroke-dasharray": dash,
      }),
      element("text", { x: right - 44, y: y + 4, "font-size": 13, "text-anchor": "end" }, name),
    );
  });
  return group;
}
