/// <reference types="node" preserve="true" />
export { drawFigure } from "./figures/draw-figure.js";
export type { Figure, FigureAxis, FigureSeries } from "./figures/figure.js";
export { main } from "./main.js";
export { endWithoutFiles, reportAllErrors } from "./process-end.js";
export { readDefinition, type SweepDefinition, type SweepVariant } from "./sweeps/definition.js";
export { readResults, type SweepResult } from "./sweeps/results-file.js";
export { INTERRUPTED } from "./terminal/interrupt.js";
