import {
  type AlgorithmKind,
  a2c,
  type ChosenSettings,
  createReferenceExecutor,
  createTrainer,
  createWasmExecutor,
  decodeCheckpoint,
  type Executor,
  encodeCheckpoint,
  isShapedArray,
  MemoryRunStore,
  makeEnvironment,
  naturalPolicyGradient,
  policyDescription,
  RUN_FORMAT,
  readRunSnapshot,
  type Snapshot,
  savedConfig,
  softQLearning,
  version,
} from "softrl";
import { describe, expect, it } from "vitest";
import { fakeAlgorithm } from "./fake-algorithm.js";

const wasm = await createWasmExecutor();
const reference = createReferenceExecutor();

interface Choice {
  readonly algorithm?: AlgorithmKind;
  readonly environment?: string;
  readonly count?: number;
  readonly executor?: Executor;
  readonly optimiser?: string;
  readonly settings?: ChosenSettings;
}

/** The trainer and the bytes of its checkpoint after an iteration. */
async function checkpointOf({
  algorithm = a2c,
  environment = "CartPole-v1",
  count = 2,
  executor = wasm,
  settings = {},
  optimiser = "rmsprop",
}: Choice) {
  const store = new MemoryRunStore();
  const trainer = createTrainer({
    algorithm,
    environment: makeEnvironment(environment, count),
    executor,
    store,
    settings: { network: { inputs: "unit" }, ...settings, run: { steps: count } },
    optimiser,
  });
  await trainer.start();
  await trainer.iterate();
  await trainer.finish();
  return { trainer, bytes: store.checkpoint ?? new Uint8Array() };
}

interface HeaderEntry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

/** The arrays in the header of a safetensors file, its metadata, and where its data start. */
function headerOf(bytes: Uint8Array) {
  const dataStart = 8 + Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  const header: Record<string, unknown> = JSON.parse(new TextDecoder().decode(bytes.subarray(8, dataStart)));
  const { __metadata__, ...arrays } = header;
  return {
    arrays: arrays as Record<string, HeaderEntry>,
    metadata: __metadata__ as Record<string, string>,
    dataStart,
  };
}

/** `name [shape] dtype` of the arrays under a prefix. */
function arraysUnder(bytes: Uint8Array, prefix: string): string[] {
  return Object.entries(headerOf(bytes).arrays)
    .filter(([name]) => name.startsWith(prefix))
    .map(([name, { shape, dtype }]) => `${name} [${shape}] ${dtype}`)
    .sort();
}

const mlpShapes = ["1.bias [64]", "1.weight [4,64]", "3.bias [64]", "3.weight [64,64]"];
const heads = ["policy.bias [2]", "policy.weight [64,2]", "value.bias [1]", "value.weight [64,1]"];
const shared = [...mlpShapes.map((entry) => `body.${entry}`), ...heads];
const oneBody = { algorithm: { bodies: "shared", normaliseReturns: false } };

