import { oncePerFrame, part } from "../controls/part.js";
import { slider } from "../controls/slider.js";
import { nearest, readTemperature, temperatures, temperatureText } from "../controls/temperatures.js";
import { arrowPath } from "../drawing/arrow.js";
import { drawn, redraw } from "../drawing/drawn.js";
import { chartArea, drawLineChart } from "../drawing/line-chart.js";
import { decimals, shortNumber } from "../drawing/number-text.js";
import { linearScale, logScale } from "../drawing/scale.js";
import { readNumber, type Settings } from "../state/settings.js";
import { cellName, cells, centreOf, directions, drawMaze, maze, shade } from "./maze.js";
import {
  solveTemperature,
  sweepTemperatures,
  type TemperatureFacts,
  type TemperatureSolution,
} from "./temperature-sweep.js";

const TAUS = temperatures(0.01, 10);
/** Enough for a smooth curve. */
const DRAWN = temperatures(0.01, 10, 10);
const GAMMAS = [0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99];
const FALLBACK = { tau: 0.1, gamma: 0.9 } as const;
const BACKUPS = 120;
const LOWEST_ERROR = 1e-8;
const SIZE = 65;

const { left, right, top, bottom } = chartArea;
const tauAxis = { scale: logScale([0.01, 10], [left, right]), label: "temperature τ" };
const backupAxis = { scale: linearScale([0, BACKUPS], [left, right], [0, 40, 80, 120]), format: String };

/**
 * Figure: the best policy of a maze at each temperature, with its softness, its regret, and the errors of value iteration
 * on the way to it. A slider, or a drag in a chart, chooses τ; another slider γ.
 */
export function whatTauDoes(root: HTMLElement, settings: Settings): void {
  let [tau, gamma] = [
    readTemperature(settings.get("tau"), TAUS, FALLBACK.tau),
    nearest(GAMMAS, readNumber(settings.get("gamma"), { low: 0.01, high: 0.999, fallback: FALLBACK.gamma })),
  ];
  let sweep = sweepTemperatures(DRAWN, gamma);
  const draw = oncePerFrame(() => show());
  const change = (nextTau: number, nextGamma: number) => {
    if (nextGamma !== gamma) sweep = sweepTemperatures(DRAWN, nextGamma);
    [tau, gamma] = [nextTau, nextGamma];
    settings.set("tau", temperatureText(tau, FALLBACK.tau));
    settings.set("gamma", gamma === FALLBACK.gamma ? null : String(gamma));
    draw();
  };
  const tauSlider = slider(part(root, "tau", HTMLElement), {
    label: "Temperature τ",
    values: TAUS,
    text: shortNumber,
    start: tau,
    onInput: (chosen) => change(chosen, gamma),
  });
  const gammaSlider = slider(part(root, "gamma", HTMLElement), {
    label: "Discount γ",
    values: GAMMAS,
    text: String,
    start: gamma,
    onInput: (chosen) => change(tau, chosen),
  });
  part(root, "reset", HTMLButtonElement).addEventListener("click", () => {
    change(FALLBACK.tau, FALLBACK.gamma);
    tauSlider.show(tau);
    gammaSlider.show(gamma);
  });
  const [softness, regret] = [part(root, "softness", SVGSVGElement), part(root, "regret", SVGSVGElement)];
  for (const chart of [softness, regret]) {
    dragAlong(chart, (x) => {
      change(nearest(TAUS, tauAxis.scale.of(Math.min(right, Math.max(left, x)))), gamma);
      tauSlider.show(tau);
    });
  }
  const contraction = part(root, "contraction", SVGSVGElement);
  const policy = policyPicture(part(root, "maze", SVGSVGElement));
  const note = part(root, "note", HTMLElement);

  function show(): void {
    const solution = solveTemperature(tau, gamma, 2000);
    policy(solution);
    drawSoftness(softness, sweep, solution);
    drawRegret(regret, sweep, solution);
    drawContraction(contraction, solution, gamma);
    const words = noteOf(solution);
    if (note.textContent !== words) note.textContent = words;
  }
  show();
}

function noteOf({ tau, softness, regret, errors }: TemperatureSolution): string {
  const needed = errors.findIndex((error) => error < 1e-6);
  const backups = needed < 0 ? "" : ` Value iteration needs ${needed} backups to an error of 10⁻⁶.`;
  return `At τ = ${shortNumber(tau)} the best policy has ${decimals(softness, 2)} moves in play and gives up ${decimals(regret, 3)} of reward.${backups}`;
}

