import { type Knob, knob } from "../controls/knob.js";
import { oncePerFrame, part } from "../controls/part.js";
import { slider } from "../controls/slider.js";
import { readTemperature, temperatures, temperatureText } from "../controls/temperatures.js";
import { drawn, redraw } from "../drawing/drawn.js";
import { decimals, shortNumber } from "../drawing/number-text.js";
import { linearScale } from "../drawing/scale.js";
import { numbersText, readNumbers, type Settings } from "../state/settings.js";
import {
  LOWEST_PROBABILITY,
  type Sides,
  type SidesSolution,
  solveSides,
  withPolicy,
  withProbability,
} from "./sides.js";

const ACTIONS = ["a", "b", "c", "d"] as const;
const FALLBACK: Sides = { q: [0.9, 0.5, -0.1, -0.7], prior: [0.25, 0.25, 0.25, 0.25], tau: 0.5 };
const TAUS = [0, ...temperatures(0.02, 20), Number.POSITIVE_INFINITY];
/** Dragging a policy can move values far beyond what the picture shows. */
const LIMIT = 1000;

const LEFT = 40;
const COLUMN = 66;
const [TOP, BOTTOM] = [16, 186];
const KNOB_TOP = { top: TOP - 14, height: BOTTOM - TOP + 28 };
const values = linearScale([-2, 2], [BOTTOM, TOP], [-2, -1, 0, 1, 2]);
const chances = linearScale([0, 1], [BOTTOM, TOP], [0, 0.25, 0.5, 0.75, 1]);
const middle = (action: number) => LEFT + 6 + COLUMN * (action + 0.5);

/**
 * Figure: bars of Q, π and π̄ with a slider for τ. Drag Q or π̄, and π follows; drag π, and Q follows; drag V, and all of Q
 * follows.
 */
export function dragEitherSide(root: HTMLElement, settings: Settings): void {
  let sides = read(settings);
  let solution = solveSides(sides);
  const draw = oncePerFrame(() => show());
  const change = (next: Sides) => {
    sides = { ...next, q: next.q.map((x) => Math.min(LIMIT, Math.max(-LIMIT, x))) };
    solution = solveSides(sides);
    write(settings, sides);
    draw();
  };

  const tau = slider(part(root, "tau", HTMLElement), {
    label: "Temperature τ",
    values: TAUS,
    text: tauText,
    start: sides.tau,
    ends: ["0, greedy", "∞, the reference"],
    onInput: (chosen) => change({ ...sides, tau: chosen }),
  });
  part(root, "reset", HTMLButtonElement).addEventListener("click", () => {
    change(FALLBACK);
    tau.show(sides.tau);
  });

  const q = valuePanel(part(root, "q", SVGSVGElement), {
    onValue: (action, value) => change({ ...sides, q: replaced(sides.q, action, value) }),
    onV: (v) => change({ ...sides, q: sides.q.map((x) => x + v - solution.v) }),
  });
  const pi = chancePanel(part(root, "pi", SVGSVGElement), "π", "pg", (action, p) =>
    change(withPolicy(sides, solution.v, withProbability(solution.pi, action, p))),
  );
  const prior = chancePanel(part(root, "prior", SVGSVGElement), "π̄", "grey", (action, p) =>
    change({ ...sides, prior: withProbability(sides.prior, action, p) }),
  );
  const rows = identityRows(part(root, "sums", HTMLTableSectionElement));
  const note = part(root, "note", HTMLElement);

  function show(): void {
    q(sides, solution);
    const limit = sides.tau === 0 || sides.tau === Number.POSITIVE_INFINITY;
    pi(solution.pi, sides.prior, limit);
    prior(sides.prior, [], false);
    rows(sides, solution);
    const words = noteOf(sides, solution);
    if (note.textContent !== words) note.textContent = words;
  }
  show();
}

const tauText = (tau: number) =>
  tau === 0 ? "→ 0" : tau === Number.POSITIVE_INFINITY ? "→ ∞" : shortNumber(tau);

const replaced = (numbers: readonly number[], at: number, value: number) =>
  numbers.map((x, i) => (i === at ? value : x));

function read(settings: Settings): Sides {
  const q = readNumbers(settings.get("q"), { low: -LIMIT, high: LIMIT, fallback: FALLBACK.q });
  const weights = readNumbers(settings.get("prior"), {
    low: LOWEST_PROBABILITY,
    high: 1,
    fallback: FALLBACK.prior,
  });
  const sum = weights.reduce((total, x) => total + x, 0);
  return {
    q,
    prior: weights.map((x) => x / sum),
    tau: readTemperature(settings.get("tau"), TAUS, FALLBACK.tau),
  };
}

