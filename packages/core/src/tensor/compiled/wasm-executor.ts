import type { Executor } from "../executor.js";
import { createCompiledExecutor } from "./compiled-executor.js";
import { createWasmMachine, createWasmMachineFrom } from "./wasm-machine.js";
import type { WasmModule } from "./wasm-module.js";
import { createThreadedWasmMachine, type WasmThreads } from "./wasm-threads.js";

/** The executor that runs everywhere: WebAssembly SIMD, float32, one thread. */
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

/** An executor with workers of its own. */
export interface ThreadedExecutor extends Executor {
  /** Lets the workers go; programs still run, on the calling thread. */
  dispose(): void;
}

/** The same on several threads, with the same bytes: over {@link createThreadedWasmMachine}. */
export async function createThreadedWasmExecutor(options: WasmThreads): Promise<ThreadedExecutor> {
  const machine = await createThreadedWasmMachine(options);
  return { ...createCompiledExecutor(machine), dispose: () => machine.dispose() };
}
