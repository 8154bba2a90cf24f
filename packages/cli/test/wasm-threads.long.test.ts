import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Worker } from "node:worker_threads";
import { nodeWorkers } from "@softrl/node";
import {
  createThreadedWasmExecutor,
  createWasmExecutor,
  type Executor,
  type Program,
  RandomStreams,
  type Session,
  type WorkerHost,
} from "softrl";
import { afterEach, describe, expect, test } from "vitest";
import { temporaryFolder } from "../../../test/temporary-folder.js";
import { largePrograms, threeRuns } from "../../core/test/tensor/large-programs.js";
import { type RandomProgram, randomProgram } from "../../core/test/tensor/random-programs.js";
import { relaxedShell, softrlAlone } from "./command.js";

const threaded = (threads: number, host: WorkerHost = nodeWorkers) =>
  createThreadedWasmExecutor({ threads, host, leastShared: 0, patience: 5000 });

// Every worker that these tests start, until it ends.
const alive = new Set<Worker>();
process.on("worker", (worker: Worker) => {
  alive.add(worker);
  worker.once("exit", () => alive.delete(worker));
});
const workersAre = async (count: number) => {
  await new Promise(setImmediate); // Node announces a worker on the tick after it was made.
  await expect.poll(() => alive.size, { timeout: 300_000 }).toBe(count);
};

afterEach(() => workersAre(0), 330_000);

const bytesOf = (values: ArrayLike<number>) => Buffer.from(Float32Array.from(values).buffer).toString("hex");

/** The bytes of everything that comes out of two runs of each program; one session has them all. */
function bytesOfAll(executor: Executor, all: readonly RandomProgram[]): string[] {
  const names = all.map((_, i) => `program ${i}`);
  const session: Session = executor.load(
    Object.fromEntries(all.map(({ program }, i) => [names[i], program] as const)),
  );
  return all.map(({ program, inputs, states }, i) => {
    const loaded = session.programs[names[i]];
    for (const [name, values] of Object.entries(inputs))
      if (program.inputs.has(name)) loaded.input(name).set(values);
    for (const { tensor, values } of states) session.state(tensor).set(values);
    loaded.run();
    loaded.run();
    return [
      ...[...program.outputs.keys()].map((name) => bytesOf(loaded.output(name))),
      ...states.map(({ tensor }) => bytesOf(session.state(tensor))),
    ].join(" ");
  });
}

