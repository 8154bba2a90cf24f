import {
  createReferenceExecutor,
  createThreadedWasmExecutor,
  createThreadedWasmMachine,
  createWasmExecutor,
  createWasmMachine,
  type Executor,
  SoftrlError,
  suggestion,
  threadCount,
} from "softrl";
import { nodeWorkers, whyNoWorkers } from "./node-workers.js";

const names = ["reference", "wasm", "native"] as const;

/**
 * The executor that a run uses: native if it is installed and works here, else WebAssembly, unless the environment
 * variable SOFTRL_EXECUTOR forces one.
 * @throws SoftrlError for a name that is none, and for a forced one that does not work here.
 */
export async function chooseExecutor(forced: string | undefined): Promise<Executor> {
  const name = executorName(forced) ?? (await best());
  if (name === "wasm") return wasm();
  if (name === "reference") return createReferenceExecutor();
  const native = await importNative();
  if (native !== null) return native.createNativeExecutor();
  throw new SoftrlError("SOFTRL_EXECUTOR", "@softrl/native is not installed", {
    remedy: "install it, or use WebAssembly (SOFTRL_EXECUTOR=wasm)",
  });
}

/** The executor that the environment variable forces, null if none. @throws SoftrlError for a name that is none. */
export function executorName(forced: string | undefined): (typeof names)[number] | null {
  if (forced === undefined || forced === "") return null;
  const name = names.find((known) => known === forced);
  if (name !== undefined) return name;
  throw new SoftrlError("SOFTRL_EXECUTOR", "unknown executor", {
    expected: names.join(" or "),
    got: JSON.stringify(forced),
    remedy: suggestion(forced, names),
  });
}

/** One executor, as {@link surveyExecutors} finds it. */
export interface FoundExecutor {
  readonly name: (typeof names)[number];
  readonly works: boolean;
  /** What it computes with, or why it does not work. */
  readonly about: string;
}

/** Every executor, the first that works being the one that a run takes unless it is told otherwise. */
export async function surveyExecutors(): Promise<readonly FoundExecutor[]> {
  return [
    { name: "native", ...(await surveyNative()) },
    { name: "wasm", ...(await surveyWasm()) },
    { name: "reference", works: true, about: "float64, written to be read; slow" },
  ];
}

async function surveyNative(): Promise<Omit<FoundExecutor, "name">> {
  const native = await importNative();
  if (native === null) return { works: false, about: "@softrl/native is not installed" };
  const report = native.inspectNative();
  if (!report.available) return { works: false, about: report.reason };
  const { instructionSet, supported, threads } = report;
  const others = supported.filter((name) => name !== instructionSet);
  const also = others.length === 0 ? "" : ` (${others.join(" and ")} would work too)`;
  return {
    works: true,
    about: `${instructionSet} kernels${also}, ${threads} thread${threads === 1 ? "" : "s"}`,
  };
}

/** With as many threads as the environment variable SOFTRL_THREADS says. */
async function wasm(): Promise<Executor> {
  const threads = threadCount(process.env.SOFTRL_THREADS);
  return threads === 1 ? createWasmExecutor() : createThreadedWasmExecutor({ threads, host: nodeWorkers });
}

async function surveyWasm(): Promise<Omit<FoundExecutor, "name">> {
  const wanted = threadCount(process.env.SOFTRL_THREADS);
  try {
    await createWasmMachine();
    const obstacle = await obstacleToWasmThreads();
    if (wanted === 1) {
      const more = obstacle === null ? "SOFTRL_THREADS asks for more" : `no more are possible: ${obstacle}`;
      return { works: true, about: `WebAssembly SIMD, 1 thread (${more})` };
    }
    if (obstacle !== null)
      return { works: false, about: `no threads, SOFTRL_THREADS=1 does without: ${obstacle}` };
    return { works: true, about: `WebAssembly SIMD, ${wanted} threads` };
  } catch (error) {
    if (error instanceof SoftrlError) return { works: false, about: error.message };
    throw error;
  }
}

/** Why WebAssembly has one thread here; null where it may have more. */
async function obstacleToWasmThreads(): Promise<string | null> {
  try {
    await createThreadedWasmMachine({ threads: 2, host: nodeWorkers });
  } catch (error) {
    if (error instanceof SoftrlError) return error.message;
    throw error;
  }
  return whyNoWorkers();
}

async function best(): Promise<"native" | "wasm"> {
  const native = await importNative();
  return native?.inspectNative().available === true ? "native" : "wasm";
}

/** The optional package, or null where it is not installed. */
async function importNative(): Promise<typeof import("@softrl/native") | null> {
  try {
    return await import("@softrl/native");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ERR_MODULE_NOT_FOUND") return null;
    throw error;
  }
}
