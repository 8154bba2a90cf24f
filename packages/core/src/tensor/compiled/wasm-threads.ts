import { SoftrlError } from "../../base/errors.js";
import type { Kernel, KernelInstance, KernelMachine } from "./kernel.js";
import { encodeKernels } from "./kernel-encoding.js";
import { scratchLength } from "./kernel-scratch.js";
import { threadCount } from "./thread-count.js";
import { Crew, type CrewExports, type CrewTerms, crewBytes, type WorkerHost } from "./wasm-crew.js";
import { noSuchProgram } from "./wasm-machine.js";
import {
  align,
  compileWasm,
  instantiateWasm,
  placePrograms,
  requireKernels,
  sharedMemory,
  type WasmModule,
} from "./wasm-module.js";

export interface WasmThreads {
  /** From 1 to `mostThreads`, the calling one among them. The numbers that come out do not depend on it. */
  readonly threads: number;
  readonly host: WorkerHost;
  /** Compiled from the file `softrl/kernels-threads.wasm`; the embedded kernels, compiled at first use, by default. */
  readonly module?: WasmModule;
  /** Operations below which a kernel stays on one thread; for tests. */
  readonly leastShared?: number;
  /** Milliseconds after which a worker that finishes no part of a kernel counts as lost; 30 s by default. */
  readonly patience?: number;
}

/** A machine with workers of its own. */
export interface ThreadedMachine extends KernelMachine {
  /** Lets the workers go; programs still run, on the calling thread. */
  dispose(): void;
}

let compiled: Promise<WasmModule> | undefined;

// Of the module, not of a machine: a registry that is garbage together with what it watches says nothing.
const garbage = new FinalizationRegistry<() => void>((letGo) => letGo());

/**
 * The machine that runs kernels as WebAssembly SIMD on several threads, with the bytes that one thread gives. Workers
 * start at the first kernel that is worth sharing, so a small network has none; those of an instance end when it is
 * garbage, or at `dispose`.
 *
 * @throws SoftrlError when this runtime has no WebAssembly SIMD or no memory that threads share (a browser has it
 * where the page is cross-origin isolated alone), for a number of threads out of range, or for a module that does not
 * hold this version's threaded kernels.
 */
export async function createThreadedWasmMachine(options: WasmThreads): Promise<ThreadedMachine> {
  const threads = threadCount(options.threads);
  if (typeof SharedArrayBuffer === "undefined") {
    throw new SoftrlError("createThreadedWasmMachine", "this runtime has no memory that threads share", {
      remedy: "isolate the page from other origins, or use createWasmMachine",
    });
  }
  if (options.module !== undefined) {
    requireKernels("createThreadedWasmMachine", options.module, "kernels-threads");
  }
  const module = options.module ?? (await embeddedModule());
  const heapBase = heapBaseOf(module);
  const { host, leastShared = 4e6, patience = 30_000 } = options;
  const crews = new Crews();
  return {
    name: "wasm",
    instantiate(arenaLength, programs) {
      const terms = { module, host, threads, floats: threadFloats(programs), leastShared, patience };
      return instantiate(terms, heapBase, arenaLength, programs, crews);
    },
    dispose: () => crews.dispose(),
  };
}

/** The crews of one machine: those that have workers, until nobody has their instance or all are let go. */
class Crews {
  disposed = false;
  readonly #started = new Set<Crew>();

  watch(instance: KernelInstance, crew: Crew): void {
    this.#started.add(crew);
    garbage.register(instance, () => {
      crew.end();
      this.#started.delete(crew);
    });
  }

  dispose(): void {
    this.disposed = true;
    for (const crew of this.#started) crew.end();
    this.#started.clear();
  }
}

async function embeddedModule(): Promise<WasmModule> {
  // Loaded on demand, so that a bundle can keep the text in a chunk of its own.
  const { threadedKernelsText } = await import("./kernels-threads-wasm.js");
  const needs = "WebAssembly SIMD and threads";
  compiled ??= compileWasm("createThreadedWasmMachine", threadedKernelsText, needs);
  return compiled;
}

/** The first byte of memory that the module's own data leaves free. */
function heapBaseOf(module: WasmModule): number {
  const never = () => undefined;
  const { __heap_base } = instantiateWasm<CrewExports>(module, {
    env: { memory: sharedMemory(2 ** 21) },
    host: { start: never, wait: never },
  });
  return __heap_base.value;
}

function instantiate(
  terms: CrewTerms,
  heapBase: number,
  arenaLength: number,
  programs: readonly (readonly Kernel[])[],
  crews: Crews,
): KernelInstance {
  const codes = programs.map((kernels) => encodeKernels(kernels, arenaLength));
  const crewAt = align(heapBase);
  const { loaded, arenaAt, end } = placePrograms(codes, crewAt + crewBytes(terms), arenaLength);
  const memory = sharedMemory(end);
  const crew = new Crew(terms, memory, crewAt);
  for (const { at, code } of loaded) new Int32Array(memory.buffer, at, code.length).set(code);
  const arena = new Float32Array(memory.buffer, arenaAt, arenaLength);
  let watched = false;
  const instance: KernelInstance = {
    arena,
    run(program) {
      const it = loaded[program];
      if (it === undefined) noSuchProgram(program, loaded.length);
      if (crews.disposed) crew.end();
      crew.run(it.at, it.code.length, arenaAt);
      if (watched || !crew.started) return;
      watched = true;
      crews.watch(instance, crew);
    },
  };
  return instance;
}

/** Floats that a thread needs for itself inside the kernels: no more than the kernel needs where it runs alone. */
function threadFloats(programs: readonly (readonly Kernel[])[]): number {
  let most = leastFloats;
  for (const kernel of programs.flat()) if ("scratch" in kernel) most = Math.max(most, scratchLength(kernel));
  return align(most);
}

// A packed panel of a matrix product, however small the product.
const leastFloats = 8192;
