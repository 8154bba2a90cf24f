import { outOfMemory } from "../../base/allocation.js";
import { bytesOfText } from "../../base/byte-text.js";
import { describeValue, type ErrorDetails, fail, SoftrlError } from "../../base/errors.js";
import { kernelsDigest } from "./kernels-digest.js";

// The part of the WebAssembly interface that is used here; the standard library of TypeScript has no types
// for it without the DOM.
export interface WasmMemory {
  readonly buffer: ArrayBuffer | SharedArrayBuffer;
  grow(pages: number): number;
}

/** A `WebAssembly.Module`, for which the language's own library has no type. It can be sent to a worker. */
export type WasmModule = object;

declare const WebAssembly: {
  compile(bytes: Uint8Array<ArrayBuffer>): Promise<WasmModule>;
  validate(bytes: Uint8Array<ArrayBuffer>): boolean;
  readonly Module: { customSections(module: WasmModule, name: string): ArrayBuffer[] };
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
// 32-bit addresses: pointer differences cover half of the address space.
const maxBytes = 2 ** 31;
const alignment = 64;

/** @throws SoftrlError when this runtime has no WebAssembly, or cannot compile the module. */
export function compileWasm(where: string, text: string, needs: string): Promise<WasmModule> {
  return compileBytes(where, bytesOfText(text), needs);
}

/** The same from bytes. */
export async function compileBytes(
  where: string,
  bytes: Uint8Array<ArrayBuffer>,
  needs: string,
): Promise<WasmModule> {
  if (typeof WebAssembly === "undefined") fail(where, "this runtime has no WebAssembly");
  try {
    return await WebAssembly.compile(bytes);
  } catch (error) {
    throw new SoftrlError(where, ...refusalOf(bytes, needs, error), { cause: error });
  }
}

/** Whether this runtime has all instructions of a module. */
export function validates(bytes: Uint8Array<ArrayBuffer>): boolean {
  if (typeof WebAssembly === "undefined") return false;
  return WebAssembly.validate(bytes);
}

/** Why a runtime does not compile a module: it lacks an instruction, or it could compile it and may not. */
function refusalOf(bytes: Uint8Array<ArrayBuffer>, needs: string, error: unknown): [string, ErrorDetails] {
  const got = error instanceof Error ? error.message : describeValue(error);
  // A page's policy forbids to compile, not to validate.
  if (!WebAssembly.validate(bytes)) {
    return ["the kernels cannot be compiled", { expected: `a runtime with ${needs}`, got }];
  }
  const remedy =
    "in a page, allow WebAssembly in the Content-Security-Policy: script-src 'self' 'wasm-unsafe-eval'";
  return ["this runtime supports the kernels but refused to compile them", { got, remedy }];
}

/**
 * Checks that a module was compiled from the file of this name in this version of the package.
 * @throws SoftrlError for another module or version, or a value that is no module.
 */
export function requireKernels(where: string, module: WasmModule, name: string): void {
  const expected = `${name} ${kernelsDigest}`;
  let got = "a value that is not a WebAssembly.Module";
  try {
    const [section] = WebAssembly.Module.customSections(module, "softrl");
    got =
      section === undefined ? "a module of something else" : String.fromCharCode(...new Uint8Array(section));
  } catch {}
  if (got === expected) return;
  fail(where, "the module does not hold this version's kernels", {
    expected,
    got,
    remedy: `compile the file softrl/${name}.wasm of the same version`,
  });
}

/**
 * Creates an instance; `Exports` describes the exports of the module.
 * @throws SoftrlError when the runtime has no room for the instance's memory: many reserve gigabytes of address space.
 */
export function instantiateWasm<Exports>(
  module: WasmModule,
  imports: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {},
): Exports {
  try {
    return new WebAssembly.Instance(module, imports).exports as Exports;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const details = {
      got: error.message,
      remedy: "raise the limit on address space, or use another executor",
    };
    throw new SoftrlError("KernelMachine.instantiate", "no room for WebAssembly", details, { cause: error });
  }
}

/** @throws SoftrlError with the code `out-of-memory` when there is not enough memory. */
export function growMemory(memory: WasmMemory, bytes: number): void {
  const pages = Math.ceil(Math.max(0, bytes - memory.buffer.byteLength) / pageBytes);
  enoughMemory(bytes, () => memory.grow(pages));
}

/** Zeroed memory that workers can share. @throws SoftrlError with the code `out-of-memory` when there is not enough. */
export function sharedMemory(bytes: number): WasmMemory {
  const pages = Math.ceil(bytes / pageBytes);
  return enoughMemory(bytes, () => new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true }));
}

function enoughMemory<T>(bytes: number, get: () => T): T {
  const where = "KernelMachine.instantiate";
  if (bytes > maxBytes) throw outOfMemory(where, bytes);
  try {
    return get();
  } catch (error) {
    throw outOfMemory(where, bytes, undefined, error);
  }
}

/** Places programs, and the arena after them, in memory that is free from `start` on. */
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

/** The next address that is the start of a cache line. */
export function align(address: number): number {
  return Math.ceil(address / alignment) * alignment;
}
