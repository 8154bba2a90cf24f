import { SoftrlError } from "./errors.js";

/**
 * Zeroed memory that threads share.
 * @throws SoftrlError where the runtime has none, as a page that is not cross-origin isolated.
 */
export function sharedMemory(where: string, bytes: number): SharedArrayBuffer {
  if (typeof SharedArrayBuffer !== "undefined") return new SharedArrayBuffer(bytes);
  throw new SoftrlError(where, "this runtime has no shared memory", {
    expected: "SharedArrayBuffer, which a browser has only on cross-origin isolated pages",
    remedy:
      "serve the page with the headers Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp, or train with one worker",
  });
}

/**
 * Bytes, a cache line. An engine copies between arrays word by word only where both begin at a multiple of 8 bytes, else
 * byte by byte: that is several times slower, and another thread could read half a number.
 */
const ALIGNMENT = 64;

/** The bytes that an array of this size takes where each array begins at a multiple of a cache line. */
export function alignedBytes({ byteLength }: ArrayBufferView): number {
  return Math.ceil(byteLength / ALIGNMENT) * ALIGNMENT;
}

/** An array of the same size and precision in shared memory, from so many bytes on. */
export function sharedView<T extends Float32Array | Float64Array>(
  memory: SharedArrayBuffer,
  offset: number,
  like: T,
): T;
export function sharedView(
  memory: SharedArrayBuffer,
  offset: number,
  like: Float32Array | Float64Array,
): Float32Array | Float64Array {
  return like instanceof Float32Array
    ? new Float32Array(memory, offset, like.length)
    : new Float64Array(memory, offset, like.length);
}
