import { nodeWorkers, whyNoWorkers } from "@softrl/node";
import {
  createReferenceExecutor,
  createRelaxedWasmExecutor,
  createThreadedRelaxedWasmExecutor,
  createThreadedWasmExecutor,
  createThreadedWasmMachine,
  createWasmExecutor,
  createWasmMachine,
  type ErrorDetails,
  type Executor,
  nearMatch,
  relaxedArithmetic,
  SoftrlError,
  threadCount,
} from "softrl";

const names = ["native", "wasm", "wasm-relaxed", "reference"] as const;
export type ExecutorName = (typeof names)[number];

/** An executor that an option, a variable or a configuration names. */
export interface WantedExecutor {
  readonly name: string;
  /** What an error names. */
  readonly where: string;
  /** Its arithmetic, where a configuration fixes it. */
  readonly precision?: string;
  readonly instructionSet?: string;
  /** What to do when it does not work here. */
  readonly remedy?: string;
}

/** The executor that SOFTRL_EXECUTOR names; null where it is not set. */
export function executorOfVariable(): WantedExecutor | null {
  const name = process.env.SOFTRL_EXECUTOR;
  return name === undefined || name === "" ? null : { name, where: "SOFTRL_EXECUTOR" };
}

/**
 * Makes an executor: the wanted one, else native where it works, else WebAssembly.
 * @throws SoftrlError for an unknown name, and for an executor that does not work here or computes other bytes.
 */
export async function makeExecutor(wanted: WantedExecutor | null): Promise<Executor> {
  if (wanted === null) return (await nativeWorks()) ? native(null) : wasm();
  const { where, precision, instructionSet } = wanted;
  const name = executorName(wanted);
  const executor = await makeNamed(name, wanted);
  if (precision !== undefined && precision !== executor.precision) {
    refuse(where, `${name} does not compute in ${precision}`, {
      expected: executor.precision,
      got: precision,
    });
  }
  if (instructionSet !== undefined && instructionSet !== executor.instructionSet) {
    refuse(where, `${name} does not use ${instructionSet}`, { remedy: "leave instructionSet out" });
  }
  return executor;
}

function makeNamed(name: ExecutorName, wanted: WantedExecutor): Executor | Promise<Executor> {
  switch (name) {
    case "native":
      return native(wanted);
    case "wasm":
      return wasm();
    case "wasm-relaxed":
      return relaxedWasm(wanted);
    case "reference":
      return createReferenceExecutor();
  }
}

/** The name of a wanted executor, checked. */
export function executorName({ name, where }: WantedExecutor): ExecutorName {
  const near = nearMatch(name, names);
  return (
    names.find((known) => known === name) ??
    refuse(where, "unknown executor", {
      expected: names.join(" or "),
      got: JSON.stringify(name),
      ...(near === null ? {} : { remedy: `did you mean ${near}?` }),
    })
  );
}

/** One executor, as {@link surveyExecutors} finds it. */
export interface FoundExecutor {
  readonly name: ExecutorName;
  readonly works: boolean;
  /** What it computes with, or why it does not work. */
  readonly about: string;
}

/**
 * Every executor; a run uses the first one that works unless another is chosen. The last one, whose bytes depend on the
 * engine, is only used where it is chosen.
 */
export async function surveyExecutors(): Promise<readonly FoundExecutor[]> {
  return [
    { name: "native", ...(await surveyNative()) },
    { name: "wasm", ...(await surveyWasm()) },
    { name: "reference", works: true, about: "reference implementation in float64, slow" },
    { name: "wasm-relaxed", ...(await surveyRelaxedWasm()) },
  ];
}

async function surveyNative(): Promise<Omit<FoundExecutor, "name">> {
  const addon = await importNative();
  if (addon === null) return { works: false, about: "@softrl/native is not installed" };
  const report = addon.inspectNative();
  if (!report.available) return { works: false, about: report.reason };
  const { instructionSet, supported, threads } = report;
  const others = supported.filter((name) => name !== instructionSet);
  const also = others.length === 0 ? "" : ` (${others.join(" and ")} would work too)`;
  return {
    works: true,
    about: `${instructionSet} kernels${also}, ${threads} thread${threads === 1 ? "" : "s"}`,
  };
}

