import { once } from "node:events";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import * as bullmq from "bullmq";
import { Redis } from "ioredis";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { RedisServer, whyNoRedis } from "../../../test/redis-server.js";
import { temporaryFolder } from "../../../test/temporary-folder.js";
import { workCommand } from "../src/commands/work.js";
import type { OptionValues } from "../src/options/plain-options.js";
import { QueuedRuns } from "../src/queue/queued-runs.js";
import { connect, redisAddress } from "../src/queue/redis.js";
import { SweepFolder } from "../src/sweeps/sweep-folder.js";
import type { Terminal } from "../src/terminal/terminal.js";
import { planOf } from "./write-definition.js";

const place = temporaryFolder("queue-server");
const version = "0.1.0+test";
const libraries = { bullmq, Redis };
let servers = 0;

/** A server in a folder of its own, until the test ends. */
async function start(): Promise<{ readonly server: RedisServer; readonly folder: string }> {
  const folder = join(place, `redis-${servers++}`);
  mkdirSync(folder);
  const server = await RedisServer.start(folder);
  onTestFinished(() => server.kill());
  return { server, folder };
}

async function connected(url: string) {
  const connection = await connect(libraries, redisAddress("--queue", url), process.stderr);
  onTestFinished(() => connection.close());
  return connection;
}

describe.runIf(whyNoRedis === null)("a Redis server that refuses what a sweep writes", () => {
  async function submit(url: string): Promise<unknown> {
    const plan = await planOf(place, [1], version);
    const options = { plan, fresh: false, keepRuns: false, charts: false, runFolder: () => place };
    const folder = new SweepFolder(join(place, "out"), options);
    const connection = await connected(url);
    const queued = new QueuedRuns({ libraries, connection, folder, version, report: () => {} });
    const watcher = { changed: () => {}, progress: () => {}, waiting: () => {} };
    return queued.make(plan.runs, watcher, new AbortController().signal);
  }

  test("is named in one error when it is out of memory", async () => {
    const { server } = await start();
    await (await connected(server.url)).redis.config("SET", "maxmemory", 1);
    await expect(submit(server.url)).rejects.toMatchObject({
      name: "SoftrlError",
      where: server.url,
      message: expect.stringMatching(/refuses a command, got OOM .*; raise the server's maxmemory.* again/),
    });
  });

  test("is named in one error when it cannot save its data", async () => {
    const { server, folder } = await start();
    const { redis } = await connected(server.url);
    await redis.config("SET", "save", "3600 1");
    rmSync(folder, { recursive: true });
    await redis.bgsave();
    await vi.waitFor(async () => expect(await redis.info()).toContain("rdb_last_bgsave_status:err"), 60_000);
    await expect(submit(server.url)).rejects.toMatchObject({
      name: "SoftrlError",
      where: server.url,
      message: expect.stringMatching(/refuses a command, got MISCONF .*; let the server save its data/),
    });
  });
});

test.runIf(whyNoRedis === null)("a database that the server lacks is refused", async () => {
  const { server } = await start();
  const has = await connected(`${server.url}/15`);
  expect(await has.redis.client("INFO")).toContain(" db=15 ");
  await expect(connected(`${server.url}/99`)).rejects.toMatchObject({
    name: "SoftrlError",
    where: `${server.url}/99`,
    message: expect.stringMatching(
      /cannot connect to Redis, got .*DB index is out of range; check the address/,
    ),
  });
});

/** `softrl work` in this process: what it prints and how it ends. */
function work(url: string, options: OptionValues) {
  const err = new PassThrough();
  const terminal = { out: new PassThrough(), err } as unknown as Terminal;
  return { ended: workCommand(url, options, terminal), printed: () => String(err.read() ?? "") };
}

test.runIf(whyNoRedis === null)(
  "a worker whose --runs is a file ends with one error and disconnects",
  async () => {
    const { server } = await start();
    const { redis } = await connected(server.url);
    const file = join(place, "file");
    writeFileSync(file, "");
    for (const runs of [file, join(file, "below")]) {
      const { ended, printed } = work(server.url, { runs, jobs: "1" });
      await expect(ended).rejects.toMatchObject({
        name: "SoftrlError",
        message: expect.stringMatching(
          /file.*: the folder of the runs cannot be used, got .*(?:EEXIST|ENOTDIR).*--runs/,
        ),
      });
      expect(printed()).toBe("");
      const clients = async () =>
        String(await redis.client("LIST"))
          .trim()
          .split("\n");
      await vi.waitFor(async () => expect(await clients()).toHaveLength(1), 60_000);
    }
  },
);

test.runIf(whyNoRedis === null)(
  "a worker reports each error once while the server is out of memory, and goes on",
  async () => {
    const { server } = await start();
    const { redis } = await connected(server.url);
    await redis.config("SET", "maxmemory", 1);
    const { ended, printed } = work(server.url, { runs: join(place, "waiting"), jobs: "1" });
    const tries = async () => Number(/OOM:count=(\d+)/.exec(await redis.info("errorstats"))?.[1] ?? 0);
    await vi.waitFor(async () => expect(await tries()).toBeGreaterThan(8), 60_000);
    process.emit("SIGINT");
    expect(await ended).toBe(130);
    const lines = printed().match(/the queue: OOM.*/g) ?? [];
    // Several scripts are refused.
    expect(lines).toEqual([...new Set(lines)]);
    expect(lines.length).toBeGreaterThan(0);
  },
);

describe("a server that accepts connections and never answers", () => {
  async function silent(): Promise<{ readonly url: string; readonly reached: Promise<unknown> }> {
    const server = createServer({ allowHalfOpen: true }).listen(0, "127.0.0.1");
    const sockets = new Set<Socket>();
    server.on("connection", (socket) => sockets.add(socket.resume().on("error", () => {})));
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    const reached = once(server, "connection");
    await once(server, "listening");
    return { url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`, reached };
  }

  test("is given up after the patience of queues, in one error", async () => {
    vi.stubEnv("SOFTRL_QUEUE_PATIENCE", "1");
    onTestFinished(() => void vi.unstubAllEnvs());
    const { url } = await silent();
    await expect(connected(`${url}/1`)).rejects.toMatchObject({
      name: "SoftrlError",
      where: `${url}/1`,
      message: expect.stringMatching(/cannot connect to Redis, got no answer within 1 s; check the address/),
    });
  });

  test("is not waited for after Ctrl-C of a worker", async () => {
    const { url, reached } = await silent();
    const { ended, printed } = work(url, { runs: join(place, "unused"), jobs: "1" });
    await reached;
    process.emit("SIGINT");
    expect(await ended).toBe(130);
    expect(printed()).toMatch(/^\nsoftrl: stopping [^\n]*\n$/);
  });
});
