import type { Buffer } from "./buffer.js";
import type { Program } from "./program.js";
import type { Tensor } from "./tensor.js";

/** The port that every executor implements: it takes programs and runs them. */
export interface Executor {
  readonly name: "reference" | "wasm" | "native";
  readonly precision: "float32" | "float64";
  /** Loads programs that share their state tensors (the same tensor object is the same memory). */
  load<Names extends string>(programs: Readonly<Record<Names, Program>>): Session<Names>;
}

export type { Buffer };

/** Programs in memory, ready to run. */
export interface Session<Names extends string = string> {
  readonly programs: Readonly<Record<Names, LoadedProgram>>;
  /** The memory of a state tensor: zero at first, kept between runs, updated in place. */
  state(tensor: Tensor): Buffer;
}

export interface LoadedProgram {
  /** Runs the whole program: reads inputs and states, writes outputs, updates states. */
  run(): void;
  /** The memory of an input, by its name. @throws SoftrlError for an unknown name. */
  input(name: string): Buffer;
  /** The memory of an output, by its name; overwritten by the next run of any program. */
  output(name: string): Buffer;
}