function write(settings: Settings, { q, prior, tau }: Sides): void {
  const unless = (numbers: readonly number[], fallback: readonly number[]) => {
    const text = numbersText(numbers);
    return text === numbersText(fallback) ? null : text;
  };
  settings.set("q", unless(q, FALLBACK.q));
  settings.set("prior", unless(prior, FALLBACK.prior));
  settings.set("tau", temperatureText(tau, FALLBACK.tau));
}

function noteOf({ q, tau }: Sides, { pi }: SidesSolution): string {
  if (tau === 0) {
    return "At τ → 0 the policy is greedy and V is the maximum of Q. The policy no longer shows how much the other actions are worth, so it cannot be dragged; τ log(π/π̄) is the limit, as τ falls to 0.";
  }
  if (tau === Number.POSITIVE_INFINITY) {
    return "At τ → ∞ any step away from π̄ is too expensive: the policy is π̄ and V is the mean of Q. The policy cannot be dragged; τ log(π/π̄) is the limit, as τ grows.";
  }
  if (Math.max(...q) - Math.min(...q) > 4) {
    return "A value is outside the picture: at this temperature only a large difference in value explains such a policy.";
  }
  if (q.some((x) => Math.abs(x) > 2)) {
    return "A value is outside the picture, which ends at 2 and −2. The policy depends on the differences of the values alone.";
  }
  const best = pi.indexOf(Math.max(...pi));
  return `The most probable action is ${ACTIONS[best]}, with probability ${decimals(pi[best], 2)}.`;
}

/** The bars of Q with the line of V; returns what redraws them. */
function valuePanel(
  svg: SVGSVGElement,
  { onValue, onV }: { onValue: (action: number, value: number) => void; onV: (v: number) => void },
): (sides: Sides, solution: SidesSolution) => void {
  const right = LEFT + 6 + COLUMN * ACTIONS.length;
  frame(svg, values.ticks, values.at, (tick) => decimals(tick, 0), right);
  const bars = ACTIONS.map((_, action) => ({
    base: drawn(svg, "rect", { class: "bar base", x: middle(action) - 20, width: 40 }),
    rest: drawn(svg, "rect", { class: "bar sq", x: middle(action) - 20, width: 40 }),
    text: drawn(svg, "text", { class: "value sq", x: middle(action), "text-anchor": "middle" }),
  }));
  const range = drawn(svg, "line", { class: "range", x1: right + 6, x2: right + 6 });
  const line = drawn(svg, "line", { class: "v-line", x1: LEFT, x2: right + 6 });
  const name = drawn(svg, "text", { class: "value", x: right + 4, "text-anchor": "end" });
  const knobs = ACTIONS.map((action, i) =>
    knob(svg, {
      ...{ label: `Q of action ${action}`, className: "sq", x: middle(i), toValue: values.of },
      ...{ low: -2, high: 2, step: 0.05, page: 0.5 },
      column: { x: middle(i) - COLUMN / 2 + 1, width: COLUMN - 2, ...KNOB_TOP },
      onInput: (value) => onValue(i, value),
    }),
  );
  const vKnob = knob(svg, {
    ...{ label: "V", className: "v", x: right + 6, toValue: values.of },
    ...{ low: -2, high: 2, step: 0.05, page: 0.5 },
    column: { x: right - 2, width: 28, ...KNOB_TOP },
    onInput: onV,
  });
  return ({ q }, { v, meanOfQ, maximumOfQ, advantages }) => {
    const at = (value: number) => values.at(Math.min(2, Math.max(-2, value)));
    q.forEach((value, i) => {
      const { base, rest, text } = bars[i];
      redraw(base, between(at(0), at(v)));
      redraw(rest, between(at(v), at(value)));
      const above = value >= v;
      // Within the picture: outside it are the title and the names of the actions.
      const isAbove = value > 2 ? false : value < -2 ? true : above;
      redraw(text, { y: at(value) + (isAbove ? -16 : 26) });
      text.textContent = `${decimals(value, 2)}${value > 2 ? " ↑" : value < -2 ? " ↓" : ""}`;
      const words = `${decimals(value, 2)}: V ${advantages[i] < 0 ? "minus" : "plus"} ${decimals(Math.abs(advantages[i]), 2)}`;
      knobs[i].show({ y: at(value), value, text: words, disabled: false });
    });
    redraw(line, { y1: at(v), y2: at(v) });
    redraw(range, { y1: at(meanOfQ), y2: at(maximumOfQ) });
    redraw(name, { y: at(v) - 7 });
    name.textContent = `V = ${decimals(v, 2)}`;
    vKnob.show({ y: at(v), value: v, text: decimals(v, 2), disabled: false });
  };
}

