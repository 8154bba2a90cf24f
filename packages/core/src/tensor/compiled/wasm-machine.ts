import { fail } from "../../base/errors.js";
import type { Kernel, KernelInstance, KernelMachine } from "./kernel.js";
import { encodeKernels } from "./kernel-encoding.js";
import { kernelsText } from "./kernels-wasm.js";
import {
  compileWasm,
  growMemory,
  instantiateWasm,
  placePrograms,
  requireKernels,
  type WasmMemory,
  type WasmModule,
} from "./wasm-module.js";

interface Exports {
  readonly memory: WasmMemory;
  readonly __heap_base: { readonly value: number };
  readonly run: (code: number, length: number, arena: number, team: number) => void;
}

// The kernels run on one thread if there is no team.
const noTeam = 0;

let compiled: Promise<WasmModule> | undefined;

/**
 * The machine that runs kernels as WebAssembly SIMD on one thread, in browsers and Node. The module is
 * compiled once; each instance has its own memory.
 *
 * @throws SoftrlError when this runtime has no WebAssembly SIMD.
 */
export async function createWasmMachine(): Promise<KernelMachine> {
  compiled ??= compileWasm("createWasmMachine", kernelsText, "WebAssembly SIMD");
  return machineOf("wasm", await compiled);
}

/**
 * The same machine from a module that the caller has compiled from the file `softrl/kernels.wasm`. A bundle that uses it
 * leaves out the kernels that {@link createWasmMachine} embeds.
 *
 * @throws SoftrlError unless the module holds this version's kernels.
 */
export function createWasmMachineFrom(module: WasmModule): KernelMachine {
  requireKernels("createWasmMachineFrom", module, "kernels");
  return machineOf("wasm", module);
}

/** A machine from a module of the kernels for one thread. */
export function machineOf(name: KernelMachine["name"], module: WasmModule): KernelMachine {
  return { name, instantiate: (arenaLength, programs) => instantiate(module, arenaLength, programs) };
}

function instantiate(
  module: WasmModule,
  arenaLength: number,
  programs: readonly (readonly Kernel[])[],
): KernelInstance {
  const codes = programs.map((kernels) => encodeKernels(kernels, arenaLength));
  const { memory, run, __heap_base } = instantiateWasm<Exports>(module);
  const { loaded, arenaAt, end } = placePrograms(codes, __heap_base.value, arenaLength);
  growMemory(memory, end);

  // Create views only now: growing the memory detaches the old buffer.
  for (const { at, code } of loaded) new Int32Array(memory.buffer, at, code.length).set(code);
  const arena = new Float32Array(memory.buffer, arenaAt, arenaLength);
  return {
    arena,
    run(program) {
      const it = loaded[program];
      if (it === undefined) noSuchProgram(program, loaded.length);
      run(it.at, it.code.length, arenaAt, noTeam);
    },
  };
}

export function noSuchProgram(program: number, count: number): never {
  fail("KernelInstance.run", "no such program", {
    expected: `an index below ${count}`,
    got: String(program),
  });
}
