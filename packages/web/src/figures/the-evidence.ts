import { oncePerFrame, part } from "../controls/part.js";
import { slider } from "../controls/slider.js";
import { type DrawnBandChart, drawBandChart } from "../drawing/band-chart.js";
import { decimals } from "../drawing/number-text.js";
import { readNumber, type Settings } from "../state/settings.js";
import type { EvidencePoint, EvidenceTask } from "./evidence-data.js";

/** Pixels before the figure is in sight, at which its data are asked for. */
const AHEAD = "600px";
const SHAPE = 0.58;

/**
 * Figure: learning curves of the experiments. A choice of the task; a slider, or a pointer in the chart, chooses the step
 * whose means and intervals the table shows. The data are loaded when the figure comes near the screen.
 */
export function theEvidence(
  root: HTMLElement,
  settings: Settings,
  load: () => Promise<readonly EvidenceTask[]>,
): void {
  const observer = new IntersectionObserver(
    (entries) => {
      if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
      observer.disconnect();
      load().then(
        (tasks) => show(root, settings, tasks),
        () => {
          part(root, "note", HTMLElement).textContent =
            "The data of this figure could not be loaded. Load the page again.";
        },
      );
    },
    { rootMargin: AHEAD },
  );
  observer.observe(root);
}

function show(root: HTMLElement, settings: Settings, tasks: readonly EvidenceTask[]): void {
  const choice = part(root, "task", HTMLSelectElement);
  const svg = part(root, "chart", SVGSVGElement);
  const rows = part(root, "rows", HTMLTableSectionElement);
  const [note, title] = [part(root, "note", HTMLElement), part(root, "title", HTMLElement)];
  const heading = part(root, "step-name", HTMLElement);
  fillChoice(choice, tasks);
  let task = tasks.find(({ id }) => id === settings.get("task")) ?? tasks[0];
  let index = task.steps.length - 1;
  const given = readNumber(settings.get("step"), { low: 0, high: 1, fallback: 1 });
  let chart: DrawnBandChart | null = null;
  let moveSlider: (to: number) => void = () => {};

  const drawChart = () => {
    const width = Math.round(Math.max(280, svg.getBoundingClientRect().width));
    chart = drawBandChart(svg, {
      width,
      height: Math.round(width * SHAPE),
      xs: task.steps,
      xText: stepText,
      xLabel: "environment steps",
      lines: task.lines.map(({ ink, points }) => ({ className: ink, points })),
    });
    chart.mark(index);
  };
  const mark = oncePerFrame(() => {
    chart?.mark(index);
    heading.textContent = `after ${stepText(task.steps[index])} steps`;
    rows.replaceChildren(...task.lines.map((line) => tableRow(root.ownerDocument, line, index)));
    if (task.difference !== null) rows.append(tableRow(root.ownerDocument, task.difference, index));
  });
  const moveTo = (next: number) => {
    index = next;
    settings.set("step", index === task.steps.length - 1 ? null : shareText(index, task));
    mark();
  };
  const showTask = (share: number) => {
    choice.value = task.id;
    index = Math.round(share * (task.steps.length - 1));
    const control = slider(part(root, "step", HTMLElement), {
      label: "Step",
      values: task.steps.map((_, i) => i),
      text: (i) => stepText(task.steps[i]),
      start: index,
      onInput: moveTo,
    });
    moveSlider = (to) => control.show(to);
    note.textContent = task.about;
    title.textContent = `${task.experiment}: ${task.name}`;
    svg.setAttribute("role", "img");
    const ends = task.lines.map(({ name, points }) => `${name} ${spoken(points[points.length - 1])}`);
    svg.setAttribute("aria-label", `Mean return on ${task.name}. At the end: ${ends.join("; ")}`);
    drawChart();
    mark();
  };
  choice.addEventListener("change", () => {
    task = tasks.find(({ id }) => id === choice.value) ?? task;
    settings.set("task", task === tasks[0] ? null : task.id);
    settings.set("step", null);
    showTask(1);
  });
  const point = (event: PointerEvent) => {
    if (chart === null) return;
    const box = svg.getBoundingClientRect();
    const at = chart.x.of(((event.clientX - box.left) / box.width) * svg.viewBox.baseVal.width);
    const distances = task.steps.map((step) => Math.abs(step - at));
    const nearest = distances.indexOf(Math.min(...distances));
    if (nearest === index) return;
    moveTo(nearest);
    moveSlider(nearest);
  };
  svg.addEventListener("pointermove", point);
  svg.addEventListener("pointerdown", point);
  let drawnWidth = 0;
  new ResizeObserver(() => {
    const { width } = svg.getBoundingClientRect();
    if (Math.round(width) === drawnWidth) return;
    drawnWidth = Math.round(width);
    drawChart();
  }).observe(svg);
  showTask(given);
}

function fillChoice(choice: HTMLSelectElement, tasks: readonly EvidenceTask[]): void {
  const page = choice.ownerDocument;
  const options = tasks.map(({ id, experiment, name }) => {
    const option = page.createElement("option");
    [option.value, option.textContent] = [id, `${experiment}: ${name}`];
    return option;
  });
  choice.replaceChildren(...options);
}

/** The row of an algorithm, or of a difference, which has no line in the chart. */
function tableRow(
  page: Document,
  { name, points, ...line }: EvidenceTask["lines"][number] | NonNullable<EvidenceTask["difference"]>,
  index: number,
): HTMLTableRowElement {
  const row = page.createElement("tr");
  const head = page.createElement("th");
  head.scope = "row";
  if ("ink" in line) {
    const swatch = page.createElement("span");
    swatch.className = `swatch ${line.ink}`;
    head.append(swatch, name);
  } else {
    row.className = "difference";
    head.append(name);
  }
  const [mean, low, high] = points[index];
  const digits = digitsOf(points[index]);
  const cells = [
    decimals(mean, digits),
    `${decimals(low, digits)} to ${decimals(high, digits)}`,
    "runs" in line ? String(line.runs) : "",
  ];
  row.append(
    head,
    ...cells.map((text) => {
      const cell = page.createElement("td");
      cell.textContent = text;
      return cell;
    }),
  );
  return row;
}

/** Decimals with which an interval can be read. */
function digitsOf([mean, low, high]: EvidencePoint): number {
  const largest = Math.max(Math.abs(mean), Math.abs(low), Math.abs(high));
  if (largest < 10) return 2;
  return largest < 100 ? 1 : 0;
}

function spoken(point: EvidencePoint): string {
  const digits = digitsOf(point);
  const [mean, low, high] = point.map((value) => decimals(value, digits));
  return `${mean}, interval ${low} to ${high}`;
}

/** `0`, `250k`, `1.5M` */
function stepText(step: number): string {
  if (step >= 1e6) return `${Number((step / 1e6).toFixed(2))}M`;
  return step >= 1000 ? `${Math.round(step / 1000)}k` : String(step);
}

const shareText = (index: number, { steps }: EvidenceTask): string =>
  String(Number((index / (steps.length - 1)).toFixed(4)));
