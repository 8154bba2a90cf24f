/** A slider over a list of values. */
export interface SliderOptions<Value> {
  readonly label: string;
  /** From left to right. */
  readonly values: readonly Value[];
  /** How a value is shown, and read aloud. */
  readonly text: (value: Value) => string;
  readonly start: Value;
  /** What stands below the slider's ends. */
  readonly ends?: readonly [string, string];
  readonly onInput: (value: Value) => void;
}

/** A slider in a page. */
export interface Slider<Value> {
  /** Moves it to a value of its list without calling onInput. */
  show(value: Value): void;
}

let count = 0;

/** Fills `host` with a label, a slider and the present value. */
export function slider<Value>(host: HTMLElement, options: SliderOptions<Value>): Slider<Value> {
  const { label, values, text, start, ends, onInput } = options;
  const page = host.ownerDocument;
  const id = `slider-${++count}`;
  const name = page.createElement("label");
  name.htmlFor = id;
  name.textContent = label;
  const input = page.createElement("input");
  Object.assign(input, { type: "range", id, min: "0", max: String(values.length - 1), step: "1" });
  const value = page.createElement("output");
  value.htmlFor.add(id);
  const show = (chosen: Value) => {
    input.value = String(Math.max(0, values.indexOf(chosen)));
    value.textContent = text(chosen);
    input.setAttribute("aria-valuetext", `${label} ${text(chosen)}`);
  };
  input.addEventListener("input", () => {
    const chosen = values[Number(input.value)];
    show(chosen);
    onInput(chosen);
  });
  host.replaceChildren(name, input, value);
  if (ends !== undefined) {
    const scale = page.createElement("span");
    scale.className = "ends";
    scale.ariaHidden = "true";
    for (const end of ends) {
      const one = page.createElement("span");
      one.textContent = end;
      scale.append(one);
    }
    host.append(scale);
  }
  show(start);
  return { show };
}
