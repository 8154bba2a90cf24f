import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { checkOutcome } from "../src/queue/queued-outcome.js";
import { checkQueuedRun, jobIdOf, keyOfJob, type QueuedRun } from "../src/queue/queued-run.js";
import { redisAddress } from "../src/queue/redis.js";
import { checkDefinition } from "../src/sweeps/definition.js";
import { keyOf, planSweep } from "../src/sweeps/sweep-plan.js";

const version = "0.1.0+test";

async function queued(
  variant: object = { algorithm: "a2c" },
  environment = "CartPole-v1",
): Promise<QueuedRun> {
  const definition = checkDefinition("runs.json", {
    options: { steps: 400 },
    variants: [{ name: "one", ...variant }],
    environments: [environment],
    seeds: [7],
  });
  const [{ key, settings, args }] = (await planSweep(definition, version)).runs;
  return { key, settings, args, version };
}

const check = (run: QueuedRun, trust = false) => checkQueuedRun(run, jobIdOf(run.key), version, trust);

/** A run of other arguments whose key is that of its settings. */
const withArgs = (run: QueuedRun, ...args: string[]): QueuedRun => ({ ...run, args: [...run.args, ...args] });

describe("a run from a queue", () => {
  test("is taken as it was planned, with its options", async () => {
    const run = await queued({ algorithm: "soft-q", options: { tau: 0.02, executor: "wasm" } });
    expect(await check(run)).toEqual({ ...run, title: "soft-q, CartPole-v1, seed 7" });
    const atari = await queued({ algorithm: "a2c" }, "ALE/Pong-v5");
    expect((await check(atari)).title).toBe("a2c, ALE/Pong-v5, seed 7");
  });

  test("may load a file where the worker trusts", async () => {
    const corridor = fileURLToPath(new URL("fixtures/corridor.js", import.meta.url));
    const run = await queued({ algorithm: "a2c" }, corridor);
    await expect(check(run)).rejects.toThrow(/only built-in/);
    expect((await check(run, true)).args).toEqual(run.args);
  });

  test("is refused where its key, its version or its settings are not its own", async () => {
    const run = await queued();
    const other = await queued({ algorithm: "soft-q" });
    await expect(checkQueuedRun(run, jobIdOf(other.key), version, true)).rejects.toThrow(
      /not that of the job/,
    );
    await expect(check({ ...run, settings: other.settings })).rejects.toThrow(/not the hash of the settings/);
    await expect(check({ ...run, args: other.args })).rejects.toThrow(/do not give the settings of the run/);
    const later = { ...run, version: "0.2.0", key: keyOf(run.settings, "0.2.0") };
    await expect(check(later)).rejects.toThrow(
      /another version of the code, expected 0\.1\.0\+test, got "0\.2\.0"/,
    );
    const away = { ...run, key: "../../../etc" };
    await expect(checkQueuedRun(away, "run-../../../etc", version, true)).rejects.toThrow(
      /not that of the job/,
    );
  });

  test.each([
    ["--run-folder=/elsewhere"],
    ["--trust=true"],
    ["--tensorboard=x"],
    ["--seeds=1..5"],
    ["-o/elsewhere"],
    ["elsewhere"],
    ["--no-chart"],
    ["--help"],
    ["--steps=40\u0000"],
  ])("is refused with the argument %j, even by a worker that trusts", async (argument) => {
    const run = await queued();
    await expect(check(withArgs(run, argument), true)).rejects.toThrow(/cannot have this argument/);
  });

  test.each([
    ["--algorithm=./mine.js"],
    ["--env=./mine.js"],
    ["--env=module:Mine-v0"],
    ["--env=LunarLander-v3"],
    ["--network=folder/net.js"],
    ["--optimiser=/opt.mjs"],
    ["--config=/etc/passwd"],
  ])("is refused with %s by a worker that does not trust", async (argument) => {
    const run = await queued();
    await expect(check(withArgs(run, argument))).rejects.toThrow(/only built-in .*--trust/);
  });

  test.each([
    [null],
    ["text"],
    [[]],
    [{ args: 1 }],
    [{ args: [1] }],
    [{ args: Array(500).fill("--steps=1") }],
    [{ args: ["x".repeat(100_000)] }],
    [{ settings: {} }],
    [{ args: ["--algorithm=none"] }],
    [{ args: ["--nonsense=1"] }],
    [{ args: ["--steps=x"] }],
  ])("is refused as %j with one clear error", async (changes) => {
    const run = await queued();
    const value = changes !== null && typeof changes === "object" && !Array.isArray(changes);
    const given: unknown = value ? { ...run, ...changes } : changes;
    const failure = checkQueuedRun(given, jobIdOf(run.key), version, true);
    await expect(failure).rejects.toMatchObject({ name: "SoftrlError", where: `job ${jobIdOf(run.key)}` });
  });

  test("has the id of its key, which is never a number", () => {
    expect(keyOfJob(jobIdOf("0123456789012345"))).toBe("0123456789012345");
    for (const id of [undefined, "", "run-", "run-xyz", "0123456789012345", "run-../0123456789ab"]) {
      expect(keyOfJob(id)).toBeNull();
    }
  });
});

