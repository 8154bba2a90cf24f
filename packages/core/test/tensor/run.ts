import type { Executor } from "../../src/tensor/executor.js";
import { type Program, program } from "../../src/tensor/program.js";
import type { Tensor } from "../../src/tensor/tensor.js";

/** Writes the inputs that the program has, by name, runs it once, and copies the outputs. */
export function runOnce(
  executor: Executor,
  traced: Program,
  inputs: Readonly<Record<string, ArrayLike<number>>>,
): Record<string, Float64Array> {
  const { only } = executor.load({ only: traced }).programs;
  for (const [name, values] of Object.entries(inputs)) {
    if (traced.inputs.has(name)) only.input(name).set(values);
  }
  only.run();
  return Object.fromEntries(
    [...traced.outputs.keys()].map((name) => [name, Float64Array.from(only.output(name))]),
  );
}

/** Evaluates one tensor. */
export function evaluateTensor(
  executor: Executor,
  tensor: Tensor,
  inputs: Readonly<Record<string, ArrayLike<number>>> = {},
): Float64Array {
  return runOnce(executor, program({ outputs: { tensor } }), inputs).tensor;
}

/**
 * The largest |a − b| divided by 1 + the largest finite |b|. Equal infinities, and NaN on both sides, count
 * as 0; an infinity or NaN on one side only as ∞.
 */
export function relativeDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  let scale = 1;
  for (let i = 0; i < b.length; i++) if (Number.isFinite(b[i])) scale = Math.max(scale, Math.abs(b[i]));
  let largest = 0;
  for (let i = 0; i < a.length; i++) {
    if (Object.is(a[i], b[i]) || a[i] === b[i]) continue;
    const difference = Math.abs(a[i] - b[i]) / scale;
    largest = Math.max(largest, Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference);
  }
  return largest;
}
