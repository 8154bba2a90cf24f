// Loads a threaded program, drops it, and says whether its worker is let go; twice, the second time without its
// executor. wasm-threads.long.test.ts runs this under --expose-gc: in a process of its own nothing else holds on to what is
// dropped, and a worker that is only counted depends on no other process's load.
import { createThreadedWasmExecutor, input, matmul, program } from "softrl";

let started = 0;
let stopped = 0;
const host = {
  start() {
    started++;
    return {
      async stop() {
        stopped++;
      },
    };
  },
  wait: () => false,
};
const product = program({ outputs: { y: matmul(input("a", [30, 30]), input("b", [30, 30])) } });

async function runOnce() {
  const executor = await createThreadedWasmExecutor({ threads: 2, host, leastShared: 0 });
  executor.load({ only: product }).programs.only.run();
  return executor;
}

/** One collection, and the turn in which its finalisers run. */
async function collect() {
  globalThis.gc();
  await new Promise((resolve) => setImmediate(resolve));
}

const kept = await runOnce();
const before = { started, stopped };
await collect();
const withoutProgram = { started, stopped };
await (async () => void (await runOnce()))();
await collect();
const withoutExecutor = { started, stopped };
kept.dispose();
process.stdout.write(JSON.stringify({ before, withoutProgram, withoutExecutor }));