describe("WebAssembly with several threads", () => {
  test("gives the bytes of one thread: 100 random programs, whose every kernel is shared", async () => {
    const streams = new RandomStreams(2026);
    const all = Array.from({ length: 100 }, (_, i) => randomProgram(streams.stream("program", i)));
    const expected = bytesOfAll(await createWasmExecutor(), all);
    for (const threads of [1, 2, 3]) {
      const executor = await threaded(threads);
      for (let round = 0; round < 2; round++) {
        expect(bytesOfAll(executor, all)).toEqual(expected);
        // Workers take part as soon as they are there, which is not in the first round.
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
      executor.dispose();
    }
  });

  test.each(largePrograms)("gives the bytes of one thread: %s", async (_, trace) => {
    const traced = trace();
    const expected = Object.entries(threeRuns(await createWasmExecutor(), traced));
    for (const threads of [2, 3]) {
      const executor = await createThreadedWasmExecutor({ threads, host: nodeWorkers });
      const results = threeRuns(executor, traced);
      for (const [name, values] of expected)
        expect(bytesOf(results[name]), `${name}, ${threads} threads`).toBe(bytesOf(values));
      executor.dispose();
    }
  });

  test("starts no worker for a small program", async () => {
    const streams = new RandomStreams(1);
    const executor = await createThreadedWasmExecutor({ threads: 3, host: nodeWorkers });
    bytesOfAll(executor, [randomProgram(streams.stream("program", 0))]);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(alive.size).toBe(0);
  });
});

const [, , , [, products]] = largePrograms;

/** A program in the memory of this executor, which can be run. */
function loaded(executor: Executor, program: Program = products()) {
  return executor.load({ only: program }).programs.only;
}

/** Runs until something is thrown, and gives that. */
async function firstError(run: () => void): Promise<unknown> {
  const until = performance.now() + 200_000;
  while (performance.now() < until) {
    try {
      run();
    } catch (error) {
      return error;
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  throw new Error("nothing was thrown");
}

describe("the workers of WebAssembly", () => {
  test("are let go by dispose, after which programs run on one thread", async () => {
    const executor = await threaded(3);
    const { run, output } = loaded(executor);
    expect(alive.size).toBe(0);
    run();
    await workersAre(2);
    run();
    const before = bytesOf(output("c"));
    executor.dispose();
    await workersAre(0);
    output("c").fill(0);
    run();
    expect(bytesOf(output("c"))).toBe(before);
    expect(alive.size).toBe(0);
  });

  test("do not start after dispose, whenever the program was loaded", async () => {
    const executor = await threaded(2);
    const early = loaded(executor);
    executor.dispose();
    early.run();
    loaded(executor).run();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(alive.size).toBe(0);
  });

  test("are let go when nobody has the program any more, nor its executor", () => {
    const script = fileURLToPath(new URL("abandoned-programs.js", import.meta.url));
    const said = execFileSync(process.execPath, ["--expose-gc", script], { encoding: "utf8" });
    expect(JSON.parse(said)).toEqual({
      before: { started: 1, stopped: 0 },
      withoutProgram: { started: 1, stopped: 1 },
      withoutExecutor: { started: 2, stopped: 2 },
    });
  });

  test("that die at work end the run with an error, and every later one", async () => {
    // Without a stack the first part traps.
    const host: WorkerHost = {
      ...nodeWorkers,
      start: (code, init, events) => nodeWorkers.start(code, { ...Object(init), stack: 0 }, events),
    };
    const { run } = loaded(await threaded(2, host));
    const error = await firstError(run);
    expect(error).toHaveProperty("name", "SoftrlError");
    expect(error).toHaveProperty(
      "message",
      expect.stringMatching(/^KernelInstance.run: the threads of WebAssembly are lost: worker 1 has died/),
    );
    expect(run).toThrow("worker 1 has died");
  });

  test("that are ended from outside are missed at the next run", async () => {
    const { run } = loaded(await threaded(2));
    run();
    await workersAre(1);
    for (const worker of alive) await worker.terminate();
    expect(run).toThrow(/worker 1 has died \(it ended with code \d\); run it again, with one thread if/);
  });

  test("that cannot start say why", async () => {
    const host: WorkerHost = {
      ...nodeWorkers,
      start() {
        throw new Error("no more workers here");
      },
    };
    const { run } = loaded(await threaded(2, host));
    expect(run).toThrow(/are lost: .*no more workers here/);
    expect(run).toThrow(/are lost: .*no more workers here/);
  });

  test("that do not answer are given up", async () => {
    const host: WorkerHost = { ...nodeWorkers, wait: () => false };
    const { run } = loaded(await threaded(2, host));
    expect(await firstError(run)).toHaveProperty(
      "message",
      expect.stringMatching(/has not answered for 5000 ms/),
    );
  });
});

describe("a short training", () => {
  const here = temporaryFolder("threads");
  const settings = ["--env", "MinAtar/Breakout-v1", "--steps", "800", "--checkpoint-every", "0"];

  const executors = ["wasm", "wasm-relaxed", "native"];
  test.for(executors)("has the same checkpoint with 1 and with 2 threads: %s", async (executor, { skip }) => {
    const shell = relaxedShell;
    const survey = await softrlAlone(["doctor", "--json"], here, { shell });
    const found: { name: string; works: boolean }[] = JSON.parse(survey.stdout).executors;
    if (!found.some(({ name, works }) => name === executor && works)) skip(`${executor} does not work here`);
    const checkpoints = [];
    for (const threads of ["1", "2"]) {
      const run = await softrlAlone(["train", ...settings, "--run-folder", executor + threads], here, {
        env: { SOFTRL_EXECUTOR: executor, SOFTRL_THREADS: threads },
        shell,
      });
      expect(run.stderr.match(/softrl:.*/)?.[0] ?? "").toBe("");
      expect(run.code).toBe(0);
      checkpoints.push(readFileSync(join(here, executor + threads, "checkpoint.safetensors")));
    }
    expect(checkpoints[0].equals(checkpoints[1])).toBe(true);
  });
});
