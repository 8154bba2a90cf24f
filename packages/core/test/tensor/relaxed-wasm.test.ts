import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { a2c, CartPole, createTrainer, type Executor, loadPolicy, MemoryRunStore } from "softrl";
import { afterEach, describe, expect, it, vi } from "vitest";
import { bytesOfText } from "../../src/base/byte-text.js";
import type { WorkerHost } from "../../src/base/worker-host.js";
import { relaxedThreadedKernelsText } from "../../src/tensor/compiled/kernels-relaxed-threads-wasm.js";
import { relaxedKernelsText } from "../../src/tensor/compiled/kernels-relaxed-wasm.js";
import {
  createRelaxedWasmMachine,
  createThreadedRelaxedWasmMachine,
  relaxedArithmetic,
} from "../../src/tensor/compiled/relaxed-wasm.js";
import { createRelaxedWasmExecutor, createWasmExecutor } from "../../src/tensor/compiled/wasm-executor.js";
import { constant, matmul } from "../../src/tensor/operations.js";
import { evaluateTensor } from "./run.js";
import { arithmetic, wasmExecutors } from "./wasm-builds.js";

const host: WorkerHost = {
  start: () => ({ post: () => {}, stop: async () => {} }),
  wait: () => true,
  every: () => () => {},
};
const lacks = "this engine has no relaxed SIMD, not even behind a flag";
const fileOf = (name: string) => readFileSync(createRequire(import.meta.url).resolve(`softrl/${name}.wasm`));
const bytesOf = (values: ArrayLike<number>) => Buffer.from(Float32Array.from(values).buffer).toString("hex");

describe("the kernels with relaxed SIMD", () => {
  it("are among the executors of the contract suites", ({ skip }) => {
    skip(arithmetic === null, lacks);
    expect(wasmExecutors.map(({ name }) => name)).toEqual(["wasm", "wasm-relaxed"]);
    expect(wasmExecutors[1]).toMatchObject({ instructionSet: arithmetic, precision: "float32" });
  });

  it.each([
    ["kernels-relaxed", relaxedKernelsText],
    ["kernels-relaxed-threads", relaxedThreadedKernelsText],
  ])("are in the file %s.wasm as core embeds them", (name, text) => {
    // After a change of the kernels: npm run build.
    expect(fileOf(name).equals(bytesOfText(text))).toBe(true);
  });

  it("run from a module of the caller's, on one thread and on several", async ({ skip }) => {
    skip(arithmetic === null, lacks);
    const [single, threaded] = await Promise.all(
      ["kernels-relaxed", "kernels-relaxed-threads"].map((name) => WebAssembly.compile(fileOf(name))),
    );
    for (const machine of [
      await createRelaxedWasmMachine({ module: single }),
      await createThreadedRelaxedWasmMachine({ threads: 2, host, module: threaded }),
      await createThreadedRelaxedWasmMachine({ threads: 2, host }),
    ]) {
      expect(machine).toMatchObject({ name: "wasm-relaxed", instructionSet: arithmetic });
      const { arena, run } = machine.instantiate(4, [[{ kind: "fill", out: 1, count: 2, value: 5 }]]);
      run(0);
      expect([...arena]).toEqual([0, 5, 5, 0]);
    }
    const portable = await WebAssembly.compile(fileOf("kernels"));
    await expect(createRelaxedWasmMachine({ module: portable })).rejects.toThrow(
      /^createRelaxedWasmMachine: the module does not hold .*, expected kernels-relaxed \w+, got kernels \w+; compile the file softrl\/kernels-relaxed\.wasm of the same version\.$/,
    );
  });

  it("round a sum of products as the engine's arithmetic says", ({ skip }) => {
    skip(arithmetic === null, lacks);
    // (1 + 2⁻¹²)² − (1 + 2⁻¹¹) is 2⁻²⁴, and 0 if the square is rounded. Of a size that tiles compute.
    const x = 1 + 2 ** -12;
    const [rows, columns] = [8, 8];
    const factors = [-1, x, 0, 0, 0, 0];
    const a = constant(Array(rows).fill(factors).flat(), [rows, factors.length]);
    const others = [1 + 2 ** -11, x, 0, 0, 0, 0];
    const b = constant(
      others.flatMap((other) => Array(columns).fill(other)),
      [others.length, columns],
    );
    const [portable, relaxed] = wasmExecutors.map((executor) => evaluateTensor(executor, matmul(a, b)));
    expect(portable).toEqual(new Float64Array(rows * columns));
    const difference = arithmetic === "fma" ? 2 ** -24 : 0;
    expect(relaxed).toEqual(new Float64Array(rows * columns).fill(difference));
  });

  it.each(wasmExecutors)("$name computes a row alone as among others", (executor) => {
    const wave = (length: number) => Array.from({ length }, (_, i) => Math.sin(1 + i * i));
    for (const [k, n] of [
      [13, 5],
      [40, 7],
      [300, 18],
    ]) {
      const x = wave(9 * k);
      const w = constant(wave(k * n), [k, n]);
      const all = evaluateTensor(executor, matmul(constant(x, [9, k]), w));
      const alone = evaluateTensor(executor, matmul(constant(x.slice(0, k), [1, k]), w));
      expect(bytesOf(alone), `${k} × ${n}`).toBe(bytesOf(all.slice(0, n)));
    }
  });
});

