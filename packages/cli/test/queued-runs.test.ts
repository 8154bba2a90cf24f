import { mkdirSync } from "node:fs";
import { createConnection } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import * as bullmq from "bullmq";
import { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { RedisServer, whyNoRedis } from "../../../test/redis-server.js";
import { temporaryFolder } from "../../../test/temporary-folder.js";
import { jobIdOf, queueNameOf } from "../src/queue/queued-run.js";
import { QueuedRuns } from "../src/queue/queued-runs.js";
import { type Connection, connect, PREFIX, redisAddress } from "../src/queue/redis.js";
import type { RunOutcome } from "../src/sweeps/finished-run.js";
import { SweepFolder } from "../src/sweeps/sweep-folder.js";
import type { PlannedRun } from "../src/sweeps/sweep-plan.js";
import { planOf } from "./write-definition.js";

const place = temporaryFolder("queued-runs");
const version = "0.1.0+test";
const libraries = { bullmq, Redis };
const outcome: RunOutcome = {
  meanReturn: 20,
  episodes: 12,
  steps: 400,
  executor: "wasm",
  curve: [],
  time: null,
};

/** Calls back for each command that a server gets, until the test ends. */
async function monitor(
  server: RedisServer,
  onCommand: (command: readonly string[], from: string) => void,
): Promise<void> {
  const socket = createConnection(Number(new URL(server.url).port), "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  socket.write("MONITOR\r\n");
  const lines = createInterface(socket)[Symbol.asyncIterator]();
  expect((await lines.next()).value).toBe("+OK");
  const read = async () => {
    for await (const line of lines) {
      const [, from = "", quoted = ""] = /^\+[\d.]+ \[\d+ (\S+)\] (.*)$/.exec(line) ?? [];
      onCommand(
        Array.from(quoted.matchAll(/"((?:[^"\\]|\\.)*)"/g), ([, text]) => text),
        from,
      );
    }
  };
  void read();
}

/** Makes runs until the test ends, also where it fails: their queue is left before the server is killed. */
function make(queued: QueuedRuns, runs: readonly PlannedRun[]) {
  const stop = new AbortController();
  const making = queued.make(runs, watcher, stop.signal);
  onTestFinished(async () => {
    stop.abort();
    await making.catch(() => {});
  });
  return { making, end: () => stop.abort() };
}

const watcher = { changed: () => {}, progress: () => {}, waiting: () => {} };

describe.runIf(whyNoRedis === null)("runs in a queue with the jobs of many others", () => {
  let server: RedisServer;
  let connection: Connection;
  beforeAll(async () => {
    mkdirSync(join(place, "redis"));
    server = await RedisServer.start(join(place, "redis"));
    connection = await connect(libraries, redisAddress("--queue", server.url), process.stderr);
  });
  afterAll(async () => {
    connection.close();
    await server.kill();
  });

  test("are asked for by their ids, and kept for a month whatever becomes of them", async () => {
    const plan = await planOf(place, "1..3", version);
    const options = { plan, fresh: false, keepRuns: false, charts: false, runFolder: () => place };
    const folder = new SweepFolder(join(place, "out"), options);
    const { redis } = connection;
    const queue = new bullmq.Queue(queueNameOf(version), { connection: redis, prefix: PREFIX });
    onTestFinished(() => queue.close());
    for (const state of ["completed", "failed"]) {
      const others = Array.from({ length: 1000 }, (_, i) => [i, `run-other-${i}`]).flat();
      await redis.zadd(queue.toKey(state), ...others);
    }
    const commands: string[] = [];
    await monitor(server, ([name, ...args]) => {
      commands.push(`${name} ${args.slice(1).join(" ")}`.toLowerCase());
    });

    const [, , last] = plan.runs;
    const worker = new bullmq.Worker(
      queueNameOf(version),
      async ({ data }) => {
        if (data.key === last.key) throw new bullmq.UnrecoverableError("the third one fails");
        return outcome;
      },
      { connection: { url: server.url, maxRetriesPerRequest: null }, prefix: PREFIX },
    );
    onTestFinished(() => worker.close());
    const queued = new QueuedRuns({ libraries, connection, folder, version, report: () => {} });
    const made = await make(queued, plan.runs).making;
    expect(made).toMatchObject({ made: 2, failed: [{ error: "the third one fails" }] });
    expect(commands.filter((line) => line === "zrange 0 -1")).toEqual([]);
    const month = { age: 30 * 24 * 3600 };
    const job = await queue.getJob(jobIdOf(last.key));
    expect(job?.opts).toMatchObject({ removeOnComplete: month, removeOnFail: month });
  });
});

describe.runIf(whyNoRedis === null)("runs of a sweep that the queue has lost", () => {
  let server: RedisServer;
  let connection: Connection;
  let queue: bullmq.Queue;
  beforeAll(async () => {
    mkdirSync(join(place, "redis-lost"));
    server = await RedisServer.start(join(place, "redis-lost"));
    connection = await connect(libraries, redisAddress("--queue", server.url), process.stderr);
    queue = new bullmq.Queue(queueNameOf(version), { connection: { url: server.url }, prefix: PREFIX });
    queue.on("error", () => {});
  });
  afterEach(() => vi.restoreAllMocks());
  afterAll(async () => {
    await queue.close();
    connection.close();
    await server.kill();
  });

  /** Queues runs; a clock says when they are looked for. */
  async function sweep(count: number) {
    const plan = await planOf(place, [1], version);
    const runs: readonly PlannedRun[] = Array.from({ length: count }, (_, i) => ({
      ...plan.runs[0],
      key: i.toString(16).padStart(16, "0"),
    }));
    const options = { plan, fresh: false, keepRuns: false, charts: false, runFolder: () => place };
    const folder = new SweepFolder(join(place, "lost"), options);
    const now = performance.now.bind(performance);
    let ahead = 0;
    vi.spyOn(performance, "now").mockImplementation(() => now() + ahead);
    const queued = new QueuedRuns({ libraries, connection, folder, version, report: () => {} });
    const wait = (seconds: number) => {
      ahead += seconds * 1000;
    };
    return { runs, wait, ...make(queued, runs) };
  }

  const waiting = (count: number) =>
    vi.waitFor(async () => expect(await queue.getWaitingCount()).toBe(count), { timeout: 100_000 });

  test("are queued again, whoever removed them", async () => {
    const { runs, wait, end, making } = await sweep(3);
    await waiting(3);
    await queue.remove(jobIdOf(runs[1].key));
    await waiting(2);
    wait(31);
    await waiting(3);
    await connection.redis.flushall();
    wait(31);
    await waiting(3);
    end();
    expect(await making).toMatchObject({ interrupted: true });
  });

  test("are looked for a thousand at a time, and no other is queued again", async () => {
    const { wait, end, making } = await sweep(2500);
    await waiting(2500);
    let lookups = 0;
    let others = 0;
    await monitor(server, ([name, script], from) => {
      if (from === "lua" || !/^eval/i.test(name)) return;
      if (script.includes("EXISTS")) lookups++;
      else if (!script.includes("ZSCORE")) others++;
    });
    for (let times = 1; times <= 2; times++) {
      wait(31);
      await vi.waitFor(() => expect(lookups).toBe(3 * times), { timeout: 100_000 });
    }
    end();
    await making;
    expect(lookups).toBe(6);
    expect(others).toBe(0);
  });
});
