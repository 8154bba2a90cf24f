import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as bullmq from "bullmq";
import { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { RedisServer, whyNoRedis } from "../../../test/redis-server.js";
import { temporaryFolder } from "../../../test/temporary-folder.js";
import { removeLeftFolders } from "../src/queue/left-folders.js";
import { jobIdOf, queueNameOf } from "../src/queue/queued-run.js";
import { connect, PREFIX, redisAddress } from "../src/queue/redis.js";
import { QueueWorker } from "../src/queue/worker.js";
import { RunLock } from "../src/runs/run-lock.js";
import { eventually } from "./command.js";

const place = temporaryFolder("left-folders");
const runs = join(place, "runs");
const version = "0.1.0+test";
const DAY = 24 * 3600 * 1000;
const key = (number: number) => number.toString(16).padStart(16, "0");
const left = () => readdirSync(runs).sort();

function leave(...names: readonly string[]): void {
  for (const name of names) {
    mkdirSync(join(runs, name, "anew"), { recursive: true });
    writeFileSync(join(runs, name, "events.jsonl"), "");
  }
}

describe.runIf(whyNoRedis === null)("the folders of a worker's runs", () => {
  let server: RedisServer;
  let redis: Redis;
  let queue: bullmq.Queue;
  beforeAll(async () => {
    mkdirSync(join(place, "redis"));
    server = await RedisServer.start(join(place, "redis"));
    redis = new Redis(server.url);
    queue = new bullmq.Queue(queueNameOf(version), { connection: { url: server.url }, prefix: PREFIX });
    await queue.waitUntilReady();
  });
  beforeEach(async () => {
    await redis.flushall();
    rmSync(runs, { recursive: true, force: true });
    mkdirSync(runs);
  });
  afterEach(() => vi.unstubAllEnvs());
  afterAll(async () => {
    await queue.close();
    redis.disconnect();
    await server.kill();
  });

  const isIn = (set: string, name: string, milliseconds = Date.now(), ofVersion = version) =>
    redis.zadd(`${PREFIX}:${queueNameOf(ofVersion)}:${set}`, milliseconds, jobIdOf(name));
  const remove = (isRunning = (_: string) => false) =>
    removeLeftFolders({ runs, redis, isRunning, report: (line) => expect(line).toBe("") });

  test("are removed once a queue of any version has the result", async () => {
    leave(key(1), `${key(1)}.earlier`, key(2), `${key(3)}.earlier`);
    await isIn("completed", key(1));
    await isIn("completed", key(2), 1, "0.0.9");
    await isIn("completed", key(3));
    await remove();
    expect(left()).toEqual([]);
  });

  test("are removed a week after the run has failed", async () => {
    leave(key(1), key(2));
    await isIn("failed", key(1), Date.now() - 8 * DAY);
    await isIn("failed", key(2), Date.now() - 6 * DAY);
    await remove();
    expect(left()).toEqual([key(2)]);
  });

  test("stay where a run may be continued from them, and what is no run stays too", async () => {
    const names = [key(1), key(2), key(3), key(4), "notes", "notes.removed"];
    leave(...names);
    await queue.add("run", {}, { jobId: jobIdOf(key(1)) });
    // A try that fails is followed by another one.
    await queue.add("run", {}, { jobId: jobIdOf(key(2)), delay: DAY });
    // The queue of key(3) has lost its memory.
    await isIn("completed", key(4));
    await remove((running) => running === key(4));
    expect(left()).toEqual(names);
  });

  test("stay while a process writes them", async () => {
    for (const inside of ["", "anew"]) {
      leave(key(1));
      await isIn("completed", key(1));
      const lock = RunLock.acquire(join(runs, key(1), inside));
      await remove();
      expect(left()).toEqual([key(1)]);
      lock.release();
      await remove();
      expect(left()).toEqual([]);
    }
  });

  test("stay where a sweep queues the run again before they are locked", async () => {
    leave(key(1));
    await isIn("failed", key(1), 1);
    const asked = vi.spyOn(redis, "zscore");
    asked.mockImplementationOnce(async () => {
      await redis.zrem(queue.toKey("failed"), jobIdOf(key(1)));
      return "1";
    });
    await remove();
    expect(asked).toHaveBeenCalledTimes(2);
    asked.mockRestore();
    expect(left()).toEqual([key(1)]);
    expect(readdirSync(join(runs, key(1))).sort()).toEqual(["anew", "events.jsonl"]);
  });

  test("are removed whole: what a kill has left of one is taken for no run", async () => {
    leave(`${key(1)}.removed`, key(2));
    await remove();
    expect(left()).toEqual([key(2)]);
  });

  test("are looked at now and then by a worker without a run", async () => {
    vi.stubEnv("SOFTRL_QUEUE_PATIENCE", "1");
    const libraries = { bullmq, Redis };
    const connection = await connect(libraries, redisAddress("<url>", server.url), process.stderr);
    const stop = new AbortController();
    const capacity = { total: 1, weightOf: () => 1 };
    const shared = { libraries, connection, version, capacity, runs, trust: false };
    const lines: string[] = [];
    const worker = new QueueWorker({ ...shared, stop: stop.signal, report: (line) => lines.push(line) });
    const working = worker.work();
    await vi.waitFor(async () => expect(await queue.getWorkersCount()).toBe(1), { timeout: 200_000 });
    leave(key(1), key(2), key(3));
    await isIn("completed", key(1));
    await isIn("failed", key(2), Date.now() - 8 * DAY);
    await isIn("failed", key(3));
    await eventually(() => left().length === 1);
    expect(left()).toEqual([key(3)]);
    stop.abort();
    await working;
    expect(lines).toEqual([]);
  });
});
