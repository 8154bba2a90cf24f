import { oncePerFrame, part } from "../controls/part.js";
import { slider } from "../controls/slider.js";
import { readTemperature, temperatures, temperatureText } from "../controls/temperatures.js";
import { arrowPath } from "../drawing/arrow.js";
import { drawn, redraw } from "../drawing/drawn.js";
import { decimals, powerText, shortNumber } from "../drawing/number-text.js";
import { readNumber, type Settings } from "../state/settings.js";
import {
  type Cell,
  cellName,
  cells,
  centreOf,
  directions,
  drawMaze,
  maze,
  shade,
  startCell,
} from "./maze.js";
import { type CellSteps, type Line, learning, lines, stepsInMaze } from "./theorem-in-maze.js";

const TAUS = temperatures(0.05, 2);
const FALLBACK = { tau: 0.2, steps: 0, cell: startCell.state } as const;
const STEPS = 150;
const SIZE = 119;
/** A loop of this size fills its picture; a smaller one is drawn smaller. */
const SMALLEST_LOOP = 0.01;
/** Differences below this are rounding. */
const ROUNDING = 1e-9;
const acting = cells.filter(({ state }) => maze.terminal[state] === 0);

interface Choice {
  readonly tau: number;
  readonly steps: number;
  /** The state of the selected cell. */
  readonly cell: number;
  readonly broken: ReadonlySet<Line>;
}

/**
 * Figure: in each cell of a maze the expected step of soft Q-learning and that of the policy gradient with its value step,
 * and their difference, which is zero until a line of the theorem is broken. A selected cell shows the differences of single
 * actions and their sum.
 */
export function twoArrows(root: HTMLElement, settings: Settings): void {
  let choice = read(settings);
  let tableAfter = learning(choice.tau);
  const draw = oncePerFrame(() => show());
  const change = (next: Partial<Choice>) => {
    if (next.tau !== undefined && next.tau !== choice.tau) tableAfter = learning(next.tau);
    choice = { ...choice, ...next };
    write(settings, choice);
    draw();
  };

  const tau = slider(part(root, "tau", HTMLElement), {
    label: "Temperature τ",
    values: TAUS,
    text: shortNumber,
    start: choice.tau,
    onInput: (chosen) => change({ tau: chosen }),
  });
  const steps = slider(part(root, "steps", HTMLElement), {
    label: "Steps taken",
    values: Array.from({ length: STEPS + 1 }, (_, k) => k),
    text: String,
    start: choice.steps,
    onInput: (chosen) => change({ steps: chosen }),
  });
  const switches = lines.map((line) => {
    const input = part(root, `holds-${line}`, HTMLInputElement);
    input.addEventListener("change", () => {
      const broken = new Set(choice.broken);
      if (input.checked) broken.delete(line);
      else broken.add(line);
      change({ broken });
    });
    return { line, input };
  });
  part(root, "reset", HTMLButtonElement).addEventListener("click", () => {
    change({ ...FALLBACK, broken: new Set() });
    tau.show(choice.tau);
    steps.show(choice.steps);
  });
  const grid = mazePicture(part(root, "maze", SVGSVGElement), (cell) => change({ cell: cell.state }));
  const loop = loopPicture(part(root, "loop", SVGSVGElement));
  const rows = vectorRows(part(root, "vectors", HTMLTableSectionElement));
  const title = part(root, "cell", HTMLElement);
  const note = part(root, "note", HTMLElement);

  function show(): void {
    const all = stepsInMaze(choice.tau, tableAfter(choice.steps), choice.broken);
    const first = stepsInMaze(choice.tau, tableAfter(0), new Set());
    const largest = Math.max(
      ...first.flatMap(({ softQ }) => Math.hypot(projected(softQ).x, projected(softQ).y)),
    );
    for (const { line, input } of switches) {
      input.checked = !choice.broken.has(line);
      input.closest("label")?.classList.toggle("broken", !input.checked);
    }
    grid(all, largest, choice.cell);
    const selected = all.find(({ state }) => state === choice.cell) ?? all[0];
    title.textContent = `Cell in ${cellName(cells[selected.state])}`;
    loop(selected);
    rows(selected, choice.broken.has("behaviour"));
    const words = noteOf(all, choice.broken);
    if (note.textContent !== words) note.textContent = words;
  }
  show();
}

function read(settings: Settings): Choice {
  const cell = readNumber(settings.get("cell"), { low: 0, high: maze.states - 1, fallback: FALLBACK.cell });
  const broken = (settings.get("broken") ?? "").split("_");
  return {
    tau: readTemperature(settings.get("tau"), TAUS, FALLBACK.tau),
    steps: Math.round(readNumber(settings.get("steps"), { low: 0, high: STEPS, fallback: FALLBACK.steps })),
    cell: acting.some(({ state }) => state === cell) ? cell : FALLBACK.cell,
    broken: new Set(lines.filter((line) => broken.includes(line))),
  };
}

