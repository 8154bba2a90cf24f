import { SoftrlError } from "../../base/errors.js";
import type { WorkerHost } from "../../base/worker-host.js";
import type { Kernel, KernelInstance, KernelMachine } from "./kernel.js";
import { encodeKernels } from "./kernel-encoding.js";
import { scratchLength } from "./kernel-scratch.js";
import { threadCount } from "./thread-count.js";
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
import { type TeamExports, type TeamOptions, teamBytes, WorkerTeam } from "./wasm-workers.js";

export interface WasmThreads {
  /** From 1 to {@link maxThreads}, the calling thread included. Results do not depend on it. */
  readonly threads: number;
  readonly host: WorkerHost;
  /**
   * Compiled from the file `softrl/kernels-threads.wasm`, or `softrl/kernels-relaxed-threads.wasm` for relaxed SIMD; the
   * embedded kernels, compiled at first use, by default.
   */
  readonly module?: WasmModule;
  /** A kernel with fewer operations stays on one thread; for tests. */
  readonly leastShared?: number;
  /**
   * Milliseconds after which a worker that does not finish a part of a kernel counts as lost; defaults to
   * 30,000.
   */
  readonly patience?: number;
}

/** A machine with its own workers. */
export interface ThreadedMachine extends KernelMachine {
  /** Ends the workers; programs still run, on the calling thread. */
  dispose(): void;
}

let compiled: Promise<WasmModule> | undefined;

// Belongs to the module, not to a machine: a registry that is collected together with the objects that it
// watches never calls back.
const garbage = new FinalizationRegistry<() => void>((release) => release());

/**
 * The machine that runs kernels as WebAssembly SIMD on several threads, with the same results as on one
 * thread. Workers start at the first kernel that is worth sharing, so a small network has none. The workers
 * of an instance end when it is garbage-collected, or at `dispose`.
 *
 * @throws SoftrlError when this runtime has no WebAssembly SIMD or no shared memory (a browser only has it on
 * cross-origin isolated pages), when the number of threads is out of range, or when the module does not hold this
 * version's threaded kernels.
 */
export function createThreadedWasmMachine(options: WasmThreads): Promise<ThreadedMachine> {
  return threadedMachine("createThreadedWasmMachine", options, {
    name: "wasm",
    file: "kernels-threads",
    compile: embeddedModule,
  });
}

/** A build of the kernels for several threads. */
export interface ThreadedBuild {
  readonly name: KernelMachine["name"];
  /** The file of the package that holds it, without its ending. */
  readonly file: string;
  /** Compiles the embedded module, once. */
  compile(): Promise<WasmModule>;
}

/** A machine with a build; `where` is the function that an error names. */
export async function threadedMachine(
  where: string,
  options: WasmThreads,
  { name, file, compile }: ThreadedBuild,
): Promise<ThreadedMachine> {
  const threads = threadCount(options.threads);
  if (typeof SharedArrayBuffer === "undefined") {
    throw new SoftrlError(where, "this runtime has no shared memory", {
      remedy: `make the page cross-origin isolated, or use ${where.replace("Threaded", "")}`,
    });
  }
  if (options.module !== undefined) requireKernels(where, options.module, file);
  const module = options.module ?? (await compile());
  const heapBase = heapBaseOf(module);
  const { host, leastShared = 4e6, patience = 30_000 } = options;
  const teams = new WorkerTeams();
  return {
    name,
    instantiate(arenaLength, programs) {
      const teamOptions = { module, host, threads, floats: threadFloats(programs), leastShared, patience };
      return instantiate(teamOptions, heapBase, arenaLength, programs, teams);
    },
    dispose: () => teams.dispose(),
  };
}

/**
 * The teams of one machine that have workers, until their instances are collected or the machine is disposed
 * of.
 */
class WorkerTeams {
  disposed = false;
  readonly #started = new Set<WorkerTeam>();

  watch(instance: KernelInstance, team: WorkerTeam): void {
    this.#started.add(team);
    garbage.register(instance, () => {
      team.end();
      this.#started.delete(team);
    });
  }

  dispose(): void {
    this.disposed = true;
    for (const team of this.#started) team.end();
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
  const { __heap_base } = instantiateWasm<TeamExports>(module, {
    env: { memory: sharedMemory(2 ** 21) },
    host: { start: never, wait: never },
  });
  return __heap_base.value;
}

function instantiate(
  options: TeamOptions,
  heapBase: number,
  arenaLength: number,
  programs: readonly (readonly Kernel[])[],
  teams: WorkerTeams,
): KernelInstance {
  const codes = programs.map((kernels) => encodeKernels(kernels, arenaLength));
  const teamAt = align(heapBase);
  const { loaded, arenaAt, end } = placePrograms(codes, teamAt + teamBytes(options), arenaLength);
  const memory = sharedMemory(end);
  const team = new WorkerTeam(options, memory, teamAt);
  for (const { at, code } of loaded) new Int32Array(memory.buffer, at, code.length).set(code);
  const arena = new Float32Array(memory.buffer, arenaAt, arenaLength);
  let watched = false;
  const instance: KernelInstance = {
    arena,
    run(program) {
      const it = loaded[program];
      if (it === undefined) noSuchProgram(program, loaded.length);
      if (teams.disposed) team.end();
      team.run(it.at, it.code.length, arenaAt);
      if (watched || !team.started) return;
      watched = true;
      teams.watch(instance, team);
    },
  };
  return instance;
}

/**
 * The number of floats that each thread needs inside the kernels: at most what the kernel needs on one
 * thread.
 */
function threadFloats(programs: readonly (readonly Kernel[])[]): number {
  let most = minFloats;
  for (const kernel of programs.flat()) if ("scratch" in kernel) most = Math.max(most, scratchLength(kernel));
  return align(most);
}

// One packed panel of a matrix product, whatever the size of the product.
const minFloats = 8192;
