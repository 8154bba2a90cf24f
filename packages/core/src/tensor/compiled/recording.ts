import { type Step, sharedInputs } from "../program.js";
import { type Shape, sameShape } from "../shape.js";
import { type FusedProgram, isElementwise, keptSteps, storedSteps, type Unit } from "./fusion.js";

/** The values that a program over a slice of a batch and a program over the whole batch have in common. */
export interface Correspondence {
  /** Input steps of the slice program, each with the input step that it is a slice of. */
  readonly inputs: ReadonlyMap<number, number>;
  /**
   * Roots of units of the slice program, each with the root of the unit that computes the same values for the
   * batch.
   */
  readonly roots: ReadonlyMap<number, number>;
}

/**
 * Finds the values that `whole` computes row by row from the same inputs and states as `slice`, whose batch
 * is `slices` times smaller. They need not be computed again once every slice has run.
 * @throws SoftrlError when a shared input does not fit.
 */
export function correspondence(slice: FusedProgram, whole: FusedProgram, slices: number): Correspondence {
  const shared = sharedInputs(slice.program, whole.program, slices);
  const kept = [slice, whole].map((fused) => keptSteps(fused.program, fused.locations));
  const inputs = new Map(shared.map((input) => [input.slice, input.whole]));
  const steps = matchedSteps(slice, whole, slices);
  const unitOf = new Map(whole.units.map((unit) => [unit.root, unit]));
  const roots = new Map<number, number>();
  for (const unit of slice.units) {
    const root = steps.get(unit.root);
    const counterpart = root === undefined ? undefined : unitOf.get(root);
    if (root === undefined || counterpart === undefined) continue;
    const storesRootAlone = [unit, counterpart].every((either, i) => storedSteps(either, kept[i]).size === 1);
    if (!storesRootAlone || !sameUnit(slice, whole, unit, counterpart, steps)) continue;
    const isSlice =
      slice.program.steps[unit.root].tensor.size * slices === whole.program.steps[root].tensor.size;
    if (isSlice) roots.set(unit.root, root);
  }
  return { inputs, roots };
}

/**
 * Maps steps of the slice program to the steps of the whole program that compute the same, for the same or
 * for more rows.
 */
function matchedSteps(slice: FusedProgram, whole: FusedProgram, slices: number): Map<number, number> {
  const candidates = new Map<string, number[]>();
  whole.program.steps.forEach((step, to) => {
    const key = counterpartKey(step, step.inputs);
    const list = candidates.get(key);
    if (list === undefined) candidates.set(key, [to]);
    else list.push(to);
  });
  const matched = new Map<number, number>();
  slice.program.steps.forEach((step, from) => {
    const inputs = step.inputs.map((input) => matched.get(input) ?? -1);
    const to = candidates
      .get(counterpartKey(step, inputs))
      ?.find((candidate) => isCounterpart(step, whole.program.steps[candidate], matched, slices));
    if (to !== undefined) matched.set(from, to);
  });
  return matched;
}

/**
 * A key that a step shares with all of its counterparts, and with few other steps: so that the time to match two programs
 * grows with their length, not with its square.
 * @param inputs the steps of the whole program that are its inputs, or correspond to them; −1 where none does
 */
function counterpartKey({ tensor }: Step, inputs: readonly number[]): string {
  const { origin } = tensor;
  switch (origin.kind) {
    case "input":
      return `input ${origin.name}`;
    case "state":
      return `state ${tensor.id}`;
    case "constant":
      return tensor.size === 1 ? `number ${origin.values[0]}` : `constant ${tensor.id}`;
    case "primitive": {
      // Only these two may differ in their attributes and correspond: by the number of rows.
      const isShaped = origin.name === "reshape" || origin.name === "broadcastTo";
      const form = isShaped ? tensor.shape.slice(1) : JSON.stringify(origin.attributes);
      return `${origin.name} ${inputs.join(",")} ${form}`;
    }
  }
}

