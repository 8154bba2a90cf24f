export { drawFigure } from "./figures/draw-figure.js";
export type { Figure, FigureAxis, FigureSeries } from "./figures/figure.js";
export { main } from "./main.js";
export { INTERRUPTED } from "./terminal/interrupt.js";
