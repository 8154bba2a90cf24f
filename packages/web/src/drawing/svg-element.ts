/** The namespace of SVG. */
export const SVG = "http://www.w3.org/2000/svg";

/** An element of an SVG with its attributes and its text. */
export function svgElement(
  document: Document,
  name: string,
  attributes: Readonly<Record<string, string | number>>,
  content = "",
): SVGElement {
  const made = document.createElementNS(SVG, name) as SVGElement;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  if (content !== "") made.textContent = content;
  return made;
}
