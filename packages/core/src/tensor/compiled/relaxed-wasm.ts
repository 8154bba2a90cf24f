import { fail } from "../../base/errors.js";
import type { KernelMachine } from "./kernel.js";
import { machineOf } from "./wasm-machine.js";
import {
  compileBytes,
  compileWasm,
  instantiateWasm,
  requireKernels,
  validates,
  type WasmModule,
} from "./wasm-module.js";
import { type ThreadedMachine, threadedMachine, type WasmThreads } from "./wasm-threads.js";

/** How an engine computes a · b + c in relaxed SIMD: `fma` rounds once, `no-fma` rounds the product too. */
export type RelaxedArithmetic = "fma" | "no-fma";

export interface RelaxedWasm {
  /** Compiled from the file `softrl/kernels-relaxed.wasm`; the embedded kernels, compiled at first use, by default. */
  readonly module?: WasmModule;
}

const needs = "WebAssembly relaxed SIMD";

// A module that exports, under the empty name, a function of type () → f32: lane 0 of relaxed_madd(x, x, −y), where
// x = 1 + 2⁻¹² and y = 1 + 2⁻¹¹. Exactly it is 2⁻²⁴; it is 0 if x · x is rounded, to y.
const probe = Uint8Array.of(
  ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
  ...[0x01, 0x05, 0x01, 0x60, 0x00, 0x01, 0x7d], // the type
  ...[0x03, 0x02, 0x01, 0x00], // the function has it
  ...[0x07, 0x04, 0x01, 0x00, 0x00, 0x00], // the export
  ...[0x0a, 0x1f, 0x01, 0x1d, 0x00], // its code, without locals
  ...[0x43, 0x00, 0x08, 0x80, 0x3f, 0xfd, 0x13], // f32.const x, f32x4.splat
  ...[0x43, 0x00, 0x08, 0x80, 0x3f, 0xfd, 0x13], // f32.const x, f32x4.splat
  ...[0x43, 0x00, 0x10, 0x80, 0xbf, 0xfd, 0x13], // f32.const −y, f32x4.splat
  ...[0xfd, 0x85, 0x02, 0xfd, 0x1f, 0x00, 0x0b], // f32x4.relaxed_madd, f32x4.extract_lane 0, end
);

/**
 * The arithmetic of this engine's relaxed SIMD, on which the bytes of the executor `wasm-relaxed` depend; null where the
 * engine has none.
 *
 * @throws SoftrlError when the engine may not compile WebAssembly, for instance by a page's policy.
 */
export async function relaxedArithmetic(): Promise<RelaxedArithmetic | null> {
  if (!validates(probe)) return null;
  const module = await compileBytes("relaxedArithmetic", probe, needs);
  const { "": difference } = instantiateWasm<{ readonly "": () => number }>(module);
  return difference() === 0 ? "no-fma" : "fma";
}

let compiled: Promise<WasmModule> | undefined;
let compiledThreaded: Promise<WasmModule> | undefined;

/**
 * The machine `wasm-relaxed`: kernels with WebAssembly's relaxed SIMD, on one thread. Their multiply-add is fused where the
 * processor can, and their tiles are larger, so they are faster than those of {@link createWasmMachine} and round differently.
 * `instructionSet` is the engine's {@link RelaxedArithmetic}. Nothing chooses this machine by itself.
 *
 * @throws SoftrlError when this engine has no relaxed SIMD, and when the module does not hold this version's relaxed kernels.
 */
export async function createRelaxedWasmMachine({ module }: RelaxedWasm = {}): Promise<KernelMachine> {
  const where = "createRelaxedWasmMachine";
  const instructionSet = await requiredArithmetic(where);
  if (module !== undefined) requireKernels(where, module, "kernels-relaxed");
  return { ...machineOf("wasm-relaxed", module ?? (await embedded())), instructionSet };

  async function embedded(): Promise<WasmModule> {
    // Loaded on demand: most programs never ask for these kernels.
    const { relaxedKernelsText } = await import("./kernels-relaxed-wasm.js");
    compiled ??= compileWasm(where, relaxedKernelsText, needs);
    return compiled;
  }
}

/**
 * The machine `wasm-relaxed` on several threads, with the same results as on one; its workers are those of
 * {@link createThreadedWasmMachine}.
 *
 * @throws SoftrlError when this engine has no relaxed SIMD or no shared memory, when the number of threads is out of range, or
 * when the module does not hold this version's threaded relaxed kernels.
 */
export async function createThreadedRelaxedWasmMachine(options: WasmThreads): Promise<ThreadedMachine> {
  const where = "createThreadedRelaxedWasmMachine";
  const instructionSet = await requiredArithmetic(where);
  const machine = await threadedMachine(where, options, {
    name: "wasm-relaxed",
    file: "kernels-relaxed-threads",
    async compile() {
      const { relaxedThreadedKernelsText } = await import("./kernels-relaxed-threads-wasm.js");
      compiledThreaded ??= compileWasm(where, relaxedThreadedKernelsText, `${needs} and threads`);
      return compiledThreaded;
    },
  });
  return { ...machine, instructionSet };
}

async function requiredArithmetic(where: string): Promise<RelaxedArithmetic> {
  return (
    (await relaxedArithmetic()) ??
    fail(where, "this engine has no relaxed SIMD", {
      expected:
        "an engine with WebAssembly relaxed SIMD, as Node.js has from version 22 on and Chromium from 114 on",
      got: "one that rejects f32x4.relaxed_madd",
      remedy: "use the executor wasm, whose results differ only in rounding",
    })
  );
}
