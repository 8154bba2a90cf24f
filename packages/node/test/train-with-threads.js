// Trains with worker threads and prints what came of it, as JSON: training.test.ts runs this on the built packages, since
// a worker thread loads no TypeScript.
import { trainingWorkers } from "@softrl/node";
import { a3c, createTrainer, createWasmExecutor, MemoryRunStore, makeEnvironment } from "softrl";
import fragile from "./fragile-environment.js";

const executor = await createWasmExecutor();
let alive = 0;
process.on("worker", (worker) => {
  alive++;
  worker.once("exit", () => alive--);
});

/** A run of two workers, to its end or its error. */
async function train(environment, options) {
  const store = new MemoryRunStore();
  const trainer = createTrainer({
    algorithm: a3c,
    environment,
    executor,
    store,
    settings: { run: { steps: 3000, checkpointEvery: 500 }, algorithm: { workers: 2 } },
    workers: trainingWorkers(options),
  });
  try {
    await trainer.start();
    while (!trainer.done) await trainer.iterate();
    const result = await trainer.finish();
    return { result, policy: trainer.algorithm.policy.save() };
  } catch (error) {
    return { error: { name: error.name, code: error.code, message: error.message }, step: trainer.step };
  } finally {
    await trainer.algorithm.close?.();
  }
}

const modules = { environment: new URL("./fragile-environment.js", import.meta.url).href };
const outcomes = { whole: await train(makeEnvironment("CartPole-v1", 2), {}) };
const { policy } = outcomes.whole;
outcomes.whole.policy = Object.values(policy).every((entry) =>
  (entry.values ?? entry).every(Number.isFinite),
);
outcomes.unknown = await train(fragile.make(1, {}), {});
for (const how of ["throw", "reject", "exit", "hang"]) {
  process.env.FRAGILE = `${how}@700`;
  outcomes[how] = await train(fragile.make(1, {}), how === "hang" ? { modules, patience: 1 } : { modules });
}
await new Promise(setImmediate);
process.stdout.write(JSON.stringify({ outcomes, alive }));
