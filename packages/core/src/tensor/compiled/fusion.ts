import type { Program } from "../program.js";
import { rowMajorStrides, type Shape, shapeSize } from "../shape.js";
import type { ElementwiseOperation } from "../tensor.js";
import { operations } from "./kernel-encoding-steps.js";
import { allocateRegisters, type MapMember, type MapOperand } from "./map-registers.js";

/** The place of a value: it starts at `offset` inside the value of `step`. */
export interface Location {
  readonly step: number;
  readonly offset: number;
}

/**
 * A group of steps that becomes one kernel: a head (any primitive that is not elementwise), a chain of
 * elementwise steps, or a head followed by such a chain.
 */
export interface Unit {
  /** The step whose value the rest of the program reads: the last step of the unit. */
  readonly root: number;
  readonly head: number | null;
  /** A vector that is added to every row of the head's result. */
  readonly bias: Location | null;
  readonly members: readonly MapMember[];
}

export interface FusedProgram {
  readonly program: Program;
  /** For every step, the step that holds its numbers. Reshapes and contiguous slices need no computation. */
  readonly locations: readonly Location[];
  /** In an order in which each unit comes after those that it reads. */
  readonly units: readonly Unit[];
}

/** Groups the steps of a program into few kernels; compiled executors use this fusion. */
export function fuse(program: Program): FusedProgram {
  return new Fusion(program).result();
}

/** Members of one chain: each addition looks at all of them, and longer chains are no faster. */
const longestChain = 128;

interface Cluster {
  /** The position of the unit in the order of the program. */
  readonly position: number;
  root: number;
  head: number | null;
  bias: Location | null;
  steps: number[];
}

class Fusion {
  readonly #program: Program;
  readonly #locations: Location[];
  /** Steps that only repeat one number, with the place of that number. */
  readonly #repeated = new Map<number, Location>();
  readonly #kept: ReadonlySet<number>;
  /** The steps whose numbers each step holds. */
  readonly #heldBy = new Map<number, number[]>();
  readonly #clusterOf = new Map<number, Cluster>();

