import {
  a2c,
  builtInKinds,
  createReferenceExecutor,
  createTrainer,
  createWasmExecutor,
  type Executor,
  makeEnvironment,
  Trainer,
} from "softrl";
import { describe, expect, it } from "vitest";
import { kindsOf } from "../algorithms/bare-algorithm.js";

const exact = createReferenceExecutor();
const single = createReferenceExecutor({ precision: "float32" });
const wasm = await createWasmExecutor();

const environment = () => makeEnvironment("CartPole-v1", 2);
const configWith = (executor: Executor) =>
  createTrainer({ algorithm: a2c, environment: environment(), executor }).config;

/** An executor with the arithmetic of `exact` under another identity. */
const named = (identity: Partial<Executor>): Executor => ({
  name: exact.name,
  precision: exact.precision,
  load: exact.load.bind(exact),
  ...identity,
});

const trainerOf = (configured: Executor, executor: Executor) =>
  new Trainer({
    config: configWith(configured),
    kinds: kindsOf(a2c, "CartPole-v1", "adam"),
    environment: environment(),
    executor,
  });

describe("the executor of a run", () => {
  it("is in its configuration, with its precision and its instruction set", () => {
    expect(configWith(exact).run).toMatchObject({ executor: "reference", precision: "float64" });
    expect(configWith(wasm).run).toMatchObject({ executor: "wasm", precision: "float32" });
    expect("instructionSet" in configWith(wasm).run).toBe(false);
    const native = named({ name: "native", instructionSet: "avx2" });
    expect(configWith(native).run).toMatchObject({ executor: "native", instructionSet: "avx2" });
  });

  it.each([
    ["another name", exact, wasm, "reference float64", "wasm float32"],
    ["another precision", exact, single, "reference float64", "reference float32"],
    [
      "another instruction set",
      named({ instructionSet: "avx2" }),
      named({ instructionSet: "avx512" }),
      "reference avx2 float64",
      "reference avx512 float64",
    ],
    [
      "no instruction set",
      named({ instructionSet: "avx2" }),
      exact,
      "reference avx2 float64",
      "reference float64",
    ],
  ])("is refused under %s", (_, configured, executor, expected, got) => {
    expect(() => trainerOf(configured, executor)).toThrow(
      `Trainer: the run belongs to another executor, expected ${expected}, got ${got}; use the executor that the run was started with: another one computes other bytes.`,
    );
  });

  it("may be another object of the same identity", () => {
    expect(() => trainerOf(exact, createReferenceExecutor())).not.toThrow();
  });

  it("decides whether a checkpoint can be continued", async () => {
    const parts = { algorithm: a2c, settings: { run: { steps: 100 } } };
    const first = createTrainer({ ...parts, environment: environment(), executor: exact });
    await first.start();
    await first.iterate();
    const snapshot = await first.save();
    const other = createTrainer({ ...parts, environment: environment(), executor: wasm });
    await expect(other.restore(snapshot)).rejects.toThrow(
      "Trainer.restore: the run belongs to another executor, expected reference float64, got wasm float32",
    );
  });
});

it("the built-in kinds have names of their own", () => {
  for (const kinds of Object.values(builtInKinds)) {
    const names = kinds.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  }
});