function drawSoftness(
  svg: SVGSVGElement,
  sweep: readonly TemperatureFacts[],
  now: TemperatureSolution,
): void {
  drawLineChart(svg, {
    x: tauAxis,
    y: { scale: linearScale([1, 4], [bottom, top], [1, 2, 3, 4]), label: "", format: String },
    lines: [{ className: "ink", points: sweep.map((facts) => [facts.tau, facts.softness]) }],
    mark: { x: now.tau, y: now.softness, text: decimals(now.softness, 2), className: "ink" },
  });
  svg.setAttribute(
    "aria-label",
    `Effective number of actions against temperature: ${decimals(now.softness, 2)} here`,
  );
}

function drawRegret(svg: SVGSVGElement, sweep: readonly TemperatureFacts[], now: TemperatureSolution): void {
  const high = Math.max(0.01, ...sweep.map((facts) => facts.regret)) * 1.08;
  drawLineChart(svg, {
    x: tauAxis,
    y: { scale: linearScale([0, high], [bottom, top]), label: "", format: (tick) => String(tick) },
    lines: [{ className: "ink", points: sweep.map((facts) => [facts.tau, facts.regret]) }],
    mark: { x: now.tau, y: now.regret, text: decimals(now.regret, 3), className: "ink" },
  });
  svg.setAttribute("aria-label", `Reward given up against temperature: ${decimals(now.regret, 3)} here`);
}

function drawContraction(svg: SVGSVGElement, { errors }: TemperatureSolution, gamma: number): void {
  const bound = Array.from({ length: BACKUPS + 1 }, (_, n) => [n, errors[0] * gamma ** n] as const);
  const highest = 10 ** Math.max(0, Math.ceil(Math.log10(errors[0])));
  drawLineChart(svg, {
    x: { ...backupAxis, label: "backups n" },
    y: { scale: logScale([LOWEST_ERROR, highest], [bottom, top], 2), label: "" },
    lines: [
      { className: "bound", points: bound },
      { className: "ink", points: errors.slice(0, BACKUPS + 1).map((error, n) => [n, error] as const) },
    ],
  });
  const y = Math.max(
    top + 10,
    Math.min(bottom - 8, logScale([LOWEST_ERROR, highest], [bottom, top]).at(bound[60][1]) - 8),
  );
  drawn(svg, "text", { class: "value grey", x: backupAxis.scale.at(62), y }, "bound γⁿ");
  svg.setAttribute("aria-label", `Error against number of backups, below its bound γ to the n, γ = ${gamma}`);
}

/** The maze with the probabilities of moves as arrows; returns what redraws it. */
function policyPicture(svg: SVGSVGElement): (solution: TemperatureSolution) => void {
  svg.setAttribute("role", "img");
  const squares = drawMaze(svg, SIZE, 5);
  const arrows = cells
    .filter(({ state }) => maze.terminal[state] === 0)
    .map((cell) => ({
      cell,
      value: drawn(svg, "text", {
        class: "cell-value small",
        x: 6 + cell.column * SIZE + 3,
        y: 6 + cell.row * SIZE + 16,
      }),
      moves: directions.map(() => drawn(svg, "path", { class: "arrow pg" })),
    }));
  return ({ v, pi, tau }) => {
    let likeliest = "";
    for (const { cell, value, moves } of arrows) {
      // Below the middle: the value is above it.
      const middle = centreOf(cell, SIZE, 5);
      const centre = { x: middle.x, y: middle.y + 7 };
      squares[cell.state].style.fillOpacity = shade(v[cell.state]).toFixed(3);
      value.textContent = decimals(v[cell.state], 2);
      const chances = directions.map((_, a) => pi[cell.state * maze.actions + a]);
      directions.forEach(({ x, y }, a) => {
        const length = chances[a] * SIZE * 0.4;
        redraw(moves[a], { d: length < 1.5 ? "" : arrowPath(centre, { x: x * length, y: y * length }, 8) });
      });
      const best = chances.indexOf(Math.max(...chances));
      likeliest += ` ${cellName(cell)} ${directions[best].name} ${decimals(chances[best], 2)};`;
    }
    svg.setAttribute(
      "aria-label",
      `Maze at temperature ${shortNumber(tau)}, the likeliest move of each cell:${likeliest}`,
    );
  };
}

/** Calls back with the place of a pointer that presses and moves in a chart. */
function dragAlong(svg: SVGSVGElement, onPlace: (x: number) => void): void {
  svg.classList.add("draggable");
  const report = (event: PointerEvent) => {
    const box = svg.getBoundingClientRect();
    onPlace(((event.clientX - box.left) / box.width) * svg.viewBox.baseVal.width);
  };
  svg.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    svg.setPointerCapture(event.pointerId);
    report(event);
  });
  svg.addEventListener("pointermove", (event) => {
    if (svg.hasPointerCapture(event.pointerId)) report(event);
  });
}
