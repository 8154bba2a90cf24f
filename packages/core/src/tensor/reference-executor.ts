import { allocate } from "../base/allocation.js";
import { fail } from "../base/errors.js";
import type { Buffer } from "./buffer.js";
import type { Executor, LoadedProgram, Recording, Session } from "./executor.js";
import { type Program, type Step, sharedInputs } from "./program.js";
import type { KernelShapes, Primitive, PrimitiveAttributes, PrimitiveName, Tensor } from "./tensor.js";

/**
 * The specification: runs every step in order with the reference kernel of its primitive, into separate
 * memory. It fuses and reuses nothing and ignores recordings; the other executors are checked against it.
 *
 * Its `load` throws a SoftrlError with the code `out-of-memory` when the programs do not fit in memory.
 */
export function createReferenceExecutor({
  precision = "float64",
}: {
  precision?: "float32" | "float64";
} = {}): Executor {
  const Numbers = precision === "float64" ? Float64Array : Float32Array;
  return {
    name: "reference",
    precision,
    load<Names extends string>(
      programs: Readonly<Record<Names, Program>>,
      recording?: Recording<NoInfer<Names>>,
    ): Session<Names> {
      const needed = Numbers.BYTES_PER_ELEMENT * memoryLength(Object.values(programs));
      const buffer = (length: number): Buffer =>
        allocate<Buffer>("createReferenceExecutor", Numbers, length, { needed });
      const states = new Map<Tensor, Buffer>();
      const loaded = {} as Record<Names, LoadedProgram>;
      for (const name of Object.keys(programs) as Names[]) {
        loaded[name] = loadProgram(programs[name], states, buffer);
      }
      return {
        programs: loaded,
        recorded: recording === undefined ? [] : recordedSlices(programs, loaded, recording),
        state: (tensor) => states.get(tensor) ?? fail("Session.state", "no loaded program uses this state"),
      };
    },
  };
}

/** How many numbers loaded programs keep in memory: each step, and a copy of each output and new state. */
function memoryLength(programs: readonly Program[]): number {
  const states = new Set<Tensor>();
  let length = 0;
  for (const { steps, outputs, updates } of programs) {
    for (const { tensor } of steps) {
      if (states.has(tensor)) continue;
      if (tensor.origin.kind === "state") states.add(tensor);
      length += tensor.size;
    }
    for (const step of outputs.values()) length += steps[step].tensor.size;
    for (const { value } of updates) length += steps[value].tensor.size;
  }
  return length;
}

/**
 * One copy of the slice program per slice. It copies its slice of the inputs of the whole program, then runs.
 */
function recordedSlices<Names extends string>(
  programs: Readonly<Record<Names, Program>>,
  loaded: Readonly<Record<Names, LoadedProgram>>,
  { of, into, slices }: Recording<Names>,
): LoadedProgram[] {
  const inputs = sharedInputs(programs[of], programs[into], slices);
  return Array.from({ length: slices }, (_, t) => {
    const slice = loaded[of];
    const shared = new Map(
      inputs.map(({ name }) => {
        const size = slice.input(name).length;
        return [name, loaded[into].input(name).subarray(t * size, (t + 1) * size)] as const;
      }),
    );
    return {
      run() {
        for (const [name, values] of shared) slice.input(name).set(values);
        slice.run();
      },
      input: (name) => shared.get(name) ?? slice.input(name),
      output: slice.output,
    };
  });
}

function loadProgram(
  program: Program,
  states: Map<Tensor, Buffer>,
  newBuffer: (length: number) => Buffer,
): LoadedProgram {
  const buffers = program.steps.map(({ tensor }) => {
    if (tensor.origin.kind !== "state") return newBuffer(tensor.size);
    const buffer = states.get(tensor) ?? newBuffer(tensor.size);
    states.set(tensor, buffer);
    return buffer;
  });
  program.steps.forEach(({ tensor }, i) => {
    if (tensor.origin.kind === "constant") buffers[i].set(tensor.origin.values);
  });
  const input = namedBuffers("input", program.inputs, (_, step) => buffers[step]);
  // An output may be a state or an input; the copy keeps its value from before the updates.
  const output = namedBuffers("output", program.outputs, (_, step) => newBuffer(buffers[step].length));
  const newStates = program.updates.map(({ value }) => newBuffer(buffers[value].length));
  return {
    run() {
      program.steps.forEach((step, i) => {
        runStep(step, buffers[i], buffers, program);
      });
      for (const [name, step] of program.outputs) output(name).set(buffers[step]);
      // All are read before the first is written: a new state may be another state's old value.
      program.updates.forEach(({ value }, i) => {
        newStates[i].set(buffers[value]);
      });
      program.updates.forEach(({ state }, i) => {
        buffers[state].set(newStates[i]);
      });
    },
    input,
    output,
  };
}

function runStep({ tensor, inputs }: Step, out: Buffer, buffers: readonly Buffer[], program: Program): void {
  const { origin } = tensor;
  if (origin.kind !== "primitive") return;
  const kernel = origin.primitive.kernel as Primitive<PrimitiveName>["kernel"];
  const shapes: KernelShapes = {
    inputs: inputs.map((i) => program.steps[i].tensor.shape),
    out: tensor.shape,
  };
  const attributes: PrimitiveAttributes[PrimitiveName] = origin.attributes;
  kernel(
    out,
    inputs.map((i) => buffers[i]),
    shapes,
    attributes,
  );
}

/**
 * Returns a function that finds buffers by name, and throws an error that lists the names if there is none.
 */
export function namedBuffers<Numbers extends Buffer>(
  kind: "input" | "output",
  steps: ReadonlyMap<string, number>,
  bufferOf: (name: string, step: number) => Numbers,
): (name: string) => Numbers {
  const buffers = new Map([...steps].map(([name, step]) => [name, bufferOf(name, step)]));
  return (name) =>
    buffers.get(name) ??
    fail(`LoadedProgram.${kind}`, `unknown ${kind} "${name}"`, {
      expected: [...steps.keys()].map((known) => `"${known}"`).join(", ") || `a program with an ${kind}`,
    });
}
