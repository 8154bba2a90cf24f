import { outOfMemory } from "../../base/allocation.js";
import { base64Bytes } from "../../base/base64.js";
import { fail, SoftrlError } from "../../base/errors.js";

// The part of the WebAssembly interface that is used here; the language's own library has no types for it.
export interface WasmMemory {
  readonly buffer: ArrayBuffer | SharedArrayBuffer;
  grow(pages: number): number;
}

/** A compiled module; opaque, and can be sent to a worker. */
export type WasmModule = { readonly wasmModule: unique symbol };

declare const WebAssembly: {
  compile(bytes: Uint8Array<ArrayBuffer>): Promise<WasmModule>;
  readonly Instance: new (
    module: WasmModule,
    imports?: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
  ) => { readonly exports: unknown };
  readonly Memory: new (sizes: {
    readonly initial: number;
    readonly maximum: number;
    readonly shared: true;
  }) => WasmMemory;
};

const pageBytes = 65536;
// 32-bit addresses: pointer differences reach half of the address space.
const mostBytes = 2 ** 31;
const alignment = 64;

/** @throws SoftrlError when this runtime has no WebAssembly, or cannot compile this. */
export async function compileWasm(where: string, base64: string, needs: string): Promise<WasmModule> {
  if (typeof WebAssembly === "undefined") fail(where, "this runtime has no WebAssembly");
  try {
    return await WebAssembly.compile(base64Bytes(base64));
  } catch (error) {
    throw new SoftrlError(
      where,
      "the kernels do not compile here",
      { expected: `a runtime with ${needs}` },
      { cause: error },
    );
  }
}

/** An instance; `Exports` is what the module's source says that it has. */
export function instantiateWasm<Exports>(
  module: WasmModule,
  imports: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {},
): Exports {
  return new WebAssembly.Instance(module, imports).exports as Exports;
}

/** @throws SoftrlError with the code `out-of-memory` when there is not so much. */
export function growMemory(memory: WasmMemory, bytes: number): void {
  const pages = Math.ceil(Math.max(0, bytes - memory.buffer.byteLength) / pageBytes);
  enoughMemory(bytes, () => memory.grow(pages));
}

/** Zeroed memory that workers can have too. @throws SoftrlError with the code `out-of-memory` when there is not so much. */
export function sharedMemory(bytes: number): WasmMemory {
  const pages = Math.ceil(bytes / pageBytes);
  return enoughMemory(bytes, () => new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true }));
}

function enoughMemory<T>(bytes: number, get: () => T): T {
  const where = "KernelMachine.instantiate";
  if (bytes > mostBytes) throw outOfMemory(where, bytes);
  try {
    return get();
  } catch (error) {
    throw outOfMemory(where, bytes, undefined, error);
  }
}

/** Where programs and, behind them, the arena lie in a memory that is free from `start` on. */
export function placePrograms(
  codes: readonly Int32Array[],
  start: number,
  arenaLength: number,
): {
  readonly loaded: readonly { readonly at: number; readonly code: Int32Array }[];
  readonly arenaAt: number;
  readonly end: number;
} {
  let end = align(start);
  const loaded: { readonly at: number; readonly code: Int32Array }[] = [];
  for (const code of codes) {
    loaded.push({ at: end, code });
    end = align(end + code.byteLength);
  }
  return { loaded, arenaAt: end, end: end + arenaLength * Float32Array.BYTES_PER_ELEMENT };
}

/** The next address at which a cache line begins. */
export function align(address: number): number {
  return Math.ceil(address / alignment) * alignment;
}