/** The bars of a distribution, with a line at those of another one; returns what redraws them. */
function chancePanel(
  svg: SVGSVGElement,
  symbol: string,
  className: string,
  onInput: (action: number, p: number) => void,
): (p: readonly number[], beside: readonly number[], disabled: boolean) => void {
  const right = LEFT + 6 + COLUMN * ACTIONS.length;
  frame(svg, chances.ticks, chances.at, (tick) => String(tick), right);
  const bars = ACTIONS.map((_, i) =>
    drawn(svg, "rect", { class: `bar ${className}`, x: middle(i) - 20, width: 40 }),
  );
  // Hidden until there is something to compare with.
  const marks = ACTIONS.map((_, i) =>
    drawn(svg, "line", { class: "beside", visibility: "hidden", x1: middle(i) - 27, x2: middle(i) + 27 }),
  );
  const texts = ACTIONS.map((_, i) =>
    drawn(svg, "text", { class: `value ${className}`, x: middle(i), "text-anchor": "middle" }),
  );
  const knobs: readonly Knob[] = ACTIONS.map((action, i) =>
    knob(svg, {
      ...{ label: `${symbol} of action ${action}`, className, x: middle(i), toValue: chances.of },
      ...{ low: LOWEST_PROBABILITY, high: 0.994, step: 0.01, page: 0.1 },
      column: { x: middle(i) - COLUMN / 2 + 1, width: COLUMN - 2, ...KNOB_TOP },
      onInput: (p) => onInput(i, p),
    }),
  );
  return (p, beside, disabled) => {
    svg.classList.toggle("disabled", disabled);
    p.forEach((x, i) => {
      const y = chances.at(x);
      redraw(bars[i], between(chances.at(0), y));
      redraw(texts[i], {
        y: y < TOP + 24 ? y + 30 : y - 16,
        class: `value ${y < TOP + 24 ? "on-bar" : className}`,
      });
      texts[i].textContent = x < 0.001 ? "0" : decimals(x, x < 0.01 ? 3 : 2);
      const at = beside[i];
      if (at !== undefined)
        redraw(marks[i], { visibility: "visible", y1: chances.at(at), y2: chances.at(at) });
      knobs[i].show({ y, value: x, text: decimals(x, 3), disabled });
    });
  };
}

const between = (one: number, other: number) => ({ y: Math.min(one, other), height: Math.abs(one - other) });

function frame(
  svg: SVGSVGElement,
  ticks: readonly number[],
  at: (tick: number) => number,
  text: (tick: number) => string,
  right: number,
): void {
  svg.setAttribute("role", "group");
  const grid = drawn(svg, "g", { class: "grid", "aria-hidden": "true" });
  const axis = drawn(svg, "g", { class: "axis", "aria-hidden": "true" });
  for (const tick of ticks) {
    drawn(grid, "line", { class: tick === 0 ? "zero" : "", x1: LEFT, x2: right, y1: at(tick), y2: at(tick) });
    drawn(axis, "text", { x: LEFT - 8, y: at(tick) + 4, "text-anchor": "end" }, text(tick));
  }
  ACTIONS.forEach((action, i) => {
    drawn(axis, "text", { class: "name", x: middle(i), y: BOTTOM + 28, "text-anchor": "middle" }, action);
  });
}

/** The rows of the table Q = V + τ log(π/π̄); returns what rewrites them. */
function identityRows(body: HTMLTableSectionElement): (sides: Sides, solution: SidesSolution) => void {
  const cells = ACTIONS.map((action) => {
    const row = body.insertRow();
    const head = body.ownerDocument.createElement("th");
    head.scope = "row";
    head.textContent = action;
    row.append(head);
    const [q, equals, v, plus, rest] = Array.from({ length: 5 }, () => row.insertCell());
    [q.className, rest.className] = ["sq", "pg"];
    [equals.textContent, plus.textContent] = ["=", "+"];
    return { q, v, rest };
  });
  return (sides, { v, advantages }) =>
    cells.forEach((cell, i) => {
      cell.q.textContent = decimals(sides.q[i], 3);
      cell.v.textContent = decimals(v, 3);
      cell.rest.textContent = decimals(advantages[i], 3);
    });
}
