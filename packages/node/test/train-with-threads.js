// Trains with worker threads and prints what came of it, as JSON: training.test.ts runs this on the built packages, since
// a worker thread loads no TypeScript.
import { trainingWorkers } from "@softrl/node";
import { a3c, CartPole, createTrainer, createWasmExecutor, MemoryRunStore, makeEnvironment } from "softrl";
import fragile from "./fragile-environment.js";
import frozenSgd from "./frozen-sgd.js";

const executor = await createWasmExecutor();
let alive = 0;
process.on("worker", (worker) => {
  alive++;
  worker.once("exit", () => alive--);
});

/** A run of two workers, to its end or its error. */
async function train(environment, options, parts = {}) {
  const store = new MemoryRunStore();
  const trainer = createTrainer({
    algorithm: a3c,
    environment,
    executor,
    store,
    settings: {
      run: { steps: 3000, checkpointEvery: 500 },
      // Without statistics of the observations, an optimiser alone moves what is learned.
      network: { inputs: "raw" },
      algorithm: { workers: 2 },
    },
    workers: trainingWorkers(options),
    ...parts,
  });
  try {
    await trainer.start();
    const before = JSON.stringify(trainer.algorithm.policy.save());
    while (!trainer.done) await trainer.iterate();
    const result = await trainer.finish();
    const policy = trainer.algorithm.policy.save();
    const finite = Object.values(policy).every((entry) => (entry.values ?? entry).every(Number.isFinite));
    return { result, policy: finite, moved: JSON.stringify(policy) !== before };
  } catch (error) {
    return { error: { name: error.name, code: error.code, message: error.message }, step: trainer.step };
  } finally {
    await trainer.algorithm.close?.();
  }
}

const modules = { environment: new URL("./fragile-environment.js", import.meta.url).href };
const outcomes = { whole: await train(makeEnvironment("CartPole-v1", 2), {}) };
outcomes.unknown = await train(fragile.make(1, {}), {});
outcomes.sameId = await train(new CartPole(1, { maxEpisodeSteps: 10 }), {});
const sgd = new URL("./frozen-sgd.js", import.meta.url).href;
const ownSgd = (options) => train(makeEnvironment("CartPole-v1", 1), options, { optimiser: frozenSgd });
outcomes.sameName = await ownSgd({});
outcomes.sameNameOfModule = await ownSgd({ modules: { optimiser: sgd } });
outcomes.unusedModule = await train(
  makeEnvironment("CartPole-v1", 1),
  { modules: { optimiser: sgd } },
  { optimiser: "sgd" },
);
for (const how of ["throw", "reject", "exit", "hang"]) {
  process.env.FRAGILE = `${how}@700`;
  outcomes[how] = await train(fragile.make(1, {}), how === "hang" ? { modules, patience: 1 } : { modules });
}
await new Promise(setImmediate);
process.stdout.write(JSON.stringify({ outcomes, alive }));
