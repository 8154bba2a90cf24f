export { type Figure, type FigureAxis, type FigureSeries, figureSvg } from "./figure.js";
export { INTERRUPTED } from "./interrupt.js";
export { main } from "./main.js";
export { nodeWorkers } from "./node-workers.js";
