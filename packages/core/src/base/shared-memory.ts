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
