import type { ElementwiseOperation } from "../tensor.js";
import type { MapKernel } from "./kernel.js";

// In the order of the enumeration in kernels/map.h, with the number of operands.
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
// Steps that only the encoder creates: a copy of a register, and fused steps.
export const keep = 17;
const multiplyMultiply = 18;
const multiplyAdd = 19;
const multiplySubtract = 20;
const subtractMultiply = 21;
const subtractMultiplyMultiply = 22;
const productsAdd = 23;
const longProductsAdd = 24;
const squareRootAdd = 25;
const addSquareRoot = 26;
const rootQuotient = 27;
const sumRootQuotient = 28;
const subtractRootQuotient = 29;
const subtractSumRootQuotient = 30;
const greaterSelect = 31;
const addSubtract = 32;
const productsAddSubtract = 33;
const longProductsAddSubtract = 34;
const subtractMultiplyMaximum = 35;

/** The largest number of operands of a step. */
export const maxOperands = 7;

const { add, subtract, multiply, divide, maximum, squareRoot, greater, select } = operations;

/**
 * Pairs of steps that one fused step replaces: [first, second, the operand positions of the second where the
 * result of the first may be, fused]. The operands of the fused step are those of the first, then the
 * remaining ones of the second.
 */
const fusedPairs: readonly (readonly [
  first: number,
  second: number,
  places: readonly number[],
  both: number,
])[] = [
  [multiply.code, multiply.code, [0, 1], multiplyMultiply],
  [multiply.code, add.code, [0, 1], multiplyAdd],
  [multiply.code, subtract.code, [0], multiplySubtract],
  [multiply.code, subtract.code, [1], subtractMultiply],
  [subtractMultiply, multiply.code, [0, 1], subtractMultiplyMultiply],
  [multiply.code, multiplyAdd, [2], productsAdd],
  [multiplyMultiply, multiplyAdd, [2], longProductsAdd],
  [squareRoot.code, add.code, [0, 1], squareRootAdd],
  [add.code, squareRoot.code, [0], addSquareRoot],
  [squareRootAdd, divide.code, [1], rootQuotient],
  [addSquareRoot, divide.code, [1], sumRootQuotient],
  [rootQuotient, subtractMultiply, [0, 1], subtractRootQuotient],
  [sumRootQuotient, subtractMultiply, [0, 1], subtractSumRootQuotient],
  [greater.code, select.code, [0], greaterSelect],
  [add.code, subtract.code, [0], addSubtract],
  [productsAdd, addSubtract, [0, 1], productsAddSubtract],
  [longProductsAdd, addSubtract, [0, 1], longProductsAddSubtract],
  [subtractMultiply, maximum.code, [0], subtractMultiplyMaximum],
];

/** A step of a map in the form that the kernels execute. */
export interface EncodedStep {
  readonly code: number;
  readonly operands: readonly number[];
  readonly target: number;
}

/**
 * The steps of a map, with pairs fused where only one step reads the result of another. Every step costs a
 * pass through memory; fusion does not change the results.
 */
export function fusedSteps(kernel: MapKernel): EncodedStep[] {
  const steps: EncodedStep[] = kernel.steps.map(({ operation, operands, target }) => ({
    code: operations[operation].code,
    operands,
    target,
  }));
  const written = new Set(kernel.outputs.map(({ register }) => register));
  for (let reader = 0; reader < steps.length; reader++) {
    for (let fusion = fusionAt(steps, reader, written); fusion !== null; ) {
      steps[reader] = fusion.step;
      steps.splice(fusion.source, 1);
      reader--;
      fusion = fusionAt(steps, reader, written);
    }
  }
  return steps;
}

/** The fusion of step `reader` with an earlier step, and the index of that step; null if there is none. */
function fusionAt(
  steps: readonly EncodedStep[],
  reader: number,
  written: ReadonlySet<number>,
): { readonly source: number; readonly step: EncodedStep } | null {
  const { code, operands, target } = steps[reader];
  for (const [place, register] of operands.entries()) {
    const source = onlySource(steps, register, reader, written);
    if (source < 0) continue;
    const fusion = fusedPairs.find(
      ([first, second, places]) => first === steps[source].code && second === code && places.includes(place),
    );
    if (fusion === undefined) continue;
    const others = operands.filter((_, other) => other !== place);
    return { source, step: { code: fusion[3], operands: [...steps[source].operands, ...others], target } };
  }
  return null;
}

/**
 * The index of the step that computes the value that step `reader` reads from `register`, provided that no
 * other step reads this value and that the operands are unchanged when `reader` runs. Otherwise −1.
 */
function onlySource(
  steps: readonly EncodedStep[],
  register: number,
  reader: number,
  written: ReadonlySet<number>,
): number {
  const source = steps.findLastIndex(({ target }, index) => index < reader && target === register);
  if (source < 0) return -1;
  const between = steps.slice(source + 1, reader);
  const changed = between.some(({ target }) => steps[source].operands.includes(target));
  const readBetween = between.some(({ operands }) => operands.includes(register));
  const readTwice = steps[reader].operands.filter((operand) => operand === register).length > 1;
  if (changed || readBetween || readTwice) return -1;
  if (steps[reader].target === register) return source;
  // Look at later steps, until the register is written again.
  const next = steps.findIndex(({ target }, index) => index > reader && target === register);
  const later = steps.slice(reader + 1, next < 0 ? undefined : next + 1);
  if (later.some(({ operands }) => operands.includes(register))) return -1;
  if (next < 0 && written.has(register)) return -1;
  return source;
}
