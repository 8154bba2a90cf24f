import type { Figure } from "./figure.js";

/**
 * Draws a figure as SVG. What draws it is loaded with the first one: no command should wait for it that draws nothing.
 * @param width in millimetres, for a page of a paper, 85 for a column; undefined for a screen
 */
export async function drawFigure(figure: Figure, width?: number): Promise<string> {
  const { figureSvg } = await import("./figure.js");
  return figureSvg(figure, width);
}
