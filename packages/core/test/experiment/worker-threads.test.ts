import type { WorkerEvents, WorkerHost } from "softrl";
import { describe, expect, test } from "vitest";
import type { WorkerReply, WorkerRequest } from "../../src/experiment/worker-messages.js";
import { WorkerThreads } from "../../src/experiment/worker-threads.js";

/** Two started workers that answer the requests of some kinds; `timers` are those that keep the process alive. */
async function startedWorkers(answered: readonly WorkerRequest["kind"][]) {
  const timers = new Map<() => void, number>();
  const events: WorkerEvents[] = [];
  const answer = (worker: number, reply: WorkerReply) =>
    queueMicrotask(() => events[worker].message?.(reply));
  let stopped = 0;
  const host: WorkerHost = {
    start(_code, _data, own) {
      const worker = events.push(own) - 1;
      answer(worker, { kind: "done" });
      return {
        post(message) {
          if (answered.includes((message as WorkerRequest).kind)) answer(worker, { kind: "done" });
        },
        stop: async () => void stopped++,
      };
    },
    wait: () => false,
    every(milliseconds, call) {
      timers.set(call, milliseconds);
      return () => void timers.delete(call);
    },
  };
  const threads = new WorkerThreads({
    ...{ host, algorithm: "a3c", workers: 2, code: { module: "", entry: "" } },
    assignment: () => ({}) as never,
  });
  await threads.start();
  expect([...timers]).toEqual([]);
  return { threads, timers, events, stopped: () => stopped };
}

describe("threads of workers", () => {
  test("are ended after a few seconds where environments do not close, and keep no process alive", async () => {
    const { threads, timers, stopped } = await startedWorkers(["save"]);
    await threads.ask({ kind: "save" });
    const closed = threads.close();
    const [goodbye] = [...timers].find(([, milliseconds]) => milliseconds === 5000) ?? [];
    goodbye?.();
    await closed;
    expect(stopped()).toBe(2);
    expect([...timers]).toEqual([]);
  });

  test("closed during a request: it throws, and nothing waits for its replies", async () => {
    const { threads, timers, stopped } = await startedWorkers(["close"]);
    const request = threads.ask({ kind: "save" });
    const thrown = expect(request).rejects.toThrow(/the run's workers were closed/);
    await threads.close();
    await thrown;
    expect(stopped()).toBe(2);
    expect([...timers]).toEqual([]);
  });

  test("all end at the next request where one has ended at rest", async () => {
    const { threads, timers, events, stopped } = await startedWorkers(["save"]);
    events[1].ended(new Error("it ended with code 9"));
    await expect(threads.ask({ kind: "save" })).rejects.toThrow(/worker 2 of 2: the worker has ended/);
    expect(stopped()).toBe(2);
    expect([...timers]).toEqual([]);
  });
});
