import type { Executor } from "../executor.js";
import { createCompiledExecutor } from "./compiled-executor.js";
import { createWasmMachine } from "./wasm-machine.js";

/** The executor that runs everywhere: WebAssembly SIMD, float32, one thread. */
export async function createWasmExecutor(): Promise<Executor> {
  return createCompiledExecutor(await createWasmMachine());
}
