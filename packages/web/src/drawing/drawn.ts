import { svgElement } from "./svg-element.js";

/** Attributes of an element of an SVG. */
export type Attributes = Readonly<Record<string, string | number>>;

/** Draws an element in a page: makes it, appends it to `parent` and returns it. */
export function drawn(parent: SVGElement, name: string, attributes: Attributes = {}, text = ""): SVGElement {
  const made = svgElement(parent.ownerDocument, name, attributes, text);
  parent.append(made);
  return made;
}

/** Sets attributes of an element that is drawn. */
export function redraw(element: SVGElement, attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
}

/** A number of an attribute: hundredths are enough for a screen. */
export const place = (value: number): number => Math.round(value * 100) / 100;
