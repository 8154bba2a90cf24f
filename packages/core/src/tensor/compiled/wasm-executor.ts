import type { Executor } from "../executor.js";
import { createCompiledExecutor } from "./compiled-executor.js";
import {
  createRelaxedWasmMachine,
  createThreadedRelaxedWasmMachine,
  type RelaxedWasm,
} from "./relaxed-wasm.js";
import { createWasmMachine, createWasmMachineFrom } from "./wasm-machine.js";
import type { WasmModule } from "./wasm-module.js";
import { createThreadedWasmMachine, type ThreadedMachine, type WasmThreads } from "./wasm-threads.js";

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
  return threadedExecutor(await createThreadedWasmMachine(options));
}

/**
 * The executor `wasm-relaxed`: the same kernels with WebAssembly's relaxed SIMD, whose fused multiply-add makes a convolutional
 * network about a fifth faster. It is another executor because it rounds differently: a checkpoint of one cannot be resumed with the
 * other. Its results are the same in all engines whose {@link relaxedArithmetic} is the same; over
 * {@link createRelaxedWasmMachine}.
 *
 * @throws SoftrlError when this engine has no relaxed SIMD, for instance Node.js 20.
 */
export async function createRelaxedWasmExecutor(options?: RelaxedWasm): Promise<Executor> {
  return createCompiledExecutor(await createRelaxedWasmMachine(options));
}

/** The executor `wasm-relaxed` on several threads, with identical results; uses {@link createThreadedRelaxedWasmMachine}. */
export async function createThreadedRelaxedWasmExecutor(options: WasmThreads): Promise<ThreadedExecutor> {
  return threadedExecutor(await createThreadedRelaxedWasmMachine(options));
}

function threadedExecutor(machine: ThreadedMachine): ThreadedExecutor {
  return { ...createCompiledExecutor(machine), dispose: () => machine.dispose() };
}
