import { base64Bytes } from "../../base/base64.js";
import { fail, SoftrlError } from "../../base/errors.js";
import type { Kernel, KernelInstance, KernelMachine } from "./kernel.js";
import { encodeKernels } from "./kernel-encoding.js";
import { kernelsBase64 } from "./kernels-wasm.js";

// The part of the WebAssembly interface that is used here; the language's own library has no types for it.
interface WasmMemory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

interface WasmInstance {
  readonly exports: {
    readonly memory: WasmMemory;
    readonly __heap_base: { readonly value: number };
    readonly run: (code: number, length: number, arena: number) => void;
  };
}

declare const WebAssembly: {
  compile(bytes: Uint8Array<ArrayBuffer>): Promise<WasmModule>;
  readonly Instance: new (module: WasmModule) => WasmInstance;
};

type WasmModule = { readonly wasmModule: unique symbol };

const pageBytes = 65536;
// 32-bit addresses: pointer differences reach half of the address space.
const mostBytes = 2 ** 31;
const alignment = 64;

let compiled: Promise<WasmModule> | undefined;

/**
 * The machine that runs kernels as WebAssembly SIMD, in browsers and Node alike. The module is compiled once;
 * each instance has a memory of its own.
 *
 * @throws SoftrlError when this runtime has no WebAssembly SIMD.
 */
export async function createWasmMachine(): Promise<KernelMachine> {
  if (typeof WebAssembly === "undefined") fail("createWasmMachine", "this runtime has no WebAssembly");
  compiled ??= WebAssembly.compile(base64Bytes(kernelsBase64));
  let module: WasmModule;
  try {
    module = await compiled;
  } catch (error) {
    throw new SoftrlError(
      "createWasmMachine",
      "the kernels do not compile here",
      { expected: "a runtime with WebAssembly SIMD" },
      { cause: error },
    );
  }
  return { name: "wasm", instantiate: (arenaLength, programs) => instantiate(module, arenaLength, programs) };
}

function instantiate(
  module: WasmModule,
  arenaLength: number,
  programs: readonly (readonly Kernel[])[],
): KernelInstance {
  const codes = programs.map((kernels) => encodeKernels(kernels, arenaLength));
  const { memory, run, __heap_base } = new WebAssembly.Instance(module).exports;

  let end = align(__heap_base.value);
  const loaded: { readonly at: number; readonly code: Int32Array }[] = [];
  for (const code of codes) {
    loaded.push({ at: end, code });
    end = align(end + code.byteLength);
  }
  const arenaAt = end;
  end += arenaLength * Float32Array.BYTES_PER_ELEMENT;
  grow(memory, end);

  // Views only now: growing detaches the old buffer.
  for (const { at, code } of loaded) new Int32Array(memory.buffer, at, code.length).set(code);
  const arena = new Float32Array(memory.buffer, arenaAt, arenaLength);
  return {
    arena,
    run(program) {
      const it = loaded[program];
      if (it === undefined) {
        fail("KernelInstance.run", "no such program", {
          expected: `an index below ${loaded.length}`,
          got: String(program),
        });
      }
      run(it.at, it.code.length, arenaAt);
    },
  };
}

function grow(memory: WasmMemory, bytes: number): void {
  const pages = Math.ceil(Math.max(0, bytes - memory.buffer.byteLength) / pageBytes);
  const refuse = (cause?: unknown): never => {
    throw new SoftrlError(
      "KernelMachine.instantiate",
      `not enough memory for ${(bytes / 2 ** 20).toFixed(1)} MiB`,
      { remedy: "use a smaller batch or network" },
      { cause },
    );
  };
  if (bytes > mostBytes) refuse();
  try {
    memory.grow(pages);
  } catch (error) {
    refuse(error);
  }
}

function align(address: number): number {
  return Math.ceil(address / alignment) * alignment;
}
