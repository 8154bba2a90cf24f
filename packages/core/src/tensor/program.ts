import { fail } from "../base/errors.js";
import { formatShape, sameShape } from "./shape.js";
import { constant, type Primitive, type PrimitiveName, type Tensor } from "./tensor.js";

/** One computation of a program: a tensor, and the indices of its inputs among the earlier steps. */
export interface Step {
  readonly tensor: Tensor;
  readonly inputs: readonly number[];
}

/**
 * A traced computation that any executor can run: different steps, in an order in which each comes after its
 * inputs. It only consists of primitives, shapes and state updates, so it does not depend on an executor.
 */
export interface Program {
  readonly steps: readonly Step[];
  /** The step of each named input. */
  readonly inputs: ReadonlyMap<string, number>;
  /** The step of each named output. */
  readonly outputs: ReadonlyMap<string, number>;
  /** The states that change: after all steps, `state` takes the value of step `value`. */
  readonly updates: readonly { readonly state: number; readonly value: number }[];
}

/** The outputs of a program, and the new values that its states get after everything is computed. */
export interface ProgramDefinition {
  readonly outputs: Readonly<Record<string, Tensor>>;
  readonly updates?: readonly (readonly [state: Tensor, value: Tensor])[];
}

/** Collects everything that the outputs and updates need; each computation occurs once. */
export function program({ outputs, updates = [] }: ProgramDefinition): Program {
  const steps: Step[] = [];
  const position = new Map<Tensor, number>();
  const known = new Map<string, number>();
  const inputs = new Map<string, number>();

  const roots = [...Object.values(outputs), ...updates.flat()];
  const folded = new Map<Tensor, Tensor>();
  for (const made of ancestors(roots)) {
    const tensor = foldedScalar(made, folded);
    const from = tensor.inputs.map((input) => stepOf(position, input));
    const key = computationKey(tensor, from);
    const duplicate = known.get(key);
    if (duplicate !== undefined) {
      position.set(made, duplicate);
      continue;
    }
    const at = steps.length;
    if (tensor.origin.kind === "input") {
      const { name } = tensor.origin;
      if (inputs.has(name)) {
        fail("program", `two inputs are named "${name}"`, {
          remedy: "use one tensor for both, or rename one",
        });
      }
      inputs.set(name, at);
    }
    known.set(key, at);
    position.set(made, at);
    steps.push({ tensor, inputs: from });
  }

  return {
    steps,
    inputs,
    outputs: new Map(Object.entries(outputs).map(([name, tensor]) => [name, stepOf(position, tensor)])),
    updates: checkedUpdates(updates).map(([state, value]) => ({
      state: stepOf(position, state),
      value: stepOf(position, value),
    })),
  };
}

/** Evaluates arithmetic on scalar constants; returns other tensors unchanged. */
function foldedScalar(tensor: Tensor, folded: Map<Tensor, Tensor>): Tensor {
  const { origin, inputs, shape } = tensor;
  if (origin.kind !== "primitive" || tensor.size !== 1 || inputs.length === 0) return tensor;
  const values: Float64Array[] = [];
  for (const input of inputs) {
    const known = (folded.get(input) ?? input).origin;
    if (known.kind !== "constant" || input.size !== 1) return tensor;
    values.push(known.values);
  }
  const out = new Float64Array(1);
  const kernel = origin.primitive.kernel as Primitive<PrimitiveName>["kernel"];
  kernel(out, values, { inputs: inputs.map((input) => input.shape), out: shape }, origin.attributes);
  const scalar = constant(out, shape);
  folded.set(tensor, scalar);
  return scalar;
}

function stepOf(position: ReadonlyMap<Tensor, number>, tensor: Tensor): number {
  return position.get(tensor) ?? fail("program", "a tensor was created after a tensor that uses it");
}

function checkedUpdates(
  updates: readonly (readonly [Tensor, Tensor])[],
): readonly (readonly [Tensor, Tensor])[] {
  const changed = new Set<Tensor>();
  for (const [state, value] of updates) {
    if (state.origin.kind !== "state") {
      fail("program", "only a state can be updated", {
        expected: "a tensor created by state()",
        got: state.origin.kind,
      });
    }
    const { name } = state.origin;
    if (changed.has(state)) fail("program", `state "${name}" is updated twice`);
    changed.add(state);
    if (!sameShape(state.shape, value.shape)) {
      fail("program", `the new value of state "${name}" has the wrong shape`, {
        expected: formatShape(state.shape),
        got: formatShape(value.shape),
      });
    }
  }
  return updates;
}

/** An input that two programs share: its name, and its step in each. */
export interface SharedInput {
  readonly name: string;
  readonly slice: number;
  readonly whole: number;
}

/**
 * The inputs that a program over one slice and a program over the whole batch have in common.
 * @throws SoftrlError unless the inputs of the whole program have `slices` times as many rows.
 */
export function sharedInputs(slice: Program, whole: Program, slices: number): SharedInput[] {
  const shared: SharedInput[] = [];
  for (const [name, from] of slice.inputs) {
    const to = whole.inputs.get(name);
    if (to === undefined) continue;
    const part = slice.steps[from].tensor.shape;
    const all = whole.steps[to].tensor.shape;
    const expected = [(part[0] ?? 0) * slices, ...part.slice(1)];
    if (part.length === 0 || !sameShape(all, expected)) {
      fail("recording", `input "${name}" of the whole batch does not fit`, {
        expected: `${slices} slices of ${formatShape(part)}: ${formatShape(expected)}`,
        got: formatShape(all),
      });
    }
    shared.push({ name, slice: from, whole: to });
  }
  return shared;
}

/** All tensors that `roots` depend on, in the order of their creation. */
function ancestors(roots: readonly Tensor[]): Tensor[] {
  const found = new Set<Tensor>();
  const pending = [...roots];
  for (let tensor = pending.pop(); tensor !== undefined; tensor = pending.pop()) {
    if (found.has(tensor)) continue;
    found.add(tensor);
    for (const input of tensor.inputs) pending.push(input);
  }
  return [...found].sort((a, b) => a.id - b.id);
}

/** A key that is equal only for tensors with the same value. */
function computationKey(tensor: Tensor, inputs: readonly number[]): string {
  const { origin } = tensor;
  switch (origin.kind) {
    case "input":
    case "state":
      return `leaf ${tensor.id}`;
    case "constant":
      return tensor.size === 1
        ? `constant ${formatShape(tensor.shape)} ${Object.is(origin.values[0], -0) ? "-0" : origin.values[0]}`
        : `leaf ${tensor.id}`;
    case "primitive":
      return `${origin.name} ${inputs.join(",")} ${JSON.stringify(origin.attributes)}`;
  }
}
