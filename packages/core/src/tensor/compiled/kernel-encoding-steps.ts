import type { ElementwiseOperation } from "../tensor.js";
import type { MapKernel } from "./kernel.js";

// The order of the enumeration in kernels/map.h, with the number of operands.
export const operations: Readonly<
  Record<ElementwiseOperation, { readonly code: number; readonly operands: number }>
> = {
  add: { code: 0, operands: 2 },
  subtract: { code: 1, operands: 2 },
  multiply: { code: 2, operands: 2 },
  divide: { code: 3, operands: 2 },
  maximum: { code: 4, operands: 2 },
  minimum: { code: 5, operands: 2 },
  negate: { code: 6, operands: 1 },
  absolute: { code: 7, operands: 1 },
  exp: { code: 8, operands: 1 },
  log: { code: 9, operands: 1 },
  tanh: { code: 10, operands: 1 },
  relu: { code: 11, operands: 1 },
  squareRoot: { code: 12, operands: 1 },
  greater: { code: 13, operands: 2 },
  greaterEqual: { code: 14, operands: 2 },
  equal: { code: 15, operands: 2 },
  select: { code: 16, operands: 3 },
};
// Steps that only the encoder makes: a copy of a register, and two steps in one.
export const keep = 17;
const multiplyMultiply = 18;
const multiplyAdd = 19;
const multiplySubtract = 20;
const subtractMultiply = 21;
const squareRootAdd = 22;

/** A step of a map as the kernels have it. */
export interface EncodedStep {
  readonly code: number;
  readonly operands: readonly number[];
  readonly target: number;
}

/**
 * The steps of a map, two of them in one where the second alone reads what the first computes: every step costs a pass
 * through memory. The numbers are the same.
 */
export function joinedSteps(kernel: MapKernel): EncodedStep[] {
  const { steps } = kernel;
  const joined = new Set<number>();
  const result: (EncodedStep | null)[] = steps.map(({ operation, operands, target }) => ({
    code: operations[operation].code,
    operands,
    target,
  }));
  for (const [index, { operation, operands, target }] of steps.entries()) {
    for (const [place, register] of operands.entries()) {
      const source = onlySource(kernel, register, index);
      if (source < 0 || joined.has(source)) continue;
      const code = joinedCode(steps[source].operation, operation, place);
      if (code === undefined) continue;
      const others = operands.filter((_, other) => other !== place);
      result[source] = null;
      result[index] = { code, operands: [...steps[source].operands, ...others], target };
      joined.add(source).add(index);
      break;
    }
  }
  return result.filter((step) => step !== null);
}

/** The step that is `second` after `first`, whose value is the operand of `second` at `place`. */
function joinedCode(
  first: ElementwiseOperation,
  second: ElementwiseOperation,
  place: number,
): number | undefined {
  if (first === "squareRoot" && second === "add") return squareRootAdd;
  if (first !== "multiply") return undefined;
  if (second === "multiply") return multiplyMultiply;
  if (second === "add") return multiplyAdd;
  if (second === "subtract") return place === 0 ? multiplySubtract : subtractMultiply;
  return undefined;
}

/**
 * The step that computes what step `reader` finds in `register`, where nobody else reads it and the operands still
 * stand when `reader` runs; else −1.
 */
function onlySource({ steps, outputs }: MapKernel, register: number, reader: number): number {
  const source = steps.findLastIndex(({ target }, index) => index < reader && target === register);
  if (source < 0) return -1;
  const between = steps.slice(source + 1, reader);
  const changed = between.some(({ target }) => steps[source].operands.includes(target));
  const readBetween = between.some(({ operands }) => operands.includes(register));
  const readTwice = steps[reader].operands.filter((operand) => operand === register).length > 1;
  if (changed || readBetween || readTwice) return -1;
  if (steps[reader].target === register) return source;
  // Later, until it is written again.
  const next = steps.findIndex(({ target }, index) => index > reader && target === register);
  const later = steps.slice(reader + 1, next < 0 ? undefined : next + 1);
  if (later.some(({ operands }) => operands.includes(register))) return -1;
  if (next < 0 && outputs.some((output) => output.register === register)) return -1;
  return source;
}
