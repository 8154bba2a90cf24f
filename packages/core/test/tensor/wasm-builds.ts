import { setFlagsFromString } from "node:v8";
import { createRelaxedWasmMachine, relaxedArithmetic } from "../../src/tensor/compiled/relaxed-wasm.js";
import { createRelaxedWasmExecutor, createWasmExecutor } from "../../src/tensor/compiled/wasm-executor.js";
import { createWasmMachine } from "../../src/tensor/compiled/wasm-machine.js";

// Node.js 20 has relaxed SIMD behind a flag of its engine; later ones have it without, and no such flag.
if (Number.parseInt(process.versions.node, 10) < 22) setFlagsFromString("--experimental-wasm-relaxed-simd");

/** The arithmetic of this engine's relaxed SIMD; null where it has none, and the lists below lack `wasm-relaxed`. */
export const arithmetic = await relaxedArithmetic();

/** The executors of core's WebAssembly, which the contract suites run on. */
export const wasmExecutors =
  arithmetic === null
    ? [await createWasmExecutor()]
    : [await createWasmExecutor(), await createRelaxedWasmExecutor()];

/** Their machines. */
export const wasmMachines =
  arithmetic === null
    ? [await createWasmMachine()]
    : [await createWasmMachine(), await createRelaxedWasmMachine()];
