import { fail } from "../base/errors.js";
import type { Executor, LoadedProgram, Session } from "./executor.js";
import type { KernelMachine } from "./kernel.js";
import { lower } from "./lowering.js";
import { aligned, alignment, type FixedMemory } from "./memory-plan.js";
import type { Program } from "./program.js";
import { namedStep } from "./reference-executor.js";
import type { Tensor } from "./tensor.js";

/**
 * An executor that lowers programs to kernels and lets a machine run them: one arena a session, with the states
 * first, then every program's inputs, constants and outputs, then temporary memory that the programs share.
 */
export function createCompiledExecutor(machine: KernelMachine): Executor {
  return {
    name: machine.name,
    precision: "float32",
    load<Names extends string>(programs: Readonly<Record<Names, Program>>): Session<Names> {
      const names = Object.keys(programs) as Names[];
      const layout = new Layout();
      const fixed = names.map((name) => layout.place(programs[name]));
      const base = layout.end;
      const lowered = names.map((name, i) => lower(programs[name], fixed[i], base));
      const length = Math.max(base, ...lowered.map((program) => program.end)) + alignment;
      const instance = machine.instantiate(
        length,
        lowered.map((program) => program.kernels),
      );
      for (const [offset, values] of layout.constants) instance.arena.set(values, offset);

      const view = (offset: number, size: number) => instance.arena.subarray(offset, offset + size);
      const loaded = {} as Record<Names, LoadedProgram>;
      names.forEach((name, i) => {
        loaded[name] = loadedProgram(programs[name], fixed[i], view, () => instance.run(i));
      });
      return {
        programs: loaded,
        state: (tensor) => view(layout.state(tensor), tensor.size),
      };
    },
  };
}

function loadedProgram(
  program: Program,
  fixed: FixedMemory,
  view: (offset: number, size: number) => Float32Array,
  run: () => void,
): LoadedProgram {
  return {
    run,
    input(name) {
      const step = namedStep("input", program.inputs, name);
      return view(fixed.leaf(step), program.steps[step].tensor.size);
    },
    output(name) {
      const step = namedStep("output", program.outputs, name);
      return view(fixed.output(name), program.steps[step].tensor.size);
    },
  };
}

/** Lays out everything that outlives a run. */
class Layout {
  end = 0;
  readonly constants: [offset: number, values: Float64Array][] = [];
  readonly #states = new Map<Tensor, number>();

  state(tensor: Tensor): number {
    return this.#states.get(tensor) ?? fail("Session.state", "no loaded program uses this state");
  }

  place(program: Program): FixedMemory {
    const leaves = new Map<number, number>();
    program.steps.forEach(({ tensor }, step) => {
      const { origin } = tensor;
      if (origin.kind === "primitive") return;
      if (origin.kind === "state") {
        const offset = this.#states.get(tensor) ?? this.#reserve(tensor.size);
        this.#states.set(tensor, offset);
        leaves.set(step, offset);
        return;
      }
      const offset = this.#reserve(tensor.size);
      leaves.set(step, offset);
      if (origin.kind === "constant") this.constants.push([offset, origin.values]);
    });
    const outputs = new Map<string, number>();
    for (const [name, step] of program.outputs)
      outputs.set(name, this.#reserve(program.steps[step].tensor.size));
    return {
      leaf: (step) => known(leaves.get(step), `step ${step}`),
      output: (name) => known(outputs.get(name), `output ${name}`),
    };
  }

  #reserve(size: number): number {
    const offset = this.end;
    this.end += aligned(size);
    return offset;
  }
}

function known(offset: number | undefined, what: string): number {
  if (offset === undefined) throw new Error(`createCompiledExecutor: ${what} has no place in the arena`);
  return offset;
}
