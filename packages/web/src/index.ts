export { COLOURS, DARK, DASHES, darkRules, GREY, PAPER, TEXT } from "./drawing/ink.js";
export { SVG, svgElement } from "./drawing/svg-element.js";
