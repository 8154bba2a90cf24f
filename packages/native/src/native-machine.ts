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
  /**
   * The instruction set of the kernels; defaults to SOFTRL_NATIVE_ISA, then to the best that this machine
   * supports.
   */
  readonly instructionSet?: InstructionSet;
  /** From 1 to `maxThreads`; defaults to SOFTRL_THREADS, then to 1. Results do not depend on it. */
  readonly threads?: number;
}

const remedy =
  "install a C++ compiler and run `npm rebuild @softrl/native`, or use WebAssembly (SOFTRL_EXECUTOR=wasm)";

/**
 * The machine that runs kernels as native code.
 *
 * @throws SoftrlError when the addon is not available, or this machine does not support the requested
 * instruction set.
 */
export function createNativeMachine(options: NativeOptions = {}): KernelMachine {
  const loaded = loadAddon();
  if (!loaded.found) {
    const what = `the native kernels are not available (${loaded.reason})`;
    throw new SoftrlError("createNativeMachine", what, { remedy }, { cause: loaded.cause });
  }
  const { addon } = loaded;
  const { name, index } = chooseSet(addon, options.instructionSet ?? process.env.SOFTRL_NATIVE_ISA);
  const threads = threadCount(options.threads ?? process.env.SOFTRL_THREADS);
  return {
    name: "native",
    instructionSet: name,
    instantiate: (length, programs) => instantiate(addon, index, threads, length, programs),
    sharedAccess: addon.sharedAccess,
  };
}

/** The executor over {@link createNativeMachine}. */
export function createNativeExecutor(options: NativeOptions = {}): Executor {
  return createCompiledExecutor(createNativeMachine(options));
}

/**
 * Whether the native kernels are available, or the reason why not.
 * @throws SoftrlError for an unknown instruction set, or a number of threads out of range.
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
    known ? "this machine or this build does not support the instruction set" : "unknown instruction set",
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
