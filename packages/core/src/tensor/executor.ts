import type { Buffer } from "./buffer.js";
import type { Program } from "./program.js";
import type { Tensor } from "./tensor.js";

/** The port that every executor implements: it takes programs and runs them. */
export interface Executor {
  /** The name in a configuration: `reference`, `wasm`, `native`, or that of an executor of your own. */
  readonly name: string;
  readonly precision: "float32" | "float64";
  /** The instruction set, where the bytes of results depend on it. */
  readonly instructionSet?: string;
  /** Loads programs that share their state tensors (the same tensor object is the same memory). */
  load<Names extends string>(
    programs: Readonly<Record<Names, Program>>,
    recording?: Recording<NoInfer<Names>>,
  ): Session<Names>;
}

/**
 * One program judges a batch slice by slice; another works on the whole batch right afterwards, with the same states:
 * it may take over what the first has computed. Its results are the same to rounding.
 */
export interface Recording<Names extends string> {
  /** The program over one slice. */
  readonly of: Names;
  /** The program over the whole batch: inputs of the same name have `slices` times as many rows. */
  readonly into: Names;
  readonly slices: number;
}

export type { Buffer };

/** Programs in memory, ready to run. */
export interface Session<Names extends string = string> {
  readonly programs: Readonly<Record<Names, LoadedProgram>>;
  /**
   * The slice program once for each slice: its shared inputs are that slice of the whole program's. All of them must
   * have run, on the present states, before the whole program does. Empty without a recording.
   */
  readonly recorded: readonly LoadedProgram[];
  /** The memory of a state tensor: zero at first, kept between runs, updated in place. */
  state(tensor: Tensor): Buffer;
}

export interface LoadedProgram {
  /** Runs the whole program: reads inputs and states, writes outputs, updates states. */
  run(): void;
  /** The memory of an input, by its name. @throws SoftrlError for an unknown name. */
  input(name: string): Buffer;
  /** The memory of an output, by its name; overwritten by the program's next run. */
  output(name: string): Buffer;
}
