export { INTERRUPTED } from "./interrupt.js";
export { main } from "./main.js";
export { nodeWorkers } from "./node-workers.js";
