import {
  a2c,
  createTrainer,
  createWasmExecutor,
  makeEnvironment,
  type Snapshot,
  SoftrlError,
  savedOutcome,
} from "softrl";
import { describe, expect, test } from "vitest";
import { decodeCheckpoint, encodeCheckpoint } from "../../src/experiment/checkpoint.js";
import { readRunSnapshot, savedConfig } from "../../src/experiment/run-checkpoint.js";

const executor = await createWasmExecutor();

function trainer() {
  const settings = {
    run: { steps: 4000, logEvery: 100, evaluateEvery: 200, evaluationEpisodes: 2 },
    network: { hiddenSizes: [4] },
  };
  const environment = makeEnvironment("CartPole-v1", 4);
  const evaluation = makeEnvironment("CartPole-v1", 2);
  return createTrainer({ algorithm: a2c, environment, evaluation, executor, settings });
}

const started = trainer();
await started.start();
for (let i = 0; i < 40; i++) await started.iterate();
const snapshot = await started.save();

/** The snapshot with another entry at a path. */
function changed(path: string, change: (entry: unknown) => unknown, within: Snapshot = snapshot): Snapshot {
  const [name, ...rest] = path.split("/");
  const entry: unknown = within[name];
  if (entry === undefined) throw new Error(`the snapshot has no ${name}`);
  const value = rest.length === 0 ? change(entry) : changed(rest.join("/"), change, entry as Snapshot);
  return { ...within, [name]: value as Snapshot };
}

/** What restoring a snapshot that went through a file says. */
async function refusal(damaged: Snapshot): Promise<string> {
  try {
    await trainer().restore(readRunSnapshot("file", encodeCheckpoint(damaged)));
  } catch (error) {
    if (error instanceof SoftrlError) return error.message;
    throw error;
  }
  throw new Error("nothing was refused");
}

const last = (x: number) => (entry: unknown) => {
  const values = (entry as Float64Array).slice();
  values[values.length - 1] = x;
  return values;
};

describe("a number that no run has is refused, and named", () => {
  test.each([
    [
      "curve/meanReturns",
      last(Number.NaN),
      /^LearningCurve\.restore: meanReturns\[\d+\] of the snapshot is not/,
    ],
    ["curve/steps", last(Number.POSITIVE_INFINITY), /^LearningCurve\.restore: steps\[\d+\] of the snapshot/],
    [
      "scores/returns",
      last(Number.NaN),
      /^ReturnsWindow\.restore: returns\[99\] of the snapshot is not valid/,
    ],
    ["scores/first", last(Number.NaN), /^ReturnsWindow\.restore: first\[99\]/],
    ["evaluation/meanReturns", last(Number.NaN), /^PeriodicEvaluation\.restore: meanReturns\[\d+\]/],
    [
      "environment/states",
      last(Number.NaN),
      /^CartPole-v1: element 3 of environment 3's observation is not finite/,
    ],
    [
      "updates",
      () => -1,
      /^Trainer\.restore: updates of the snapshot is not valid, expected an integer of at/,
    ],
    ["updates", () => 0.5, /^Trainer\.restore: updates/],
    ["scores/episodes", () => 1e300, /^ReturnsWindow\.restore: episodes/],
    ["live/step", () => -8, /^LiveSettings\.restore: step/],
    ["evaluation/length", () => 0.5, /^PeriodicEvaluation\.restore: length/],
    [
      "config",
      () => "[".repeat(100_000) + "]".repeat(100_000),
      /^Trainer\.restore: the checkpoint's config is dam/,
    ],
    [
      "config",
      () => `{"run":${'{"a":'.repeat(100_000)}1${"}".repeat(100_001)}`,
      /config is damaged, expected JSON of/,
    ],
  ])("%s", async (path, change, message) => {
    expect(await refusal(changed(path, change))).toMatch(message);
  });
});

describe("the outcome that is read from a damaged checkpoint names the file", () => {
  test.each([
    [
      "curve/meanReturns",
      last(Number.NaN),
      /^run\.safetensors: meanReturns\[\d+\] of the snapshot is not valid/,
    ],
    ["scores/returns", last(Number.NaN), /^run\.safetensors: returns\[99\] of the snapshot is not valid/],
    ["scores/first", last(Number.NaN), /^run\.safetensors: first\[99\] of the snapshot is not valid/],
    ["scores/episodes", () => -1, /^run\.safetensors: episodes of the snapshot is not valid/],
    ["learning/done", () => 1, /^run\.safetensors: done is not valid, expected true or false, got 1/],
  ])("%s", (path, change, message) => {
    expect(() => savedOutcome("run.safetensors", changed(path, change), trainer().config.run)).toThrow(
      message,
    );
  });
});

test("a snapshot as it was is restored", async () => {
  const again = trainer();
  await again.restore(readRunSnapshot("file", encodeCheckpoint(snapshot)));
  expect(encodeCheckpoint(await again.save())).toEqual(encodeCheckpoint(snapshot));
});

test("a name of 100,000 parts is refused, as is a snapshot that nests so deep", () => {
  const name = Array.from({ length: 100_000 }, () => "a").join("/");
  const header = `{"__metadata__":{"~crc32":"00000000","${name}":"1"}}`;
  const bytes = new Uint8Array(8 + header.length);
  new DataView(bytes.buffer).setUint32(0, header.length, true);
  bytes.set(new TextEncoder().encode(header), 8);
  expect(() => decodeCheckpoint("file", bytes)).toThrow(
    /^file: not a checkpoint, or damaged, expected names of at most 100 parts, got one of 100000/,
  );
  let deep: Snapshot = {};
  for (let i = 0; i < 100_000; i++) deep = { deep };
  expect(() => encodeCheckpoint(deep)).toThrow(/^encodeCheckpoint: the snapshot nests too deep/);
});

test("a configuration is read as it was written", () => {
  expect(savedConfig("file", snapshot)).toEqual(started.config);
});
