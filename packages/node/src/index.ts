export { nodeWorkers, whyNoWorkers } from "./node-workers.js";
export { type TrainingWorkersOptions, trainingWorkers } from "./training-workers.js";
