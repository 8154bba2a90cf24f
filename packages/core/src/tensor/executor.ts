import type { Buffer } from "./buffer.js";
import type { Program } from "./program.js";
import type { Tensor } from "./tensor.js";

/** The port that every executor implements: it loads programs and runs them. */
export interface Executor {
  /** The name in a configuration: `reference`, `wasm`, `wasm-relaxed`, `native`, or that of an executor of your own. */
  readonly name: string;
  readonly precision: "float32" | "float64";
  /** The instruction set, where the bytes of results depend on it. */
  readonly instructionSet?: string;
  /** Loads programs that share state tensors: the same tensor object is the same memory. */
  load<Names extends string>(
    programs: Readonly<Record<Names, Program>>,
    recording?: Recording<NoInfer<Names>>,
  ): Session<Names>;
  /** Left out where the executor has no faster way than `set` and a program. */
  readonly sharedAccess?: SharedAccess;
}

/**
 * Reads and writes of memory that other threads use, in the executor's precision. All arrays of a call have the same length.
 */
export interface SharedAccess {
  /** to ← from, where others write to `from`. */
  readonly read: (from: Buffer, to: Buffer) => void;
  /** to ← from, where others read or write `to`. */
  readonly write: (from: Buffer, to: Buffer) => void;
  /** to ← to + (after − before), element by element, and `after` itself where `to` equals `before`. */
  readonly addStep: (before: Buffer, after: Buffer, to: Buffer) => void;
}

/**
 * One program evaluates a batch slice by slice; another then works on the whole batch with the same states,
 * and may reuse the values that the first has computed. Its results are the same up to rounding.
 */
export interface Recording<Names extends string> {
  /** The program over one slice. */
  readonly of: Names;
  /** The program over the whole batch: its inputs with the same names have `slices` times as many rows. */
  readonly into: Names;
  readonly slices: number;
}

export type { Buffer };

/** Programs in memory, ready to run. */
export interface Session<Names extends string = string> {
  readonly programs: Readonly<Record<Names, LoadedProgram>>;
  /**
   * One copy of the slice program per slice, whose shared inputs are that slice of the inputs of the whole
   * program. All of them must run with the current states before the whole program does. Empty without a
   * recording.
   */
  readonly recorded: readonly LoadedProgram[];
  /** The memory of a state tensor: initially zero, kept between runs, updated in place. */
  state(tensor: Tensor): Buffer;
}

export interface LoadedProgram {
  /** Runs the program: reads inputs and states, writes outputs, updates states. */
  run(): void;
  /** The memory of the input with this name. @throws SoftrlError for an unknown name. */
  input(name: string): Buffer;
  /** The memory of the output with this name; the next run of the program overwrites it. */
  output(name: string): Buffer;
}
