import { drawn, redraw } from "../drawing/drawn.js";

/** A knob that moves up and down in a column of a picture: with the pointer, or with the keys of a slider. */
export interface KnobOptions {
  readonly label: string;
  readonly className: string;
  /** The column that it moves in; a mouse may press anywhere in it. */
  readonly column: {
    readonly x: number;
    readonly width: number;
    readonly top: number;
    readonly height: number;
  };
  /** Where the knob is in it. */
  readonly x: number;
  readonly toValue: (y: number) => number;
  readonly low: number;
  readonly high: number;
  /** Steps of the arrow keys and of the page keys. */
  readonly step: number;
  readonly page: number;
  readonly onInput: (value: number) => void;
}

/** What a knob shows. */
export interface KnobState {
  readonly y: number;
  readonly value: number;
  readonly text: string;
  readonly disabled: boolean;
}

/** A knob in a picture. */
export interface Knob {
  show(state: KnobState): void;
}

/** Draws a knob, to be shown at once. */
export function knob(svg: SVGSVGElement, options: KnobOptions): Knob {
  const { label, className, column, x, toValue, low, high, step, page, onInput } = options;
  let state: KnobState = { y: 0, value: 0, text: "", disabled: false };
  const group = drawn(svg, "g", {
    class: `knob ${className}`,
    role: "slider",
    tabindex: 0,
    "aria-label": label,
    "aria-orientation": "vertical",
    "aria-valuemin": low,
    "aria-valuemax": high,
  });
  drawn(group, "rect", { class: "column", ...column, y: column.top });
  // A finger needs more room than the knob takes.
  const touch = drawn(group, "circle", { class: "touch", cx: x, r: 22 });
  const ring = drawn(group, "circle", { class: "ring", cx: x, r: 12 });
  const dot = drawn(group, "circle", { class: "dot", cx: x, r: 7 });
  const choose = (value: number) => {
    if (!state.disabled) onInput(Math.min(high, Math.max(low, value)));
  };
  const chooseAt = (event: PointerEvent) => {
    const { top, height } = svg.getBoundingClientRect();
    choose(toValue(((event.clientY - top) / height) * svg.viewBox.baseVal.height));
  };
  // Inside an SVG, `touch-action` does not keep browsers from scrolling.
  touch.addEventListener("touchstart", (event) => event.preventDefault(), { passive: false });
  group.addEventListener("pointerdown", (event) => {
    // A finger beside the knob scrolls the page.
    if (event.button !== 0 || (event.pointerType === "touch" && event.target !== touch)) return;
    event.preventDefault();
    group.focus();
    group.setPointerCapture(event.pointerId);
    chooseAt(event);
  });
  group.addEventListener("pointermove", (event) => {
    if (group.hasPointerCapture(event.pointerId)) chooseAt(event);
  });
  group.addEventListener("keydown", (event) => {
    const moves: Readonly<Record<string, number>> = {
      ArrowUp: state.value + step,
      ArrowRight: state.value + step,
      ArrowDown: state.value - step,
      ArrowLeft: state.value - step,
      PageUp: state.value + page,
      PageDown: state.value - page,
      Home: low,
      End: high,
    };
    const value = moves[event.key];
    if (value === undefined) return;
    event.preventDefault();
    choose(value);
  });
  return {
    show(next) {
      state = next;
      for (const circle of [touch, ring, dot]) redraw(circle, { cy: next.y });
      redraw(group, {
        "aria-valuenow": Number(next.value.toFixed(3)),
        "aria-valuetext": next.text,
        "aria-disabled": String(next.disabled),
      });
    },
  };
}
