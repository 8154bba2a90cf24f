import { type MapKernel, mapRegisters } from "./kernel.js";
import { type EncodedStep, fusedSteps, keep, maxOperands, operations } from "./kernel-encoding-steps.js";
import type { KernelCheck, Span } from "./kernel-ranges.js";

/** Appends the fields of a map kernel: see kernels/map.h. */
export function encodeMap(kernel: MapKernel, check: KernelCheck, words: number[]): void {
  const { count, inputs, constants, outputs } = kernel;
  check.size("count", count);
  const fixed = inputs.length + constants.length;
  if (!(fixed <= mapRegisters))
    check.refuse("too many inputs and constants", `at most ${mapRegisters}`, fixed);
  checkSpans(kernel, check);
  checkSteps(kernel, check);

  const kept = keptRegisters(kernel);
  const steps = fusedSteps(kernel);
  words.push(count, inputs.length, constants.length, steps.length + kept.length, outputs.length);
  for (const input of inputs) words.push(input.offset, isEach(kernel, input.mode) ? 1 : 0);
  words.push(...new Int32Array(Float32Array.from(constants).buffer));
  const direct = kept.length > 0 ? new Map<number, number>() : directWrites(kernel, steps);
  for (const [index, { code, operands, target }] of steps.entries()) {
    words.push(code, target, direct.get(index) ?? -1, ...filled(operands));
  }
  for (const register of kept) words.push(keep, register, -1, ...filled([register]));
  const written = new Set(direct.values());
  for (const [index, { register, offset }] of outputs.entries()) {
    words.push(register, offset, written.has(index) ? 1 : 0);
  }
}

/** Pads the operands to the largest number that a step has, by repeating the first one. */
function filled(operands: readonly number[]): number[] {
  return Array.from({ length: maxOperands }, (_, place) => operands[place] ?? operands[0] ?? 0);
}

/** The ranges that a map reads at each element, reads once, and writes. */
export function mapSpans(
  kernel: MapKernel,
  check: KernelCheck,
): { readonly each: readonly Span[]; readonly scalars: readonly Span[]; readonly written: readonly Span[] } {
  const each: Span[] = [];
  const scalars: Span[] = [];
  for (const [index, { offset, mode }] of kernel.inputs.entries()) {
    if (isEach(kernel, mode)) each.push(check.span(`inputs[${index}]`, offset, kernel.count));
    else scalars.push(check.span(`inputs[${index}]`, offset, 1));
  }
  const written = kernel.outputs.map(({ offset }, index) =>
    check.span(`outputs[${index}]`, offset, kernel.count),
  );
  return { each, scalars, written };
}

// With one element the two modes are equivalent; as "each" the element may be read from the range that is
// written.
function isEach(kernel: MapKernel, mode: "each" | "scalar"): boolean {
  return mode === "each" || kernel.count === 1;
}

function checkSpans(kernel: MapKernel, check: KernelCheck): void {
  for (const { mode } of kernel.inputs) check.known("mode", mode, { each: 0, scalar: 1 });
  const { each, scalars, written } = mapSpans(kernel, check);
  // Every part that a thread computes reads the scalar again.
  check.separate(written, [...written, ...scalars]);
  // Blocks are read and written in the same order, so a range may be read and written, unless it is shifted.
  for (const out of written) {
    check.separate(
      [out],
      each.filter(({ start }) => start !== out.start),
    );
  }
}

function checkSteps(kernel: MapKernel, check: KernelCheck): void {
  const { inputs, constants, steps, outputs } = kernel;
  const defined = new Set<number>();
  for (let register = 0; register < inputs.length + constants.length; register++) defined.add(register);
  const requireDefined = (name: string, register: number): void => {
    if (!defined.has(register)) check.refuse(`${name} has no value`, "a register that was written", register);
  };
  for (const [index, { operation, operands, target }] of steps.entries()) {
    const name = `steps[${index}]`;
    const expected = Object.hasOwn(operations, operation) ? operations[operation].operands : -1;
    if (operands.length !== expected) {
      check.refuse(
        `${name} is not a known operation with this number of operands`,
        expected,
        `${operation}(${operands.length})`,
      );
    }
    for (const operand of operands) requireDefined(`an operand of ${name}`, operand);
    check.integer(`the target of ${name}`, target, 0, mapRegisters - 1);
    const held = inputs[target];
    const constant = target >= inputs.length && target < inputs.length + constants.length;
    if (constant || (held !== undefined && held.mode === "scalar")) {
      check.refuse(`${name} overwrites a scalar or a constant`, "another register", target);
    }
    defined.add(target);
  }
  for (const [index, { register }] of outputs.entries()) requireDefined(`outputs[${index}]`, register);
}

/**
 * Registers that are output unchanged, from an input range that another output overwrites. They need a copy
 * first.
 */
function keptRegisters({ count, inputs, steps, outputs }: MapKernel): number[] {
  const kept = new Set<number>();
  for (const { register, offset } of outputs) {
    const input = inputs[register];
    if (input === undefined || (input.mode === "scalar" && count > 1)) continue;
    if (steps.some(({ target }) => target === register)) continue;
    if (offset !== input.offset && outputs.some((other) => other.offset === input.offset)) kept.add(register);
  }
  return [...kept];
}

/**
 * Maps the index of each step that can write directly into an output to the index of the output. A step can
 * do so if it is the last one to write its register, and no later step reads an input from the range of the
 * output.
 */
function directWrites(kernel: MapKernel, steps: readonly EncodedStep[]): Map<number, number> {
  const { inputs, outputs } = kernel;
  const result = new Map<number, number>();
  for (const [output, { register, offset }] of outputs.entries()) {
    const step = steps.findLastIndex(({ target }) => target === register);
    if (step < 0 || result.has(step)) continue;
    const aliases = new Set<number>();
    for (const [input, { offset: from, mode }] of inputs.entries()) {
      if (isEach(kernel, mode) && from === offset) aliases.add(input);
    }
    for (const { target } of steps.slice(0, step + 1)) aliases.delete(target);
    let safe = true;
    for (const { operands, target } of steps.slice(step + 1)) {
      if (operands.some((operand) => aliases.has(operand))) safe = false;
      aliases.delete(target);
    }
    if (outputs.some((other) => aliases.has(other.register))) safe = false;
    if (safe) result.set(step, output);
  }
  return result;
}
