import type { Figure } from "./figure.js";

/** Draws a figure as SVG. What draws it is loaded with the first one: no command should wait for it that draws nothing. */
export async function drawFigure(figure: Figure): Promise<string> {
  const { figureSvg } = await import("./figure.js");
  return figureSvg(figure);
}
