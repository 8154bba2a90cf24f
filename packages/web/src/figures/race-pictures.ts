/** The drawings of the race: an agent's screen with its policy, the learning curves, the gap. */
import type { PlayedFrame, TheoremAtPlay } from "softrl";
import { drawn, place, redraw } from "../drawing/drawn.js";
import { type ChartLine, chartArea, drawLineChart } from "../drawing/line-chart.js";
import { decimals } from "../drawing/number-text.js";
import { highestOf, linearScale, logScale } from "../drawing/scale.js";

const { left, right, top, bottom } = chartArea;
type Points = readonly (readonly [number, number])[];

/** The size of a screen: that of CartPole's pictures. Other pictures are drawn in its middle. */
const [WIDTH, HEIGHT] = [300, 200];

/** Draws a picture on an agent's canvas, as large as whole pixels of it fit. */
export function drawScreen(canvas: HTMLCanvasElement, { picture }: PlayedFrame): void {
  const context = canvas.getContext("2d");
  if (context === null) return;
  const { width, height, rgba } = picture;
  if (canvas.width !== WIDTH) Object.assign(canvas, { width: WIDTH, height: HEIGHT });
  // What the picture leaves free shows the page.
  context.clearRect(0, 0, WIDTH, HEIGHT);
  const image = new ImageData(rgba, width, height);
  context.putImageData(image, Math.round((WIDTH - width) / 2), Math.round((HEIGHT - height) / 2));
}

/** Bars of π, one an action, which only move once they are drawn. */
export class PolicyBars {
  readonly #svg: SVGSVGElement;
  readonly #className: string;
  #bars: readonly SVGElement[] = [];

  constructor(svg: SVGSVGElement, className: string) {
    this.#svg = svg;
    this.#className = className;
    svg.setAttribute("role", "img");
  }

  clear(): void {
    this.#svg.replaceChildren();
    this.#svg.setAttribute("aria-label", "Policy: not yet drawn");
    this.#bars = [];
  }

  show(names: readonly string[], { probabilities, action }: PlayedFrame): void {
    if (this.#bars.length !== names.length) this.#build(names);
    const width = 300 / names.length;
    this.#bars.forEach((bar, a) => {
      const height = place(36 * probabilities[a]);
      redraw(bar, { x: place(a * width + 4), y: place(40 - height), width: place(width - 8), height });
      bar.classList.toggle("taken", a === action);
    });
    const parts = names.map((name, a) => `${name} ${decimals(probabilities[a], 2)}`);
    this.#svg.setAttribute("aria-label", `Policy: ${parts.join(", ")}`);
  }

  #build(names: readonly string[]): void {
    this.#svg.replaceChildren();
    const width = 300 / names.length;
    names.forEach((name, a) => {
      const at = { x: place((a + 0.5) * width), y: 56, "text-anchor": "middle", class: "grey" };
      drawn(this.#svg, "text", at, name);
    });
    drawn(this.#svg, "line", { class: "v-line", x1: 0, x2: 300, y1: 40.5, y2: 40.5 });
    this.#bars = names.map(() => drawn(this.#svg, "rect", { class: `bar ${this.#className}` }));
  }
}

/** What the chart of the curves shows. */
export interface RaceCurves {
  readonly a2c: Points;
  readonly softQ: Points;
  /** Soft Q-learning's curve of the race before, which differs by the gap alone. */
  readonly ghost: Points;
  readonly step: number;
  readonly goal: number;
  /** The steps at which τ was changed. */
  readonly changes: readonly number[];
}

export function drawCurves(svg: SVGSVGElement, curves: RaceCurves): void {
  const { a2c, softQ, ghost, step, goal, changes } = curves;
  const end = roundUp(Math.max(step, 50_000));
  const before = ghost.filter(([at]) => at <= end);
  const highest = highestOf([a2c, softQ, before], goal);
  drawLineChart(svg, {
    x: { scale: linearScale([0, end], [left, right]), label: "steps of each agent", format: thousands },
    y: { scale: linearScale([0, highest * 1.04], [bottom, top]), label: "", format: String },
    lines: [
      ...changes.map(
        (at): ChartLine => ({
          className: "bound",
          points: [
            [at, 0],
            [at, highest],
          ],
        }),
      ),
      { className: "sq faint", points: thinned(before) },
      { className: "pg", points: thinned(a2c) },
      { className: "sq", points: thinned(softQ) },
    ],
  });
  const newest = (points: Points) =>
    points.length === 0 ? "none yet" : decimals(points[points.length - 1][1], 1);
  const label = `Mean return against steps: policy gradient ${newest(a2c)}, soft Q-learning ${newest(softQ)}`;
  svg.setAttribute("aria-label", label);
}

const LOWEST = 1e-18;

/** The gap of a sample and what is left of it on average, on a logarithmic axis. */
export function drawGap(svg: SVGSVGElement, measured: readonly TheoremAtPlay[], step: number): void {
  const end = roundUp(Math.max(step, 50_000));
  const y = logScale([LOWEST, 10], [bottom, top], 3);
  const line = (of: (one: TheoremAtPlay) => number): Points =>
    measured.map((one) => [one.step, Math.max(LOWEST, of(one))]);
  drawLineChart(svg, {
    x: { scale: linearScale([0, end], [left, right]), label: "steps of each agent", format: thousands },
    y: { scale: y, label: "" },
    lines: [
      { className: "bad", points: thinned(line(({ perSample }) => perSample)) },
      { className: "ink", points: thinned(line(({ expected }) => expected)) },
    ],
  });
  const newest = measured.at(-1);
  if (newest === undefined) return;
  // Each name beside its newest point, or above it.
  const at = linearScale([0, end], [left, right]).at(newest.step);
  const isBeside = at < left + 0.35 * (right - left);
  const name = (value: number, className: string, text: string) => {
    const level = y.at(Math.max(LOWEST, value));
    const place = isBeside
      ? { x: at + 8, y: level + 4 }
      : { x: at, y: Math.max(top + 8, level - 10), "text-anchor": "end" };
    drawn(svg, "text", { class: className, ...place }, text);
  };
  name(newest.perSample, "value bad", "one sample");
  name(newest.expected, "value", "average over actions");
  const powers = [newest.perSample, newest.expected].map((x) => x.toExponential(0));
  svg.setAttribute(
    "aria-label",
    `Distance of the two steps: ${powers[0]} for a sample, ${powers[1]} averaged over actions`,
  );
}

/** At most about 300 points, the newest included. */
function thinned(points: Points): Points {
  const every = Math.ceil(points.length / 300);
  return every <= 1 ? points : points.filter((_, i) => (points.length - 1 - i) % every === 0);
}

/** The next of 50,000, 100,000, 200,000, 500,000 and so on. */
function roundUp(steps: number): number {
  const power = 10 ** Math.floor(Math.log10(steps));
  return [1, 2, 5, 10].map((times) => times * power).find((end) => end >= steps) ?? steps;
}

/** 50k, 1.5M. */
function thousands(steps: number): string {
  if (steps < 1000) return String(steps);
  return steps < 1e6 ? `${steps / 1000}k` : `${steps / 1e6}M`;
}
