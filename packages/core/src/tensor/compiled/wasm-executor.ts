import type { Executor } from "../executor.js";
import { createCompiledExecutor } from "./compiled-executor.js";
import { createWasmMachine, createWasmMachineFrom } from "./wasm-machine.js";
import type { WasmModule } from "./wasm-module.js";
import { createThreadedWasmMachine, type WasmThreads } from "./wasm-threads.js";

/** The executor that works in every runtime: WebAssembly SIMD, float32, one thread. */
export async function createWasmExecutor(): Promise<Executor> {
  return createCompiledExecutor(await createWasmMachine());
}

/**
 * The same executor from a module that the caller has compiled: over {@link createWasmMachineFrom}.
 *
 * @example
 * const url = new URL(import.meta.resolve("softrl/kernels.wasm"));
 * const executor = createWasmExecutorFrom(await WebAssembly.compileStreaming(fetch(url)));
 */
export function createWasmExecutorFrom(module: WasmModule): Executor {
  return createCompiledExecutor(createWasmMachineFrom(module));
}

/** An executor with its own workers. */
export interface ThreadedExecutor extends Executor {
  /** Ends the workers; programs still run, on the calling thread. */
  dispose(): void;
}

/** The same executor on several threads, with identical results; uses {@link createThreadedWasmMachine}. */
export async function createThreadedWasmExecutor(options: WasmThreads): Promise<ThreadedExecutor> {
  const machine = await createThreadedWasmMachine(options);
  return { ...createCompiledExecutor(machine), dispose: () => machine.dispose() };
}
