// @ts-check
import { nodeWorkers } from "@softrl/node";
import {
  createReferenceExecutor,
  createRelaxedWasmExecutor,
  createThreadedWasmExecutor,
  createWasmExecutor,
  relaxedArithmetic,
} from "softrl";

/**
 * @typedef {object} Found
 * @property {string} name the name in the table
 * @property {"native" | "wasm" | "wasm-relaxed"} kind
 * @property {number} threads
 * @property {string} instructionSet
 * @property {import("softrl").Executor} executor
 */

/** The slow executor that the others are checked against. */
export const reference = createReferenceExecutor();

/**
 * The executors of this machine: WebAssembly, and the native one if it is installed, each with one and two threads; and
 * WebAssembly with relaxed SIMD, if the engine has it.
 * @returns {Promise<{ readonly executors: readonly Found[], readonly missing: readonly string[] }>}
 */
export async function findExecutors() {
  /** @type {Found[]} */
  const executors = [
    {
      name: "wasm",
      kind: "wasm",
      threads: 1,
      instructionSet: "128 bits",
      executor: await createWasmExecutor(),
    },
    {
      name: "wasm, 2 threads",
      kind: "wasm",
      threads: 2,
      instructionSet: "128 bits",
      executor: await createThreadedWasmExecutor({ threads: 2, host: nodeWorkers }),
    },
  ];
  /** @type {string[]} */
  const missing = [];
  const arithmetic = await relaxedArithmetic();
  if (arithmetic === null) missing.push("executor wasm-relaxed: Node.js has it from version 22 on");
  else
    executors.push({
      name: "wasm-relaxed",
      kind: "wasm-relaxed",
      threads: 1,
      instructionSet: `128 bits, ${arithmetic}`,
      executor: await createRelaxedWasmExecutor(),
    });
  try {
    // A variable instead of a literal, so that type checking does not depend on an optional package.
    const nativePackage = "@softrl/native";
    const { createNativeExecutor, inspectNative } = await import(nativePackage);
    for (const threads of [1, 2]) {
      const found = inspectNative({ threads });
      if (!found.available) throw new Error(found.reason);
      if (found.threads !== threads) {
        missing.push(`native executor with ${threads} threads: it would run with ${found.threads}`);
        continue;
      }
      executors.push({
        name: threads === 1 ? "native" : `native, ${threads} threads`,
        kind: "native",
        threads,
        instructionSet: found.instructionSet,
        executor: await createNativeExecutor({ threads }),
      });
    }
  } catch (error) {
    missing.push(`native executor: ${error instanceof Error ? error.message.split("\n")[0] : String(error)}`);
  }
  return { executors, missing };
}
