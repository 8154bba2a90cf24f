import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { Queue } from "bullmq";
import { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { RedisServer, whyNoRedis } from "../../../test/redis-server.js";
import { temporaryFolder } from "../../../test/temporary-folder.js";
import { queueNameOf } from "../src/queue/queued-run.js";
import { PREFIX } from "../src/queue/redis.js";
import { codeVersion } from "../src/sweeps/code-version.js";
import { eventually, expectRefusal, type Running, slowCheckpoints, softrl, startSoftrl } from "./command.js";
import { writeDefinition } from "./write-definition.js";

const place = temporaryFolder("queue");
const at = (...names: string[]) => join(place, ...names);
const json = (text: string) => JSON.parse(text);
const patient = { env: { SOFTRL_QUEUE_PATIENCE: "2" } };

function define(folder: string, changes: object = {}): string {
  writeDefinition(at(folder), { seeds: [1], ...changes });
  return folder;
}

const table = (folder: string, name = "results.csv") => readFileSync(at(folder, name), "utf8");

describe("softrl sweep and softrl work refuse", () => {
  test("what has no effect or cannot be reached, in one line", async () => {
    define("refused");
    const sweep = (...args: string[]) => softrl(["sweep", "refused", ...args], place);
    expectRefusal(await sweep("--queue", "localhost"), 1, /--queue: invalid value, expected the address/);
    expectRefusal(
      await sweep("--queue", "redis://me:secret@127.0.0.1:1"),
      1,
      /^softrl: redis:\/\/127\.0\.0\.1:1: cannot connect to Redis, got .*ECONNREFUSED/,
    );
    expectRefusal(await sweep("--queue", "redis://x", "--jobs", "2"), 1, /--jobs: .*softrl work/);
    expectRefusal(await sweep("--slurm", "a", "--keep-runs"), 1, /--keep-runs: this has no effect/);
    expectRefusal(await sweep("--slurm", "a", "--queue", "redis://x"), 1, /--slurm: .*with --queue/);
    expectRefusal(await sweep("--only", "0123456789abcdef"), 1, /--only: no run has this key/);
    expectRefusal(await softrl(["work", "redis"], place), 1, /<url>: invalid value/);
    const impatient = { env: { SOFTRL_QUEUE_PATIENCE: "no" } };
    expectRefusal(await softrl(["work", "redis://x"], place, impatient), 1, /SOFTRL_QUEUE_PATIENCE: invalid/);
  });
});

test.runIf(process.platform === "linux")("a script for Slurm trains its runs as it is", async () => {
  define("cluster", { seeds: "1..2" });
  define("local", { seeds: "1..2" });
  const written = await softrl(["sweep", "cluster", "--slurm", "job's.sh"], place);
  expect(written.stdout).toMatch(
    /^2 runs: sbatch 'job'\\''s\.sh'\nonce they have ended: softrl sweep cluster\n$/,
  );
  expectRefusal(
    await softrl(["sweep", "cluster", "--slurm", "job's.sh"], place),
    1,
    /--slurm: the file exists/,
  );
  expect(readFileSync(at("job's.sh"), "utf8")).toMatch(/^#SBATCH --array=0-1$/m);
  expect(readFileSync(at("job's.sh"), "utf8")).toMatch(/^#SBATCH --signal=B:TERM@120$/m);
  // The cores of a task are those of the run with the most workers.
  const a3c = { name: "A3C", algorithm: "a3c", options: { workers: 3 } };
  define("workers", { variants: [{ name: "A2C", algorithm: "a2c" }, a3c] });
  await softrl(["sweep", "workers", "--slurm", "workers.sh"], place, { env: { SOFTRL_THREADS: "" } });
  expect(readFileSync(at("workers.sh"), "utf8")).toMatch(/^#SBATCH --cpus-per-task=3$/m);
  expect(readFileSync(at("job's.sh"), "utf8")).toMatch(/^#SBATCH --cpus-per-task=1$/m);
  // Slurm starts it in this way, and it may do so again.
  const task = (id: number) => {
    const env = { ...process.env, SLURM_ARRAY_TASK_ID: String(id), SLURM_CPUS_PER_TASK: "1" };
    return promisify(execFile)("bash", [at("job's.sh")], { env, cwd: "/" });
  };
  expect((await task(1)).stdout).toMatch(/^1 of 1 runs trained/);
  expect((await task(1)).stdout).toMatch(/^0 of 1 runs trained/);
  expect(readdirSync(at("cluster", "runs"))).toHaveLength(1);
  expect(existsSync(at("cluster", "results.csv"))).toBe(false);
  // The sweep collects one run, and trains the other.
  await softrl(["sweep", "cluster"], place);
  await softrl(["sweep", "local"], place);
  for (const name of ["results.csv", "curves.csv"]) expect(table("cluster", name)).toBe(table("local", name));
  expect(existsSync(at("cluster", "runs"))).toBe(false);
});

test.runIf(process.platform === "linux")("a script for Slurm makes runs again with --fresh", async () => {
  define("again");
  writeFileSync(
    at("again", "results.csv"),
    "variant,environment,seed,meanReturn,episodes,steps,executor\nA2C,CartPole-v1,1,20,12,400,wasm\n",
  );
  const none = await softrl(["sweep", "again", "--slurm", "none.sh"], place);
  expect(none.stderr).toMatch(/no script is needed/);
  const written = await softrl(["sweep", "again", "--slurm", "again.sh", "--fresh"], place);
  expect(written.stdout).toMatch(/: softrl sweep again --fresh\n$/);
  const env = { ...process.env, SLURM_ARRAY_TASK_ID: "0", SLURM_CPUS_PER_TASK: "1" };
  const task = await promisify(execFile)("bash", [at("again.sh")], { env, cwd: "/" });
  expect(task.stdout).toMatch(/^1 of 1 runs trained\nto collect the results: .* --fresh\n/);
  const collected = await softrl(["sweep", "again", "--fresh", "--json"], place);
  expect(json(collected.stdout)).toMatchObject({ runs: 1, done: 1, failed: [] });
  expect(existsSync(at("again", "runs"))).toBe(false);
});

if (whyNoRedis !== null) console.warn(`tests of queues are skipped: ${whyNoRedis}`);

describe.runIf(whyNoRedis === null)("a sweep on a queue", () => {
  let server: RedisServer;
  let redis: Redis;
  let queue: Queue;
  beforeAll(async () => {
    mkdirSync(at("redis"));
    server = await RedisServer.start(at("redis"));
    redis = new Redis(server.url, { maxRetriesPerRequest: null });
    // It comes back after the server was killed.
    redis.on("error", () => {});
    queue = new Queue(queueNameOf(codeVersion()), { prefix: PREFIX, connection: redis });
    queue.on("error", () => {});
  });
  const working = new Set<Running>();
  afterEach(async () => {
    for (const { child } of working) child.kill("SIGINT");
    await Promise.all([...working].map(({ finished }) => finished));
    working.clear();
  });
  afterAll(async () => {
    redis.disconnect();
    await server.kill();
  });

  function work(runs: string, more: Record<string, string> = {}): Running {
    const env = { ...patient.env, ...more };
    const running = startSoftrl(["work", server.url, "--jobs", "1", "--runs", runs], place, { env });
    working.add(running);
    return running;
  }
  const submit = (folder: string) =>
    startSoftrl(["sweep", folder, "--queue", server.url, "--json"], place, patient);

  test("gives the bytes of a local one, also to a sweep that comes later, and fails hostile jobs", async () => {
    const variants = [
      { name: "A2C", algorithm: "a2c" },
      // No episode ends.
      { name: "too short", algorithm: "a2c", options: { steps: 5, envs: 1, horizon: 5 } },
    ];
    define("queued", { variants });
    define("undisturbed", { variants });
    await queue.add("run", { hello: "world" }, { jobId: "anything" });
    await queue.add("run", { args: ["--algorithm=./evil.js"] }, { jobId: "run-0123456789abcdef" });
    await queue.add("run", {}, { jobId: "damaged" });
    await redis.hset(queue.toKey("damaged"), "data", "{");
    const worker = work("workplace");
    const first = await submit("queued").finished;
    expect(first.code).toBe(1);
    expect(json(first.stdout)).toMatchObject({ runs: 2, done: 1, made: 1, interrupted: false });
    expect(json(first.stdout).failed[0].error).toMatch(/no episode ended/);
    expect((await softrl(["sweep", "undisturbed"], place)).code).toBe(1);
    for (const name of ["results.csv", "curves.csv"])
      expect(table("queued", name)).toBe(table("undisturbed", name));
    expect((await queue.getJob("anything"))?.failedReason).toMatch(/^job anything: the key is not that/);
    const reason = await redis.hget(queue.toKey("damaged"), "failedReason");
    expect(reason).toMatch(/^job damaged: this is not a run of softrl/);
    expect((await queue.getJob("run-0123456789abcdef"))?.failedReason).toMatch(/the key is not/);
    expect(readdirSync(at("queued")).sort()).toEqual(["curves.csv", "results.csv", "runs.json", "times.csv"]);

    // Another sweep finds the finished run by its key, without a worker.
    worker.child.kill("SIGINT");
    expect(await worker.finished).toMatchObject({ code: 130 });
    define("later");
    const later = await submit("later").finished;
    expect(json(later.stdout)).toMatchObject({ runs: 1, done: 1, made: 1 });
  });

  test("trains as many runs at once as their workers have cores", async () => {
    const a3c = { name: "A3C", algorithm: "a3c", options: { steps: 20_000, workers: 2 } };
    define("heavy", { variants: [a3c], seeds: "1..3" });
    const sweep = submit("heavy");
    // As on a machine of three cores.
    const env = { ...patient.env, SLURM_CPUS_PER_TASK: "3", SOFTRL_THREADS: "1" };
    const worker = startSoftrl(["work", server.url, "--runs", "cores"], place, { ...patient, env });
    working.add(worker);
    expect(json((await sweep.finished).stdout)).toMatchObject({ made: 3, failed: [] });
    worker.child.kill("SIGINT");
    const { stderr } = await worker.finished;
    expect(stderr).toMatch(/training on 3 cores at a time/);
    const states = [...stderr.matchAll(/(begun|done): a3c/g)].map(([, state]) => state);
    expect(states).toEqual(["begun", "done", "begun", "done", "begun", "done"]);
  });

  test("goes on after Ctrl-C of a worker, and when Redis and the sweep are killed", async () => {
    const long = { options: { steps: 60_000, "checkpoint-every": 4000 }, seeds: [3] };
    define("killed", long);
    const first = submit("killed");
    const worker = work("shared", slowCheckpoints);
    const runs = () => (existsSync(at("shared")) ? readdirSync(at("shared")) : []);
    await eventually(() => runs().some((key) => existsSync(at("shared", key, "checkpoint.safetensors"))));
    worker.child.kill("SIGINT");
    first.child.kill("SIGKILL");
    const stopped = await worker.finished;
    expect(stopped.stderr).toMatch(/given back: a2c, CartPole-v1, seed 3/);
    expect(await queue.getWaitingCount()).toBe(1);
    await server.kill();
    await server.start();

    const again = submit("killed");
    const other = work("shared");
    expect(json((await again.finished).stdout)).toMatchObject({ done: 1, made: 1, failed: [] });
    expect(runs()).toEqual([]);
    other.child.kill("SIGINT");
    await other.finished;
    define("whole", long);
    await softrl(["sweep", "whole"], place);
    for (const name of ["results.csv", "curves.csv"])
      expect(table("killed", name)).toBe(table("whole", name));
  });
});
