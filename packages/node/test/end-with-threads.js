// Trains with threads of WebAssembly, leaves them open, and prints how many there are: training.test.ts expects it to end.
import { nodeWorkers } from "@softrl/node";
import { a2c, createThreadedWasmExecutor, createTrainer, MemoryRunStore, makeEnvironment } from "softrl";

let started = 0;
process.on("worker", () => started++);

const trainer = createTrainer({
  algorithm: a2c,
  environment: makeEnvironment("MinAtar/Breakout-v1", 16),
  executor: await createThreadedWasmExecutor({ threads: 2, host: nodeWorkers }),
  store: new MemoryRunStore(),
  settings: { run: { steps: 1000 } },
});
await trainer.start();
await trainer.iterate();
process.once("exit", () => console.log(JSON.stringify({ started })));
