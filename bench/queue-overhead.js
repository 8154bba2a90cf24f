// @ts-check
/**
 * What the queue of sweeps costs beside the training, for docs/scale.md: `node bench/queue-overhead.js`.
 *
 * The real `softrl sweep --queue` and a real redis-server with its append-only file, and workers that return a result at once
 * instead of training: `--jobs 10000 --workers 200`. Workers live in one process, each with connections of its own, as
 * separate machines would have them. Writes docs/queue-overhead.csv.
 */
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { Queue, Worker } from "bullmq";
import { Redis } from "ioredis";

const softrl = join(import.meta.dirname, "../packages/cli/bin/softrl.js");
const table = join(import.meta.dirname, "../docs/queue-overhead.csv");
/** As packages/cli/src/queue has it. */
const PREFIX = "softrl";
const { values } = parseArgs({
  options: {
    jobs: { type: "string", default: "10000" },
    workers: { type: "string", default: "200" },
    out: { type: "string", default: table },
  },
});
const [jobs, workers] = [Number(values.jobs), Number(values.workers)];

/** @returns {Promise<number>} */
function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" ? (address?.port ?? 0) : 0));
    });
  });
}

/** A result as a worker returns it, with a curve of as many points. */
function outcome() {
  const curve = Array.from({ length: 20 }, (_, i) => ({
    step: 25_000 * (i + 1),
    meanReturn: 500 * Math.random(),
  }));
  const time = { stepsPerSecond: 1e6, cpu: "simulated" };
  return { meanReturn: 500, episodes: 1000, steps: 500_000, executor: "native avx512", curve, time };
}

/** The queue that a sweep has made: its name has the version of the code. @param {import("ioredis").Redis} redis */
async function queueName(redis) {
  for (;;) {
    const keys = await redis.keys(`${PREFIX}:*:meta`);
    if (keys.length > 0) return keys[0].slice(PREFIX.length + 1, -":meta".length);
    await sleep(20);
  }
}

/** The seconds of a core that a process has used. @param {number} pid */
function coreSeconds(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /, "")
    .split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

const place = mkdtempSync(join(tmpdir(), "softrl-queue-"));
const port = await freePort();
const server = spawn(
  "redis-server",
  ["--port", String(port), "--bind", "127.0.0.1", "--dir", place, "--save", "", "--appendonly", "yes"],
  { stdio: "ignore" },
);
const url = `redis://127.0.0.1:${port}`;
const connection = { host: "127.0.0.1", port, maxRetriesPerRequest: null };
const redis = new Redis({ ...connection, retryStrategy: () => 100 });
redis.on("error", () => {});
try {
  await redis.ping();
  const folder = join(place, "sweep");
  mkdirSync(folder);
  const definition = {
    variants: [{ name: "A2C", algorithm: "a2c" }],
    environments: ["CartPole-v1"],
    seeds: `1..${jobs}`,
  };
  writeFileSync(join(folder, "runs.json"), JSON.stringify(definition));
  const began = performance.now();
  const since = () => (performance.now() - began) / 1000;
  const sweep = spawn(process.execPath, [softrl, "sweep", folder, "--queue", url, "--json"], {
    stdio: "ignore",
  });
  const ended = new Promise((resolve) => sweep.once("exit", resolve));
  const name = await queueName(redis);
  const queue = new Queue(name, { connection, prefix: PREFIX });
  while ((await queue.getWaitingCount()) < jobs) await sleep(50);
  const queued = since();
  const before = process.cpuUsage();
  let made = 0;
  let last = 0;
  const all = Array.from({ length: workers }, () => {
    const worker = new Worker(name, async () => outcome(), { connection, prefix: PREFIX });
    worker.on("completed", () => {
      made++;
      last = since();
    });
    return worker;
  });
  let submitter = 0;
  const watch = setInterval(() => {
    try {
      submitter = coreSeconds(sweep.pid ?? 0);
    } catch {
      // It has ended.
    }
  }, 100);
  const code = await ended;
  clearInterval(watch);
  const total = since();
  if (code !== 0 || made !== jobs)
    throw new Error(`the sweep has ended with ${code}, ${made} of ${jobs} jobs made`);
  const { user, system } = process.cpuUsage(before);
  const memory = /used_memory_peak:(\d+)/.exec(await redis.info("memory"))?.[1] ?? "0";
  const row = {
    jobs,
    workers,
    queuedSeconds: queued.toFixed(1),
    madeSeconds: (last - queued).toFixed(1),
    collectedSeconds: (total - last).toFixed(1),
    submitterCoreSeconds: submitter.toFixed(1),
    workersCoreSeconds: ((user + system) / 1e6).toFixed(1),
    redisCoreSeconds: coreSeconds(server.pid ?? 0).toFixed(1),
    redisMegabytes: (Number(memory) / 1e6).toFixed(0),
    cpu: cpus()[0].model.replaceAll(",", ""),
    load: loadavg()[0].toFixed(1),
  };
  console.log(JSON.stringify(row));
  writeFileSync(values.out, `${Object.keys(row).join(",")}\n${Object.values(row).join(",")}\n`);
  await Promise.all(all.map((worker) => worker.close()));
  await queue.close();
} finally {
  redis.disconnect();
  server.kill("SIGKILL");
  rmSync(place, { recursive: true, force: true });
}