  constructor(program: Program) {
    this.#program = program;
    this.#locations = [];
    program.steps.forEach((_, i) => {
      this.#locations.push(this.#locate(i));
    });
    this.#locations.forEach((location, step) => {
      const held = this.#heldBy.get(location.step);
      if (held === undefined) this.#heldBy.set(location.step, [step]);
      else held.push(step);
    });
    this.#kept = keptSteps(program, this.#locations);
    this.#hideSquares();
    this.#cluster();
    this.#extractBiases();
  }

  result(): FusedProgram {
    return { program: this.#program, locations: this.#locations, units: this.#demandedUnits() };
  }

  #shape(step: number): Shape {
    return this.#program.steps[step].tensor.shape;
  }

  #size(step: number): number {
    return shapeSize(this.#shape(step));
  }

  #name(step: number): string {
    const { origin } = this.#program.steps[step].tensor;
    return origin.kind === "primitive" ? origin.name : origin.kind;
  }

  #locate(step: number): Location {
    const { tensor, inputs } = this.#program.steps[step];
    const { origin } = tensor;
    if (origin.kind !== "primitive") return { step, offset: 0 };
    const source = this.#locations[inputs[0]];
    if (origin.name === "reshape" || origin.name === "stopGradient") return source;
    if (origin.name === "slice" && isContiguous(this.#shape(inputs[0]), tensor.shape)) {
      const strides = rowMajorStrides(this.#shape(inputs[0]));
      const start = origin.attributes.start.reduce(
        (sum, position, axis) => sum + position * strides[axis],
        0,
      );
      return { step: source.step, offset: source.offset + start };
    }
    if (origin.name === "broadcastTo") {
      const repeated = this.#repeated.get(source.step) ?? (this.#size(inputs[0]) === 1 ? source : undefined);
      if (repeated !== undefined) this.#repeated.set(step, repeated);
    }
    return { step, offset: 0 };
  }

  /**
   * A square that is only read by sums over all elements is not computed: its place becomes that of its root,
   * and the sum squares each element.
   */
  #hideSquares(): void {
    const readers = this.#readers();
    this.#program.steps.forEach(({ inputs }, step) => {
      if (this.#name(step) !== "multiply" || inputs[0] !== inputs[1] || this.#kept.has(step)) return;
      const readBy = readers.get(step) ?? [];
      const root = this.#locations[inputs[0]];
      if (readBy.length === 0 || this.#repeated.has(root.step)) return;
      if (readBy.every((reader) => this.#name(reader.step) === "sum" && this.#size(reader.step) === 1))
        this.#redirect(step, root);
    });
  }

  /**
   * Adds every step, from the last one to the first, to the chain of its readers if all of them are in one
   * chain.
   */
  #cluster(): void {
    const readers = this.#readers();
    for (let step = this.#program.steps.length - 1; step >= 0; step--) {
      const elementwise = isElementwise(this.#name(step));
      if (!this.#computes(step)) continue;
      const target = this.#commonReader(step, readers.get(step) ?? []);
      if (target !== null && elementwise && this.#fits(target, step)) {
        target.steps.push(step);
        this.#clusterOf.set(step, target);
      } else if (
        target !== null &&
        target.head === null &&
        takesEpilogue(this.#name(step)) &&
        !this.#kept.has(step)
      ) {
        target.head = step;
        this.#clusterOf.set(step, target);
      } else {
        const cluster = elementwise
          ? { position: step, root: step, head: null, bias: null, steps: [step] }
          : { position: step, root: step, head: step, bias: null, steps: [] };
        this.#clusterOf.set(step, cluster);
      }
    }
    for (const cluster of this.#clusterOf.values()) cluster.steps.sort((a, b) => a - b);
  }

  /** Whether the step has to compute numbers, rather than reuse those of another step. */
  #computes(step: number): boolean {
    return (
      this.#program.steps[step].tensor.origin.kind === "primitive" && this.#locations[step].step === step
    );
  }

  #readers(): Map<number, { step: number; whole: boolean }[]> {
    const readers = new Map<number, { step: number; whole: boolean }[]>();
    this.#program.steps.forEach(({ inputs }, step) => {
      if (!this.#computes(step)) return;
      for (const input of inputs) {
        const location = this.#locations[input];
        const whole = this.#size(location.step) === this.#size(input) && !this.#repeated.has(location.step);
        const list = readers.get(location.step) ?? [];
        list.push({ step, whole });
        readers.set(location.step, list);
      }
    });
    return readers;
  }

  #commonReader(step: number, readers: readonly { step: number; whole: boolean }[]): Cluster | null {
    if (readers.length === 0) return null;
    const target = this.#clusterOf.get(readers[0].step);
    const fusable = readers.every(
      (reader) =>
        reader.whole &&
        isElementwise(this.#name(reader.step)) &&
        this.#size(reader.step) === this.#size(step) &&
        this.#clusterOf.get(reader.step) === target,
    );
    return fusable && target !== undefined ? target : null;
  }

  #fits(cluster: Cluster, step: number): boolean {
    if (cluster.steps.length === longestChain) return false;
    const steps = [step, ...cluster.steps].sort((a, b) => a - b);
    return allocateRegisters(this.#members(steps), this.#outputsOf(steps, cluster.root)) !== null;
  }

  #outputsOf(steps: readonly number[], root: number): ReadonlySet<number> {
    return new Set(steps.filter((step) => step === root || this.#kept.has(step)));
  }

  #members(steps: readonly number[]): MapMember[] {
    const inside = new Set(steps);
    return steps.map((step) => ({
      step,
      operation: this.#name(step) as ElementwiseOperation,
      operands: this.#program.steps[step].inputs.map((input) => this.#operand(input, inside)),
    }));
  }

  #operand(input: number, inside: ReadonlySet<number>): MapOperand {
    const location = this.#locations[input];
    if (inside.has(location.step)) return { kind: "member", step: location.step };
    const scalar = this.#repeated.get(location.step) ?? (this.#size(input) === 1 ? location : null);
    if (scalar === null) return { kind: "each", step: location.step, offset: location.offset };
    const { origin } = this.#program.steps[scalar.step].tensor;
    if (origin.kind === "constant") return { kind: "constant", value: origin.values[scalar.offset] };
    return { kind: "scalar", step: scalar.step, offset: scalar.offset };
  }

  /**
   * If the result of a head only goes into an addition of a broadcast vector, the kernel of the head starts
   * its sums from that vector.
   */
  #extractBiases(): void {
    const readers = this.#readers();
    for (const cluster of new Set(this.#clusterOf.values())) {
      const { head } = cluster;
      if (head === null || !takesBias(this.#name(head)) || readers.get(head)?.length !== 1) continue;
      const [{ step: addition }] = readers.get(head) ?? [];
      if (!cluster.steps.includes(addition) || this.#name(addition) !== "add") continue;
      if (cluster.root !== addition && this.#kept.has(addition)) continue;
      const { inputs } = this.#program.steps[addition];
      const other = inputs.find((input) => this.#locations[input].step !== head);
      const bias = other === undefined ? null : this.#rowVector(other, head);
      if (bias === null) continue;
      cluster.bias = bias;
      cluster.steps = cluster.steps.filter((step) => step !== addition);
      if (cluster.root === addition) cluster.root = head;
      this.#redirect(addition, { step: head, offset: 0 });
    }
  }

  #redirect(from: number, to: Location): void {
    const held = this.#heldBy.get(to.step) ?? [];
    for (const step of this.#heldBy.get(from) ?? []) {
      this.#locations[step] = { step: to.step, offset: to.offset + this.#locations[step].offset };
      held.push(step);
    }
    this.#heldBy.set(to.step, held);
    this.#heldBy.delete(from);
  }

  /**
   * The vector that `step` repeats in every row of the shape of `head`, or null if it is not such a
   * broadcast.
   */
  #rowVector(step: number, head: number): Location | null {
    const at = this.#locations[step].step;
    if (this.#name(at) !== "broadcastTo") return null;
    const [source] = this.#program.steps[at].inputs;
    const columns = this.#shape(head).at(-1);
    const isRow = this.#shape(source).at(-1) === columns && this.#size(source) === columns && columns !== 1;
    return isRow ? this.#locations[source] : null;
  }

  /** The units that outputs and updates need, directly or indirectly. */
  #demandedUnits(): Unit[] {
    const units = new Map<number, Unit & { readonly position: number }>();
    const pending = [
      ...this.#program.outputs.values(),
      ...this.#program.updates.map((update) => update.value),
    ];
    for (let step = pending.pop(); step !== undefined; step = pending.pop()) {
      const cluster = this.#clusterOf.get(this.#locations[step].step);
      if (cluster === undefined || units.has(cluster.root)) continue;
      const unit = {
        position: cluster.position,
        root: cluster.root,
        head: cluster.head,
        bias: cluster.bias,
        members: this.#members(cluster.steps),
      };
      units.set(cluster.root, unit);
      for (const { step } of unitReads(this.#program, this.#locations, unit)) pending.push(step);
    }
    return [...units.values()].sort((a, b) => a.position - b.position);
  }
}

/**
 * Whether the step is a square that is not computed, or a part of one; its place is then that of its root.
 */
export function isHiddenSquare(
  { program, locations }: Pick<FusedProgram, "program" | "locations">,
  step: number,
): boolean {
  const { tensor, inputs } = program.steps[step];
  const { origin } = tensor;
  if (origin.kind !== "primitive") return false;
  if (origin.name === "reshape" || origin.name === "stopGradient" || origin.name === "slice")
    return isHiddenSquare({ program, locations }, inputs[0]);
  return origin.name === "multiply" && locations[step].step !== step && inputs[0] === inputs[1];
}

/** All places that a unit reads. */
export function unitReads(program: Program, locations: readonly Location[], unit: Unit): Location[] {
  const inputs = unit.head === null ? [] : program.steps[unit.head].inputs;
  const reads = inputs.map((input) => locations[input]);
  if (unit.bias !== null) reads.push(unit.bias);
  for (const { operands } of unit.members) {
    for (const operand of operands) {
      if ((operand.kind === "each" || operand.kind === "scalar") && operand.step !== unit.head)
        reads.push(operand);
    }
  }
  return reads;
}

/** The steps that outputs and updates request. */
export function keptSteps(program: Program, locations: readonly Location[]): ReadonlySet<number> {
  const requested = [...program.outputs.values(), ...program.updates.map((update) => update.value)];
  return new Set(requested.map((step) => locations[step].step));
}

/** The steps of a unit that must be stored: its root, and those that outputs or updates request. */
export function storedSteps(unit: Unit, kept: ReadonlySet<number>): ReadonlySet<number> {
  const steps = unit.members.map((member) => member.step).filter((step) => kept.has(step));
  return new Set([...steps, unit.root]);
}

export function isElementwise(name: string): name is ElementwiseOperation {
  return name in operations;
}

function takesEpilogue(name: string): boolean {
  return name === "matmul" || name === "conv2d" || name === "conv2dInputGradient";
}

function takesBias(name: string): boolean {
  return name === "matmul" || name === "conv2d";
}

/** Whether a slice of this shape is contiguous: only the outermost axis with a length above 1 is cut. */
function isContiguous(whole: Shape, part: Shape): boolean {
  const cut = part.findIndex((length) => length !== 1);
  if (cut === -1) return true;
  return part.every((length, axis) => axis <= cut || length === whole[axis]);
}
