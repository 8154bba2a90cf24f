import type { ElementwiseOperation } from "../tensor.js";
import { type MapKernel, mapRegisters } from "./kernel.js";

/** An operand of a step in a map: an earlier member, numbers in memory, or a constant. */
export type MapOperand =
  | { readonly kind: "member"; readonly step: number }
  | { readonly kind: "each" | "scalar"; readonly step: number; readonly offset: number }
  | { readonly kind: "constant"; readonly value: number };

export interface MapMember {
  readonly step: number;
  readonly operation: ElementwiseOperation;
  readonly operands: readonly MapOperand[];
}

/** A map whose inputs and outputs are program steps rather than memory ranges. */
export interface RegisterMap {
  readonly inputs: readonly {
    readonly step: number;
    readonly offset: number;
    readonly mode: "each" | "scalar";
  }[];
  readonly constants: readonly number[];
  readonly steps: MapKernel["steps"];
  readonly outputs: readonly { readonly register: number; readonly step: number }[];
}

/**
 * Assigns a register to every value of a chain of elementwise steps. Registers are reused after the last read
 * of their value. Returns null if the chain needs more than {@link mapRegisters}.
 */
export function allocateRegisters(
  members: readonly MapMember[],
  outputs: ReadonlySet<number>,
): RegisterMap | null {
  const inputs: { step: number; offset: number; mode: "each" | "scalar" }[] = [];
  const constants: number[] = [];
  const slots = new Map<string, number>();
  const operandsOf = members.flatMap((member) => member.operands);
  for (const operand of operandsOf) {
    if (operand.kind !== "each" && operand.kind !== "scalar") continue;
    const key = operandKey(operand);
    if (slots.has(key)) continue;
    slots.set(key, inputs.length);
    inputs.push({ step: operand.step, offset: operand.offset, mode: operand.kind });
  }
  for (const operand of operandsOf) {
    if (operand.kind !== "constant" || slots.has(operandKey(operand))) continue;
    slots.set(operandKey(operand), inputs.length + constants.length);
    constants.push(operand.value);
  }

  const lastUse = new Map<string, number>();
  members.forEach((member, time) => {
    for (const operand of member.operands) lastUse.set(operandKey(operand), time);
  });

  const register = new Map(slots);
  const free: number[] = [];
  let used = inputs.length + constants.length;
  const steps = members.map((member, time) => {
    const operands = member.operands.map((operand) => registerOf(register, operandKey(operand)));
    for (const operand of new Map(member.operands.map((o) => [operandKey(o), o])).values()) {
      const reusable = operand.kind === "each" || (operand.kind === "member" && !outputs.has(operand.step));
      if (reusable && lastUse.get(operandKey(operand)) === time)
        free.push(registerOf(register, operandKey(operand)));
    }
    const target = free.pop() ?? used++;
    register.set(operandKey({ kind: "member", step: member.step }), target);
    return { operation: member.operation, operands, target };
  });
  if (used > mapRegisters) return null;
  return {
    inputs,
    constants,
    steps,
    outputs: members
      .filter((member) => outputs.has(member.step))
      .map(({ step }) => ({ register: registerOf(register, operandKey({ kind: "member", step })), step })),
  };
}

function operandKey(operand: MapOperand): string {
  switch (operand.kind) {
    case "member":
      return `member ${operand.step}`;
    case "constant":
      return `constant ${Object.is(operand.value, -0) ? "-0" : operand.value}`;
    default:
      return `${operand.kind} ${operand.step}+${operand.offset}`;
  }
}

function registerOf(registers: ReadonlyMap<string, number>, key: string): number {
  const register = registers.get(key);
  if (register === undefined) throw new Error(`allocateRegisters: ${key} is read before it is computed`);
  return register;
}