function write(settings: Settings, { tau, steps, cell, broken }: Choice): void {
  settings.set("tau", temperatureText(tau, FALLBACK.tau));
  settings.set("steps", steps === FALLBACK.steps ? null : String(steps));
  settings.set("cell", cell === FALLBACK.cell ? null : String(cell));
  settings.set("broken", broken.size === 0 ? null : lines.filter((line) => broken.has(line)).join("_"));
}

function noteOf(all: readonly CellSteps[], broken: ReadonlySet<Line>): string {
  const largest = Math.max(...all.flatMap(({ difference }) => difference.map(Math.abs)));
  const differing = all.filter(({ difference }) => difference.some((x) => Math.abs(x) > ROUNDING)).length;
  if (broken.size === 0) {
    return `The theorem holds: the largest difference in the maze is ${roundingText(largest)}, which is rounding.`;
  }
  if (differing === 0) return "That line does not matter for these values: the difference is still zero.";
  const where = differing === all.length ? "in every cell" : `in ${differing} of ${all.length} cells`;
  return `Broken: the two steps differ ${where}, by up to ${decimals(largest, 3)} in one parameter.`;
}

/** Rounding by its power of ten, rounded up: `below 10⁻¹⁵`. */
function roundingText(value: number): string {
  return value === 0 ? "0" : `below ${powerText(10 ** Math.ceil(Math.log10(value)))}`;
}

/** A step of the four parameters of a cell as one arrow: right minus left, down minus up. */
function projected(step: readonly number[]): { readonly x: number; readonly y: number } {
  return {
    x: step.reduce((sum, value, a) => sum + value * directions[a].x, 0),
    y: step.reduce((sum, value, a) => sum + value * directions[a].y, 0),
  };
}

/** The maze with its arrows; returns what redraws it. */
function mazePicture(
  svg: SVGSVGElement,
  onSelect: (cell: Cell) => void,
): (all: readonly CellSteps[], largest: number, selected: number) => void {
  svg.setAttribute("role", "radiogroup");
  const squares = drawMaze(svg, SIZE);
  const parts = acting.map((cell) => {
    const { x, y } = centreOf(cell, SIZE);
    const group = drawn(svg, "g", { class: "choice", role: "radio" });
    const frame = drawn(group, "rect", { class: "select", x: x - SIZE / 2 + 2, y: y - SIZE / 2 + 2, rx: 3 });
    redraw(frame, { width: SIZE - 4, height: SIZE - 4 });
    const policy = drawn(group, "path", { class: "arrow pg wide-stroke" });
    const softQ = drawn(group, "path", { class: "arrow sq" });
    const edge = drawn(group, "path", { class: "arrow edge" });
    const difference = drawn(group, "path", { class: "arrow bad" });
    const value = drawn(group, "text", { class: "cell-value", x: x - SIZE / 2 + 9, y: y - SIZE / 2 + 21 });
    const error = drawn(group, "text", { class: "cell-error", x: x + SIZE / 2 - 9, y: y + SIZE / 2 - 10 });
    error.setAttribute("text-anchor", "end");
    group.addEventListener("click", () => onSelect(cell));
    group.addEventListener("keydown", (event) => {
      const towards = directions.find(
        ({ name }) => event.key === `Arrow${name[0].toUpperCase()}${name.slice(1)}`,
      );
      if (towards !== undefined) {
        event.preventDefault();
        const next = neighbour(cell, towards);
        onSelect(next);
        parts[acting.indexOf(next)].group.focus();
      } else if (event.key === " " || event.key === "Enter") {
        event.preventDefault();
        onSelect(cell);
      }
    });
    return { cell, group, policy, softQ, edge, difference, value, error };
  });
  return (all, largest, selected) => {
    for (const { cell, group, policy, softQ, edge, difference, value, error } of parts) {
      const steps = all.find(({ state }) => state === cell.state);
      if (steps === undefined) continue;
      const centre = centreOf(cell, SIZE);
      const [pg, sq] = [
        lengthened(projected(steps.policy), largest),
        lengthened(projected(steps.softQ), largest),
      ];
      const error2 = Math.max(...steps.difference.map(Math.abs));
      const differs = error2 > ROUNDING;
      squares[cell.state].style.fillOpacity = shade(steps.v).toFixed(3);
      redraw(policy, { d: arrowPath(centre, pg, 14) });
      // A short arrow of full width would have no shape.
      policy.style.strokeWidth = Math.min(9, 4 + Math.hypot(pg.x, pg.y) * 0.15).toFixed(1);
      redraw(softQ, { d: arrowPath(centre, sq, 14) });
      const gap = { x: sq.x - pg.x, y: sq.y - pg.y };
      const isLong = differs && Math.hypot(gap.x, gap.y) > 2;
      const d = isLong ? arrowPath({ x: centre.x + pg.x, y: centre.y + pg.y }, gap, 9) : "";
      redraw(edge, { d });
      redraw(difference, { d });
      value.textContent = decimals(steps.v, 2);
      error.textContent = differs ? `≠ ${error2 < 0.001 ? "<0.001" : decimals(error2, 3)}` : "";
      const isSelected = cell.state === selected;
      redraw(group, {
        "aria-checked": String(isSelected),
        tabindex: isSelected ? 0 : -1,
        "aria-label": `${cellName(cell)}: value ${decimals(steps.v, 2)}; the steps ${differs ? `differ by ${decimals(error2, 3)}` : "are equal"}`,
      });
    }
  };
}