describe("what a worker returns", () => {
  const outcome = {
    meanReturn: 20.5,
    episodes: 12,
    steps: 400,
    executor: "native avx2",
    curve: [{ step: 20, meanReturn: 11 }],
    time: { stepsPerSecond: 1000, cpu: "a processor" },
  };

  test("is taken as a result, without what else stands there", () => {
    expect(checkOutcome({ ...outcome, variant: "another" })).toEqual(outcome);
    expect(checkOutcome({ ...outcome, time: null })).toEqual({ ...outcome, time: null });
  });

  test.each([
    [null],
    [[]],
    [{ meanReturn: "20" }],
    [{ meanReturn: null }],
    [{ executor: "a\nrow,of,another" }],
    [{ curve: {} }],
    [{ curve: [{ step: 1 }] }],
    [{ curve: Array(5000).fill({ step: 1, meanReturn: 1 }) }],
    [{ time: {} }],
    [{ time: { stepsPerSecond: 1, cpu: "\u001b[2J" } }],
  ])("is not taken as %j", (changes) => {
    const isRecord = changes !== null && !Array.isArray(changes);
    expect(checkOutcome(isRecord ? { ...outcome, ...changes } : changes)).toBeNull();
  });
});

test("the address of a server is shown without its password", () => {
  expect(redisAddress("--queue", "redis://me:secret@host:6380/2").shown).toBe("redis://host:6380/2");
  expect(redisAddress("--queue", "rediss://host").shown).toBe("rediss://host");
  for (const text of ["", "localhost:6379", "http://host", "redis://", undefined]) {
    expect(() => redisAddress("--queue", text)).toThrow(/address of a Redis server/);
  }
  expect(() => redisAddress("--queue", "redsi://:secret@host")).toThrow(/^(?!.*secret)/);
});

test("the address of a Redis server has the number of a database and decodable percent-encoding", () => {
  expect(redisAddress("--queue", "redis://:p%25%C3%A9@host/15?db=3").shown).toBe("redis://host/15");
  expect(redisAddress("--queue", "redis://host/").shown).toBe("redis://host");
  for (const end of ["/abc", "/-1", "/1/2", "/0x1", "/1abc", "//", "?db=x", "?db="]) {
    expect(() => redisAddress("--queue", `redis://host${end}`)).toThrow(/expected the number of a database/);
  }
  for (const secret of ["p%ZZ", "p%", "p%FF"]) {
    for (const text of [`redis://:${secret}@host`, `redis://${secret}:x@host`]) {
      expect(() => redisAddress("--queue", text)).toThrow(/^--queue: (?!.*p%).*percent-encoding/);
    }
  }
  expect(() => redisAddress("--queue", "redis://me:12/secret@host")).toThrow(/^(?!.*secret).*%2F for \//);
});
