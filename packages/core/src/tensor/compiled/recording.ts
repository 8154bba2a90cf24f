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
  const inputs = new Map(shared.map((input) => [input.slice, input.whole]));
  const steps = matchedSteps(slice, whole, slices);
  const unitOf = new Map(whole.units.map((unit) => [unit.root, unit]));
  const roots = new Map<number, number>();
  for (const unit of slice.units) {
    const root = steps.get(unit.root);
    const counterpart = root === undefined ? undefined : unitOf.get(root);
    if (root === undefined || counterpart === undefined || !sameUnit(slice, whole, unit, counterpart, steps))
      continue;
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
  const matched = new Map<number, number>();
  slice.program.steps.forEach((step, from) => {
    const to = whole.program.steps.findIndex((candidate) => isCounterpart(step, candidate, matched, slices));
    if (to !== -1) matched.set(from, to);
  });
  return matched;
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
  const storesRootAlone = ([slice, whole] as const).every((fused, i) => {
    const kept = keptSteps(fused.program, fused.locations);
    return storedSteps(i === 0 ? a : b, kept).size === 1;
  });
  const sameHead = a.head === null ? b.head === null : matched.get(a.head) === b.head;
  const biasOf = (fused: FusedProgram, unit: Unit) =>
    unit.bias === null ? null : fused.program.steps[unit.bias.step].tensor;
  const sameBias = biasOf(slice, a) === biasOf(whole, b) && a.bias?.offset === b.bias?.offset;
  const sameMembers =
    a.members.length === b.members.length &&
    a.members.every((member, i) => matched.get(member.step) === b.members[i].step);
  return storesRootAlone && sameHead && sameBias && sameMembers;
}