describe("the checkpoint of a run", () => {
  it("names every parameter, and every parameter's part in the optimiser's state", async () => {
    const { bytes } = await checkpointOf({ settings: oneBody });
    expect(arraysUnder(bytes, "parameters/")).toEqual(shared.map((entry) => `parameters/${entry} F32`));
    const state = "algorithm/optimiser/rmsprop.meanSquare";
    expect(arraysUnder(bytes, "algorithm/optimiser/")).toEqual(
      shared.map((entry) => `${state}/${entry} F32`),
    );
    expect(arraysUnder(bytes, "algorithm/")).toHaveLength(shared.length + 2);
    expect(arraysUnder(bytes, "policy/")).toEqual(["policy/logPrior [2] F64"]);
  });

  it("has the precision of its executor", async () => {
    const { bytes } = await checkpointOf({
      executor: reference,
      algorithm: softQLearning,
      settings: oneBody,
    });
    expect(arraysUnder(bytes, "parameters/")).toEqual(shared.map((entry) => `parameters/${entry} F64`));
    expect(headerOf(bytes).arrays["algorithm/optimiser/rmsprop.meanSquare/policy.bias"].dtype).toBe("F64");
  });

  it("names the parameters of separate bodies, and of npg's two networks", async () => {
    const separate = await checkpointOf({});
    const body = (head: string, width: number) => [
      ...mlpShapes.map((entry) => `${head}.body.${entry}`),
      `${head}.head.bias [${width}]`,
      `${head}.head.weight [64,${width}]`,
    ];
    const expected = [...body("policy", 2), ...body("value", 1)];
    expect(arraysUnder(separate.bytes, "parameters/")).toEqual(
      expected.map((entry) => `parameters/${entry} F32`),
    );
    const npg = await checkpointOf({ algorithm: naturalPolicyGradient });
    const both = ["actor", "critic"].flatMap((copy) => shared.map((entry) => `${copy}.${entry}`));
    expect(arraysUnder(npg.bytes, "parameters/")).toEqual(both.map((entry) => `parameters/${entry} F32`));
  });

  it("has a convolution's kernel as four axes", async () => {
    const { bytes } = await checkpointOf({ environment: "MinAtar/Breakout-v1" });
    expect(headerOf(bytes).arrays["parameters/body.0.weight"].shape).toEqual([3, 3, 4, 16]);
  });

  it.each([
    ["adam", ["adam.firstMoment", "adam.secondMoment"]],
    ["sgd", []],
  ])("holds all of the state of the optimiser %s", async (optimiser, moments) => {
    const { bytes } = await checkpointOf({ optimiser });
    const names = new Set(arraysUnder(bytes, "algorithm/optimiser/").map((entry) => entry.split(/[/ ]/)[2]));
    for (const moment of moments) expect([...names].join()).toContain(moment.split(".")[0]);
    if (moments.length === 0) expect(names.size).toBe(0);
  });

  it.each([1, 3, 5, 7])("aligns every array to its element size, with %i environments too", async (count) => {
    for (const executor of [wasm, reference]) {
      const { bytes } = await checkpointOf({ count, executor });
      const { arrays, dataStart } = headerOf(bytes);
      expect(dataStart % 8).toBe(0);
      for (const [name, { dtype, data_offsets }] of Object.entries(arrays)) {
        expect((dataStart + data_offsets[0]) % (Number(dtype.slice(1)) / 8), name).toBe(0);
      }
    }
  });

  it("has its format, version, configuration, step, and how to rebuild its policy", async () => {
    const { trainer, bytes } = await checkpointOf({
      settings: { algorithm: { tau: 0.02, reference: "uniform" } },
    });
    const snapshot = readRunSnapshot("test", bytes);
    expect(snapshot).toMatchObject({ format: RUN_FORMAT, version, live: { step: 10, set: {} } });
    expect(savedConfig("test", snapshot)).toEqual(trainer.config);
    const { observationSpace, actionSpace } = trainer.environment;
    expect(snapshot.policy).toEqual({
      observationSpace: JSON.stringify(observationSpace),
      actionSpace: JSON.stringify(actionSpace),
      bodies: "separate",
      tau: 0.02,
      logPrior: Float64Array.of(-Math.LN2, -Math.LN2),
    });
    expect(snapshot.policy).toEqual(policyDescription(trainer.algorithm.policy));
    expect(headerOf(bytes).metadata.config).toBe(JSON.stringify(JSON.stringify(trainer.config)));
  });

  it("has τ of the present step in its policy", async () => {
    const { trainer } = await checkpointOf({ settings: { algorithm: { tau: 0.02 } } });
    await trainer.set({ tau: 0.5 });
    expect((await trainer.save()).policy).toMatchObject({ tau: 0.5 });
  });

  it("has no form of a policy that only its algorithm can make", async () => {
    const { bytes } = await checkpointOf({ algorithm: fakeAlgorithm() });
    const { policy } = readRunSnapshot("test", bytes);
    expect(Object.keys(policy as Snapshot).sort()).toEqual(["actionSpace", "observationSpace"]);
  });

  it("comes back from its bytes and is written to the same bytes", async () => {
    const { trainer, bytes } = await checkpointOf({ count: 3 });
    expect(encodeCheckpoint(decodeCheckpoint("test", bytes))).toEqual(bytes);
    expect(encodeCheckpoint(await trainer.save())).toEqual(bytes);
    for (const entry of Object.values((await trainer.save()).parameters as Snapshot)) {
      expect(isShapedArray(entry)).toBe(true);
    }
  });
});

describe("readRunSnapshot", () => {
  it("refuses another format, and names the version that wrote it", async () => {
    const { trainer } = await checkpointOf({});
    const snapshot = await trainer.save();
    const old = encodeCheckpoint({ ...snapshot, format: 1, version: "0.0.9" });
    expect(() => readRunSnapshot("old.safetensors", old)).toThrow(
      `old.safetensors: not a checkpoint of a training run that this version can read, expected format 3, got format 1 of softrl 0.0.9; use a checkpoint of softrl ${version}, or the version that wrote this one.`,
    );
    expect(() => readRunSnapshot("file", encodeCheckpoint({ step: 1 }))).toThrow(/got format undefined/);
  });

  it("refuses bytes that are not a checkpoint", () => {
    expect(() => readRunSnapshot("file", new Uint8Array(3))).toThrow(/^file: not a checkpoint, or damaged/);
  });
});
