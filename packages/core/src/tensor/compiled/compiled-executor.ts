import { fail } from "../../base/errors.js";
import { largest } from "../../math/statistics.js";
import type { Executor, LoadedProgram, Recording, Session } from "../executor.js";
import type { Program } from "../program.js";
import { namedBuffers } from "../reference-executor.js";
import type { Tensor } from "../tensor.js";
import { type FusedProgram, fuse } from "./fusion.js";
import type { KernelMachine } from "./kernel.js";
import { lower } from "./lowering.js";
import { aligned, alignment, type FixedMemory } from "./memory-plan.js";
import { correspondence } from "./recording.js";

/**
 * An executor that lowers programs to kernels and runs them on a machine. Each session has one arena: first
 * the states, then the inputs, constants and outputs of every program, then temporary memory that the
 * programs share.
 */
export function createCompiledExecutor(machine: KernelMachine): Executor {
  return {
    name: machine.name,
    ...(machine.instructionSet === undefined ? {} : { instructionSet: machine.instructionSet }),
    ...(machine.sharedAccess === undefined ? {} : { sharedAccess: machine.sharedAccess }),
    precision: "float32",
    load<Names extends string>(
      programs: Readonly<Record<Names, Program>>,
      recording?: Recording<NoInfer<Names>>,
    ) {
      return load(machine, programs, recording);
    },
  };
}

/** A fused program with its place in the arena. */
interface Placed {
  readonly fused: FusedProgram;
  readonly fixed: FixedMemory;
}

function load<Names extends string>(
  machine: KernelMachine,
  programs: Readonly<Record<Names, Program>>,
  recording: Recording<Names> | undefined,
): Session<Names> {
  const layout = new Layout();
  const names = Object.keys(programs) as Names[];
  const placed = {} as Record<Names, Placed>;
  for (const name of names)
    placed[name] = { fused: fuse(programs[name]), fixed: layout.place(programs[name]) };
  let slices: readonly Placed[] = [];
  if (recording !== undefined) {
    const recorded = record(layout, placed[recording.of], placed[recording.into], recording.slices);
    placed[recording.into] = recorded.whole;
    slices = recorded.slices;
  }

  const all = [...names.map((name) => placed[name]), ...slices];
  const base = layout.end;
  const lowered = all.map(({ fused, fixed }) => lower(fused, fixed, base));
  const length = Math.max(base, largest(lowered.map((program) => program.end))) + alignment;
  const instance = machine.instantiate(
    length,
    lowered.map((program) => program.kernels),
  );
  for (const [offset, values] of layout.constants) instance.arena.set(values, offset);

  const view = (offset: number, size: number) => instance.arena.subarray(offset, offset + size);
  const loaded = all.map((program, i) => loadedProgram(program, view, () => instance.run(i)));
  const byName = {} as Record<Names, LoadedProgram>;
  names.forEach((name, i) => {
    byName[name] = loaded[i];
  });
  return {
    programs: byName,
    recorded: loaded.slice(names.length),
    state: (tensor) => view(layout.state(tensor), tensor.size),
  };
}

/**
 * Returns the whole program without the values that its slices compute for it, and one copy of the slice
 * program per slice, which writes into the memory of the whole program.
 */
function record(
  layout: Layout,
  slice: Placed,
  whole: Placed,
  count: number,
): { whole: Placed; slices: Placed[] } {
  const { inputs, roots } = correspondence(slice.fused, whole.fused, count);
  const size = (placed: Placed, step: number) => placed.fused.program.steps[step].tensor.size;
  const recorded = new Map<number, number>();
  for (const root of roots.values()) recorded.set(root, layout.reserve(size(whole, root)));

  const units = whole.fused.units.filter((unit) => !recorded.has(unit.root));
  const offsetIn = (step: number) => recorded.get(step) ?? whole.fixed.leaf(step);
  const slices = Array.from({ length: count }, (_, t): Placed => {
    const sliceOf = (step: number, counterpart: number) => offsetIn(counterpart) + t * size(slice, step);
    return {
      fused: slice.fused,
      fixed: {
        leaf(step) {
          const counterpart = inputs.get(step);
          return counterpart === undefined ? slice.fixed.leaf(step) : sliceOf(step, counterpart);
        },
        output: (name) => slice.fixed.output(name),
        destination(root) {
          const counterpart = roots.get(root);
          return counterpart === undefined ? undefined : sliceOf(root, counterpart);
        },
      },
    };
  });
  return {
    whole: {
      fused: { ...whole.fused, units },
      fixed: { leaf: offsetIn, output: (name) => whole.fixed.output(name) },
    },
    slices,
  };
}

function loadedProgram(
  { fused: { program }, fixed }: Placed,
  view: (offset: number, size: number) => Float32Array,
  run: () => void,
): LoadedProgram {
  const { steps } = program;
  return {
    run,
    input: namedBuffers("input", program.inputs, (_, step) =>
      view(fixed.leaf(step), steps[step].tensor.size),
    ),
    output: namedBuffers("output", program.outputs, (name, step) =>
      view(fixed.output(name), steps[step].tensor.size),
    ),
  };
}

/** Allocates all memory that outlives a run. */
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
        const offset = this.#states.get(tensor) ?? this.reserve(tensor.size);
        this.#states.set(tensor, offset);
        leaves.set(step, offset);
        return;
      }
      const offset = this.reserve(tensor.size);
      leaves.set(step, offset);
      if (origin.kind === "constant") this.constants.push([offset, origin.values]);
    });
    const outputs = new Map<string, number>();
    for (const [name, step] of program.outputs)
      outputs.set(name, this.reserve(program.steps[step].tensor.size));
    return {
      leaf: (step) => known(leaves.get(step), `step ${step}`),
      output: (name) => known(outputs.get(name), `output ${name}`),
    };
  }

  reserve(size: number): number {
    const offset = this.end;
    this.end += aligned(size);
    return offset;
  }
}

function known(offset: number | undefined, what: string): number {
  if (offset === undefined) throw new Error(`createCompiledExecutor: ${what} has no place in the arena`);
  return offset;
}
