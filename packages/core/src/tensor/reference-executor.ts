import { fail } from "../base/errors.js";
import type { Buffer, Executor, LoadedProgram, Session } from "./executor.js";
import type { Program, Step } from "./program.js";
import type { KernelShapes, Primitive, PrimitiveAttributes, PrimitiveName, Tensor } from "./tensor.js";

/**
 * The specification: every step in order, each with its primitive's reference kernel and memory of its own.
 * No fusion, no reuse; the other executors are checked against it.
 */
export function createReferenceExecutor({
  precision = "float64",
}: {
  precision?: "float32" | "float64";
} = {}): Executor {
  const allocate = (length: number): Buffer =>
    precision === "float64" ? new Float64Array(length) : new Float32Array(length);
  return {
    name: "reference",
    precision,
    load<Names extends string>(programs: Readonly<Record<Names, Program>>): Session<Names> {
      const states = new Map<Tensor, Buffer>();
      const loaded = {} as Record<Names, LoadedProgram>;
      for (const name of Object.keys(programs) as Names[]) {
        loaded[name] = loadProgram(programs[name], states, allocate);
      }
      return {
        programs: loaded,
        state: (tensor) => states.get(tensor) ?? fail("Session.state", "no loaded program uses this state"),
      };
    },
  };
}

function loadProgram(
  program: Program,
  states: Map<Tensor, Buffer>,
  allocate: (length: number) => Buffer,
): LoadedProgram {
  const buffers = program.steps.map(({ tensor }) => {
    if (tensor.origin.kind !== "state") return allocate(tensor.size);
    const buffer = states.get(tensor) ?? allocate(tensor.size);
    states.set(tensor, buffer);
    return buffer;
  });
  program.steps.forEach(({ tensor }, i) => {
    if (tensor.origin.kind === "constant") buffers[i].set(tensor.origin.values);
  });
  // An output may be a state or an input: it keeps what it was before the updates.
  const outputs = new Map(
    [...program.outputs].map(([name, step]) => [name, allocate(program.steps[step].tensor.size)] as const),
  );
  return {
    run() {
      program.steps.forEach((step, i) => {
        runStep(step, buffers[i], buffers, program);
      });
      for (const [name, step] of program.outputs) outputs.get(name)?.set(buffers[step]);
      const values = program.updates.map(({ value }) => buffers[value].slice());
      program.updates.forEach(({ state }, i) => {
        buffers[state].set(values[i]);
      });
    },
    input: (name) => buffers[namedStep("input", program.inputs, name)],
    output: (name) => outputs.get(name) ?? unknownName("output", program.outputs, name),
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

/** The step of a name, or an error that lists the names there are. */
export function namedStep(
  kind: "input" | "output",
  steps: ReadonlyMap<string, number>,
  name: string,
): number {
  return steps.get(name) ?? unknownName(kind, steps, name);
}

function unknownName(kind: "input" | "output", steps: ReadonlyMap<string, number>, name: string): never {
  return fail(`LoadedProgram.${kind}`, `there is no ${kind} "${name}"`, {
    expected: [...steps.keys()].map((known) => `"${known}"`).join(", ") || `a program with an ${kind}`,
  });
}