/** The next cell in a direction in which one can be selected; the same cell at the edge. */
function neighbour(cell: Cell, { x, y }: { readonly x: number; readonly y: number }): Cell {
  for (let far = 1; far <= 3; far++) {
    const found = acting.find(
      ({ row, column }) => row === cell.row + far * y && column === cell.column + far * x,
    );
    if (found !== undefined) return found;
  }
  return cell;
}

/** On a square-root scale, so that small steps can be seen; the largest nearly reaches the edge of the cell. */
function lengthened({ x, y }: { x: number; y: number }, largest: number): { x: number; y: number } {
  const length = Math.hypot(x, y);
  if (length < ROUNDING) return { x: 0, y: 0 };
  const factor = (Math.min(1, Math.sqrt(length / largest)) * SIZE * 0.44) / length;
  return { x: x * factor, y: y * factor };
}

/** The weighted differences of the four actions, tip to tail: a closed loop where their sum is zero. */
function loopPicture(svg: SVGSVGElement): (steps: CellSteps) => void {
  svg.setAttribute("role", "img");
  return ({ samples, difference }) => {
    svg.replaceChildren();
    const corners = [{ x: 0, y: 0 }];
    for (const sample of samples) {
      const { x, y } = projected(sample);
      const last = corners[corners.length - 1];
      corners.push({ x: last.x + x, y: last.y + y });
    }
    const middle = (axis: "x" | "y") => {
      const along = corners.map((corner) => corner[axis]);
      return {
        centre: (Math.min(...along) + Math.max(...along)) / 2,
        size: Math.max(...along) - Math.min(...along),
      };
    };
    const [across, down] = [middle("x"), middle("y")];
    const size = Math.max(across.size, down.size);
    // What the table shows as 0.000 stays a point.
    const scale = 136 / Math.max(size, SMALLEST_LOOP);
    const at = ({ x, y }: { x: number; y: number }) => ({
      x: 100 + (x - across.centre) * scale,
      y: 100 + (y - down.centre) * scale,
    });
    samples.forEach((_, a) => {
      const [from, to] = [at(corners[a]), at(corners[a + 1])];
      const step = { x: to.x - from.x, y: to.y - from.y };
      drawn(svg, "path", { class: "arrow ink", d: arrowPath(from, step, 9) });
      const length = Math.hypot(step.x, step.y);
      if (length < 14) return;
      const [x, y] = [
        from.x + step.x / 2 - (12 * step.y) / length,
        from.y + step.y / 2 + (12 * step.x) / length,
      ];
      drawn(svg, "text", { class: "loop-name", x, y: y + 5, "text-anchor": "middle" }, directions[a].sign);
    });
    const isOpen = difference.some((x) => Math.abs(x) > ROUNDING);
    const [first, last] = [at(corners[0]), at(corners[samples.length])];
    drawn(svg, "circle", { class: isOpen ? "joint bad" : "joint", cx: first.x, cy: first.y, r: 4.5 });
    if (isOpen) {
      const step = { x: last.x - first.x, y: last.y - first.y };
      drawn(svg, "path", { class: "arrow bad", d: arrowPath(first, step, 9) });
    }
    svg.setAttribute(
      "aria-label",
      isOpen
        ? "The four weighted differences, tip to tail, do not end where they begin"
        : "The four weighted differences, tip to tail, form a closed loop",
    );
  };
}

/** The rows of the table of vectors; returns what rewrites them. */
function vectorRows(body: HTMLTableSectionElement): (steps: CellSteps, isOffPolicy: boolean) => void {
  const page = body.ownerDocument;
  const rowOf = (name: string, className: string) => {
    const row = body.insertRow();
    row.className = className;
    const head = page.createElement("th");
    head.scope = "row";
    head.textContent = name;
    row.append(head);
    return { head, cells: directions.map(() => row.insertCell()) };
  };
  const softQ = rowOf("soft-Q step", "sq");
  const policy = rowOf("PG + value", "pg");
  const samples = directions.map(({ sign }, a) => rowOf(sign, a === 0 ? "sample first" : "sample"));
  const sum = rowOf("sum of gaps", "total");
  const write = (row: { readonly cells: readonly HTMLElement[] }, numbers: readonly number[]) =>
    numbers.forEach((value, i) => {
      row.cells[i].textContent = decimals(value, 3);
    });
  return (steps, isOffPolicy) => {
    write(softQ, steps.softQ);
    write(policy, steps.policy);
    steps.samples.forEach((sample, a) => {
      write(samples[a], sample);
      const p = decimals(steps.probabilities[a], 2);
      samples[a].head.textContent = `gap if ${directions[a].sign}, × ${isOffPolicy ? "π̄" : "π"} = ${p}`;
    });
    write(sum, steps.difference);
    const isOpen = steps.difference.some((x) => Math.abs(x) > ROUNDING);
    sum.head.parentElement?.classList.toggle("bad", isOpen);
  };
}