function isCounterpart(
  step: Step,
  candidate: Step,
  matched: ReadonlyMap<number, number>,
  slices: number,
): boolean {
  const a = step.tensor;
  const b = candidate.tensor;
  const isSlice = isSliceOf(a.shape, b.shape, slices);
  if (!isSlice && !sameShape(a.shape, b.shape)) return false;
  switch (a.origin.kind) {
    case "input":
      return b.origin.kind === "input" && a.origin.name === b.origin.name && isSlice;
    case "state":
      return a === b;
    case "constant":
      if (a === b) return true;
      return (
        b.origin.kind === "constant" &&
        a.size === 1 &&
        b.size === 1 &&
        a.origin.values[0] === b.origin.values[0]
      );
    case "primitive": {
      if (b.origin.kind !== "primitive" || a.origin.name !== b.origin.name) return false;
      if (!step.inputs.every((input, i) => matched.get(input) === candidate.inputs[i])) return false;
      if (!isSlice) return JSON.stringify(a.origin.attributes) === JSON.stringify(b.origin.attributes);
      return isRowWise(step, candidate, slices);
    }
  }
}

/** Whether `whole` is `slice` with `slices` times as many rows. */
function isSliceOf(slice: Shape, whole: Shape, slices: number): boolean {
  return slice.length > 0 && sameShape([slice[0] * slices, ...slice.slice(1)], whole);
}

/**
 * Whether each row of the result only depends on the same row of the inputs, and the two differ only in the
 * number of rows.
 */
function isRowWise({ tensor: a, inputs }: Step, { tensor: b }: Step, slices: number): boolean {
  const { origin } = a;
  if (origin.kind !== "primitive" || b.origin.kind !== "primitive") return false;
  if (isElementwise(origin.name)) return true;
  const sliced = a.inputs.map((input, i) => isSliceOf(input.shape, b.inputs[i].shape, slices));
  switch (origin.name) {
    case "matmul":
      return sliced[0] && !sliced[1] && !origin.attributes.transposeA && sameAttributes(a, b);
    case "conv2d":
      return sliced[0] && !sliced[1] && sameAttributes(a, b);
    case "sum":
    case "max":
      return sliced[0] && !origin.attributes.axes.includes(0) && sameAttributes(a, b);
    case "logSoftmax":
    case "logSumExp":
      return sliced[0] && a.inputs[0].shape.length > 1;
    case "normalise":
      return sliced[0] && a.inputs[0].shape.length > 1 && sameAttributes(a, b);
    case "stopGradient":
      return sliced[0];
    case "reshape":
      return sliced[0] && a.inputs[0].shape[0] === a.shape[0];
    case "broadcastTo":
      // Rows of a batch, or one row for all.
      return sliced[0] ? a.inputs[0].shape.length === a.shape.length : isOneRow(a.inputs[0].shape, a.shape);
    default:
      return inputs.length === 0;
  }
}

function isOneRow(row: Shape, shape: Shape): boolean {
  return row.length < shape.length || row[0] === 1;
}

function sameAttributes(a: Step["tensor"], b: Step["tensor"]): boolean {
  return (
    a.origin.kind === "primitive" &&
    b.origin.kind === "primitive" &&
    JSON.stringify(a.origin.attributes) === JSON.stringify(b.origin.attributes)
  );
}

/** Whether two units are fused in the same way. */
function sameUnit(
  slice: FusedProgram,
  whole: FusedProgram,
  a: Unit,
  b: Unit,
  matched: ReadonlyMap<number, number>,
): boolean {
  const sameHead = a.head === null ? b.head === null : matched.get(a.head) === b.head;
  const biasOf = (fused: FusedProgram, unit: Unit) =>
    unit.bias === null ? null : fused.program.steps[unit.bias.step].tensor;
  const sameBias = biasOf(slice, a) === biasOf(whole, b) && a.bias?.offset === b.bias?.offset;
  const sameMembers =
    a.members.length === b.members.length &&
    a.members.every((member, i) => matched.get(member.step) === b.members[i].step);
  return sameHead && sameBias && sameMembers;
}
