export { type Figure, type FigureAxis, type FigureSeries, figureSvg } from "./figures/figure.js";
export { main } from "./main.js";
export { nodeWorkers } from "./runs/node-workers.js";
export { INTERRUPTED } from "./terminal/interrupt.js";
