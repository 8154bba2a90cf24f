import type { Kernel, KernelMachine } from "../../src/tensor/compiled/kernel.js";
import { wasmMachines } from "./wasm-builds.js";

/** All machines that the kernel tests run on. */
export async function kernelMachines(): Promise<readonly KernelMachine[]> {
  return wasmMachines;
}

/** The arena after running these kernels once on the given numbers. */
export function arenaAfter(
  machine: KernelMachine,
  kernels: readonly Kernel[],
  before: Float32Array,
): Float32Array {
  const instance = machine.instantiate(before.length, [kernels]);
  instance.arena.set(before);
  instance.run(0);
  return instance.arena.slice();
}
