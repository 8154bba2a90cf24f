import { Html, html } from "./html.js";

/** An SVG file as an element of a page: named for those who do not see it, and without its namespace. */
export function inlineSvg(svg: string, name: string): Html {
  const { text: label } = html`${name}`;
  const element = svg.replaceAll(' xmlns="http://www.w3.org/2000/svg"', "");
  return Html.trusted(element.replace("<svg", () => `<svg role="img" aria-label="${label}"`).trim());
}
