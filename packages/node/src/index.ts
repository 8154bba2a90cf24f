export { nodeWorkers, whyNoWorkers } from "./node-workers.js";
