// Trains on CartPole and prints how much garbage it leaves; garbage.prove.ts runs this with --trace-gc.
// Arguments: executor, algorithm (or "stepping" for the environment alone), environments, horizon, steps to
// measure.
import { getHeapStatistics } from "node:v8";
import { builtInAlgorithms, CartPole, createTrainer, createWasmExecutor, RandomStreams } from "softrl";

const [executorName, what, ...numbers] = process.argv.slice(2);
const [environments, horizon, steps] = numbers.map(Number);
const environment = new CartPole(environments);
// Wait until everything is compiled, what runs once per iteration too: interpreted code boxes numbers.
const warmUp = Math.max(500_000, 500 * environments * horizon);

async function trainingOf(name) {
  const native = executorName === "native" ? await import("@softrl/native") : null;
  const executor = native === null ? await createWasmExecutor() : native.createNativeExecutor();
  const trainer = createTrainer({
    algorithm: builtInAlgorithms.find((algorithm) => algorithm.name === name),
    environment,
    executor,
    settings: {
      run: { steps: Number.MAX_SAFE_INTEGER, seed: 1, checkpointEvery: 0 },
      optimiser: { learningRate: 2e-3 },
      algorithm: { horizon },
    },
    store: { append() {}, writeCheckpoint() {}, writePolicy() {} },
    clock: () => performance.now() / 1000,
  });
  await trainer.start();
  return async (count) => {
    for (let done = 0; done < count; done += environments * horizon) await trainer.iterate();
  };
}

function stepping() {
  environment.reset(new RandomStreams(1));
  const random = new RandomStreams(1).stream("actions");
  const actions = Array.from({ length: 64 }, () =>
    Int32Array.from({ length: environments }, () => random.integer(2)),
  );
  return (count) => {
    for (let i = 0; i * environments < count; i++) environment.step(actions[i % 64]);
  };
}

const work = what === "stepping" ? stepping() : await trainingOf(what);
await work(warmUp);
globalThis.gc();
const before = getHeapStatistics().used_heap_size;
await work(steps);
const bytes = getHeapStatistics().used_heap_size - before;
process.stdout.write(`${JSON.stringify({ bytes })}\n`);
