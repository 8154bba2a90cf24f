// A thread of WebAssembly's kernels; started by src/node-workers.ts.
import { workerData } from "node:worker_threads";
import { joinCrew } from "softrl";

joinCrew(workerData);