describe("an engine without relaxed SIMD", () => {
  afterEach(() => vi.restoreAllMocks());

  it("is reported with one error, by every way to make the executor", async () => {
    vi.spyOn(WebAssembly, "validate").mockReturnValue(false);
    expect(await relaxedArithmetic()).toBeNull();
    await expect(createRelaxedWasmExecutor()).rejects.toThrow(
      /^createRelaxedWasmMachine: this engine has no relaxed SIMD, expected an engine with WebAssembly relaxed SIMD, as Node\.js has from version 22 on and Chromium from 114 on, got one that rejects f32x4\.relaxed_madd; use the executor wasm, whose results differ only in rounding\.$/,
    );
    await expect(createThreadedRelaxedWasmMachine({ threads: 2, host })).rejects.toThrow(
      /^createThreadedRelaxedWasmMachine: this engine has no relaxed SIMD, /,
    );
    // The portable build does not ask.
    expect((await createWasmExecutor()).name).toBe("wasm");
  });
});

describe("a training in wasm-relaxed", () => {
  const settings = { run: { seed: 3, steps: 1600 }, network: { hiddenSizes: [33] } };
  const partsOf = (executor: Executor) => ({
    algorithm: a2c,
    environment: new CartPole(8),
    executor,
    settings,
  });
  const trained = async (executor: Executor, pauseAt = settings.run.steps) => {
    const store = new MemoryRunStore();
    let trainer = createTrainer({ ...partsOf(executor), store });
    await trainer.start();
    while (!trainer.done) {
      await trainer.iterate();
      if (trainer.step !== pauseAt) continue;
      const saved = await trainer.save();
      trainer = createTrainer({ ...partsOf(executor), store });
      await trainer.restore(saved);
    }
    await trainer.finish();
    return Buffer.from(store.checkpoint ?? []);
  };

  it("has the same bytes again and when it is resumed", async ({ skip }) => {
    skip(arithmetic === null, lacks);
    const [, relaxed] = wasmExecutors;
    const checkpoint = await trained(relaxed);
    expect(checkpoint.length).toBeGreaterThan(1000);
    expect(checkpoint.equals(await trained(await createRelaxedWasmExecutor()))).toBe(true);
    expect(checkpoint.equals(await trained(relaxed, 800))).toBe(true);
  });

  it("has other parameters than in wasm, where products are not rounded", async ({ skip }) => {
    skip(arithmetic !== "fma", "relaxed SIMD rounds products here");
    const [theta, portable] = await Promise.all(
      wasmExecutors.map(async (executor) => loadPolicy(await trained(executor), executor).theta()),
    );
    expect(bytesOf(theta)).not.toBe(bytesOf(portable));
  });

  it("is resumed neither with wasm nor where the arithmetic is another", async ({ skip }) => {
    skip(arithmetic === null, lacks);
    const [portable, relaxed] = wasmExecutors;
    const trainer = createTrainer(partsOf(relaxed));
    expect(trainer.config.run).toMatchObject({ executor: "wasm-relaxed", instructionSet: arithmetic });
    await trainer.start();
    await trainer.iterate();
    const saved = await trainer.save();
    const elsewhere = { ...relaxed, instructionSet: arithmetic === "fma" ? "no-fma" : "fma" };
    for (const executor of [portable, elsewhere])
      await expect(createTrainer(partsOf(executor)).restore(saved)).rejects.toThrow(/another executor/);
  });
});