async function native(wanted: WantedExecutor | null): Promise<Executor> {
  const addon = await importNative();
  const where = wanted?.where ?? "native";
  const remedy = wanted?.remedy ?? "choose another, for instance --executor wasm";
  if (addon === null) {
    return refuse(where, "the native executor needs @softrl/native, which is not installed", { remedy });
  }
  const report = addon.inspectNative();
  if (!report.available) {
    return refuse(where, "the native executor does not work here", { got: report.reason, remedy });
  }
  const wantedSet = wanted?.instructionSet;
  if (wantedSet === undefined) return addon.createNativeExecutor();
  const instructionSet = report.supported.find((name) => name === wantedSet);
  if (instructionSet === undefined) {
    const expected = report.supported.join(" or ");
    return refuse(where, "this machine lacks the instruction set", { expected, got: wantedSet, remedy });
  }
  const forced = process.env.SOFTRL_NATIVE_ISA;
  if (forced !== undefined && forced !== "" && forced !== instructionSet) {
    refuse("SOFTRL_NATIVE_ISA", "the run was started with another instruction set", {
      expected: instructionSet,
      got: forced,
      remedy: "unset SOFTRL_NATIVE_ISA",
    });
  }
  return addon.createNativeExecutor({ instructionSet });
}

/** With the number of threads that the environment variable SOFTRL_THREADS gives. */
async function wasm(): Promise<Executor> {
  const threads = threadCount(process.env.SOFTRL_THREADS);
  return threads === 1 ? createWasmExecutor() : createThreadedWasmExecutor({ threads, host: nodeWorkers });
}

const thisEngine = `Node.js ${process.versions.node}`;

/** With the number of threads that the environment variable SOFTRL_THREADS gives. */
async function relaxedWasm({
  where,
  remedy = "choose another, for instance --executor wasm",
  instructionSet,
}: WantedExecutor): Promise<Executor> {
  const arithmetic = await relaxedArithmetic();
  if (arithmetic === null) {
    return refuse(where, "the executor wasm-relaxed does not work here", {
      expected: "an engine with WebAssembly relaxed SIMD, as Node.js has from version 22 on",
      got: thisEngine,
      remedy,
    });
  }
  if (instructionSet !== undefined && instructionSet !== arithmetic) {
    const what = "relaxed SIMD has another arithmetic here";
    return refuse(where, what, { expected: instructionSet, got: arithmetic, remedy });
  }
  const threads = threadCount(process.env.SOFTRL_THREADS);
  return threads === 1
    ? createRelaxedWasmExecutor()
    : createThreadedRelaxedWasmExecutor({ threads, host: nodeWorkers });
}

async function surveyRelaxedWasm(): Promise<Omit<FoundExecutor, "name">> {
  const arithmetic = await relaxedArithmetic();
  if (arithmetic === null) {
    return { works: false, about: `${thisEngine} has no WebAssembly relaxed SIMD` };
  }
  const threads = threadCount(process.env.SOFTRL_THREADS);
  const obstacle = threads === 1 ? null : await obstacleToWasmThreads();
  if (obstacle !== null) {
    return { works: false, about: `no threads; SOFTRL_THREADS=1 works without: ${obstacle}` };
  }
  const how = threads === 1 ? "1 thread" : `${threads} threads`;
  return {
    works: true,
    about: `WebAssembly relaxed SIMD (${arithmetic}), ${how}; only with --executor wasm-relaxed`,
  };
}

async function surveyWasm(): Promise<Omit<FoundExecutor, "name">> {
  const wanted = threadCount(process.env.SOFTRL_THREADS);
  try {
    await createWasmMachine();
    const obstacle = await obstacleToWasmThreads();
    if (wanted === 1) {
      const more = obstacle === null ? "SOFTRL_THREADS sets more" : `more are not possible: ${obstacle}`;
      return { works: true, about: `WebAssembly SIMD, 1 thread (${more})` };
    }
    if (obstacle !== null) {
      return { works: false, about: `no threads; SOFTRL_THREADS=1 works without: ${obstacle}` };
    }
    return { works: true, about: `WebAssembly SIMD, ${wanted} threads` };
  } catch (error) {
    if (error instanceof SoftrlError) return { works: false, about: error.message };
    throw error;
  }
}

/** Why WebAssembly has only one thread here; null where more are possible. */
async function obstacleToWasmThreads(): Promise<string | null> {
  try {
    await createThreadedWasmMachine({ threads: 2, host: nodeWorkers });
  } catch (error) {
    if (error instanceof SoftrlError) return error.message;
    throw error;
  }
  return whyNoWorkers();
}

async function nativeWorks(): Promise<boolean> {
  const addon = await importNative();
  return addon?.inspectNative().available === true;
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

function refuse(where: string, what: string, details: ErrorDetails): never {
  throw new SoftrlError(where, what, details);
}
