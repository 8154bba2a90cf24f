import {
  createCompiledExecutor,
  type Executor,
  encodeKernels,
  type Kernel,
  type KernelInstance,
  type KernelMachine,
  outOfMemory,
  SoftrlError,
  suggestion,
  threadCount,
} from "softrl";
import {
  type Addon,
  type InstructionSet,
  loadAddon,
  type NativeReport,
  nativeInstructionSets,
  supportedSets,
} from "./addon.js";

export interface NativeOptions {
  /** The kernels to run; by default SOFTRL_NATIVE_ISA, else the best that this machine has. */
  readonly instructionSet?: InstructionSet;
  /** From 1 to `mostThreads`; by default SOFTRL_THREADS, else 1. The numbers that come out do not depend on it. */
  readonly threads?: number;
}

const remedy =
  "install a C++ compiler and run `npm rebuild @softrl/native`, or use WebAssembly (SOFTRL_EXECUTOR=wasm)";

/**
 * The machine that runs kernels as native code.
 *
 * @throws SoftrlError when the addon is not there, or this machine lacks the instruction set that is asked for.
 */
export function createNativeMachine(options: NativeOptions = {}): KernelMachine {
  const loaded = loadAddon();
  if (!loaded.found) {
    const what = `the native kernels are not available (${loaded.reason})`;
    throw new SoftrlError("createNativeMachine", what, { remedy }, { cause: loaded.cause });
  }
  const { addon } = loaded;
  const { index } = chooseSet(addon, options.instructionSet ?? process.env.SOFTRL_NATIVE_ISA);
  const threads = threadCount(options.threads ?? process.env.SOFTRL_THREADS);
  return {
    name: "native",
    instantiate: (length, programs) => instantiate(addon, index, threads, length, programs),
  };
}

/** The executor over {@link createNativeMachine}. */
export function createNativeExecutor(options: NativeOptions = {}): Executor {
  return createCompiledExecutor(createNativeMachine(options));
}

/**
 * What this machine has of the native kernels, or why it has none.
 * @throws SoftrlError for a setting that is none: an unknown instruction set, or a number of threads out of range.
 */
export function inspectNative(options: NativeOptions = {}): NativeReport {
  const loaded = loadAddon();
  if (!loaded.found) return { available: false, reason: loaded.reason };
  const supported = supportedSets(loaded.addon).map(({ name }) => name);
  const { name } = chooseSet(loaded.addon, options.instructionSet ?? process.env.SOFTRL_NATIVE_ISA);
  const threads = threadCount(options.threads ?? process.env.SOFTRL_THREADS);
  return { available: true, instructionSet: name, supported, threads };
}

function chooseSet(
  addon: Addon,
  wanted: string | undefined,
): { readonly name: InstructionSet; readonly index: number } {
  const supported = supportedSets(addon);
  const names = supported.map(({ name }) => name);
  const chosen =
    wanted === undefined || wanted === "" ? supported[0] : supported.find((set) => set.name === wanted);
  if (chosen !== undefined) return chosen;
  const name = String(wanted);
  const known = nativeInstructionSets.some((set) => set === name);
  throw new SoftrlError(
    "SOFTRL_NATIVE_ISA",
    known ? "this machine or this build lacks the instruction set" : "unknown instruction set",
    { expected: names.join(" or "), got: JSON.stringify(name), remedy: suggestion(name, names) },
  );
}

function instantiate(
  addon: Addon,
  set: number,
  threads: number,
  arenaLength: number,
  programs: readonly (readonly Kernel[])[],
): KernelInstance {
  const bytes = arenaLength * Float32Array.BYTES_PER_ELEMENT;
  const codes = programs.map((kernels) => encodeKernels(kernels, arenaLength));
  // The addon takes lengths of 32 bits.
  if (arenaLength >= 2 ** 31) throw outOfMemory("KernelMachine.instantiate", bytes);
  const [memory, ...runs] = addon.instantiate(arenaLength, codes, set, threads);
  if (memory === null) {
    throw outOfMemory("KernelMachine.instantiate", bytes);
  }
  const arena = new Float32Array(memory);
  return {
    arena,
    run(program) {
      const run = runs[program];
      if (run === undefined) {
        throw new SoftrlError("KernelInstance.run", "no such program", {
          expected: `an index below ${runs.length}`,
          got: String(program),
        });
      }
      run();
    },
  };
}
