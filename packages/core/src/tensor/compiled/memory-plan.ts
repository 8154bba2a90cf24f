import { rowMajorStrides, shapeSize } from "../shape.js";
import type { FusedProgram, Location, Unit } from "./fusion.js";
import { keptSteps, storedSteps, unitReads } from "./fusion.js";
import type { Kernel } from "./kernel.js";
import { scratchLength } from "./kernel-scratch.js";

/** Offsets are multiples of this number of elements, one cache line. */
export const alignment = 16;

export const aligned = (length: number): number => Math.ceil(length / alignment) * alignment;

/** A range of memory that is in use from unit `start` to unit `end`, both included. */
interface Storage {
  readonly length: number;
  /** Fixed for leaves, outputs and states; planned for all others. */
  offset: number | null;
  start: number;
  end: number;
  /** The first unit that overwrites a value that it reads from here, ∞ if there is none. */
  overwritten: number;
}

/** Memory that is allocated before a program is planned: leaves, outputs and states. */
export interface FixedMemory {
  /** Offset of an input, state or constant step. */
  leaf(step: number): number;
  /** Offset of a named output. */
  output(name: string): number;
  /** The offset that the value of a unit's root must be written to, if it is fixed. */
  destination?(root: number): number | undefined;
}

/** The place of every value, in elements of the arena. */
export interface MemoryPlan {
  offset(location: Location): number;
  /** The scratch offset of each unit. */
  readonly scratch: readonly number[];
  /** Copies after the last unit, in order: [from, to, count]. */
  readonly copies: readonly (readonly [from: number, to: number, count: number])[];
  /** The first element after all of them. */
  readonly end: number;
}

/**
 * Plans the temporary memory of a program, starting at `base`. Ranges that are not in use at the same time
 * share elements, chains run in place, outputs and new states are written to their final place, and parts of
 * a concatenation are computed inside it.
 */
export function planMemory(
  fused: FusedProgram,
  fixed: FixedMemory,
  base: number,
  scratchOf: (unit: Unit) => number,
): MemoryPlan {
  return new MemoryPlanner(fused, fixed).plan(base, scratchOf);
}

class MemoryPlanner {
  readonly #fused: FusedProgram;
  readonly #fixed: FixedMemory;
  readonly #places = new Map<number, { storage: Storage; offset: number }>();
  readonly #writer = new Map<number, number>();
  readonly #lastRead = new Map<number, number>();
  readonly #stored: readonly ReadonlySet<number>[];
  readonly #direct = new Set<string>();

  constructor(fused: FusedProgram, fixed: FixedMemory) {
    this.#fused = fused;
    this.#fixed = fixed;
    const { program, locations, units } = fused;
    const afterAll = units.length;
    const kept = keptSteps(program, locations);
    for (const step of kept) this.#lastRead.set(step, afterAll);
    this.#stored = units.map((unit) => storedSteps(unit, kept));
    units.forEach((unit, time) => {
      for (const step of this.#stored[time]) this.#writer.set(step, time);
      for (const { step } of unitReads(program, locations, unit)) {
        this.#lastRead.set(step, Math.max(time, this.#lastRead.get(step) ?? 0));
      }
    });
  }

  plan(base: number, scratchOf: (unit: Unit) => number): MemoryPlan {
    this.#placeDestinations();
    this.#placeUpdates();
    this.#placeOutputs();
    this.#placeRest();
    const { units } = this.#fused;
    const scratch = units.map((unit, time) => temporary(scratchOf(unit), time));
    const staged = this.#stagedUpdates();
    const shared = new Set([...this.#places.values()].map((place) => place.storage));
    const storages = [...shared, ...scratch, ...staged.values()];
    const end = assignOffsets(
      storages.filter((storage) => storage.offset === null && storage.length > 0),
      base,
    );
    return {
      offset: (location) => this.#offset(location),
      scratch: scratch.map((storage) => storage.offset ?? base),
      copies: this.#copies(staged),
      end,
    };
  }

  #size(step: number): number {
    return shapeSize(this.#fused.program.steps[step].tensor.shape);
  }

  #offset({ step, offset }: Location): number {
    const place = this.#places.get(step);
    if (place === undefined) return this.#fixed.leaf(step) + offset;
    if (place.storage.offset === null) throw new Error("planMemory: an offset is read before it is planned");
    return place.storage.offset + place.offset + offset;
  }

  #isLeaf(step: number): boolean {
    return !this.#writer.has(step);
  }

  #fixedStorage(offset: number, length: number): Storage {
    return { length, offset, start: 0, end: this.#fused.units.length, overwritten: Number.POSITIVE_INFINITY };
  }

  #placeDestinations(): void {
    for (const { root } of this.#fused.units) {
      const offset = this.#fixed.destination?.(root);
      if (offset === undefined) continue;
      this.#places.set(root, { storage: this.#fixedStorage(offset, this.#size(root)), offset: 0 });
    }
  }

  /** The map that computes a new state overwrites the old state, if no later unit reads the old one. */
  #placeUpdates(): void {
    const { program, locations, units } = this.#fused;
    for (const { state, value } of program.updates) {
      const source = locations[value];
      const time = this.#writer.get(source.step);
      if (time === undefined || source.offset !== 0 || this.#places.has(source.step)) continue;
      if (units[time].head !== null || this.#size(source.step) !== this.#size(state)) continue;
      if ((this.#lastRead.get(state) ?? -1) > time || !this.#readsInPlace(units[time], state)) continue;
      this.#places.set(source.step, {
        storage: this.#fixedStorage(this.#fixed.leaf(state), this.#size(state)),
        offset: 0,
      });
      this.#direct.add(`update ${state}`);
    }
  }

  /** Whether each element of the result only depends on the element of this step at the same position. */
  #readsInPlace(unit: Unit, step: number): boolean {
    const reads = unit.members.flatMap((member) => member.operands);
    return reads.every(
      (operand) =>
        operand.kind === "member" ||
        operand.kind === "constant" ||
        operand.step !== step ||
        (operand.kind === "each" && operand.offset === 0 && this.#size(step) === this.#size(unit.root)) ||
        this.#size(unit.root) === 1,
    );
  }

  #placeOutputs(): void {
    const { program, locations } = this.#fused;
    for (const [name, step] of program.outputs) {
      const source = locations[step];
      const whole = source.offset === 0 && this.#size(source.step) === this.#size(step);
      if (!whole || this.#isLeaf(source.step) || this.#places.has(source.step)) continue;
      this.#places.set(source.step, {
        storage: this.#fixedStorage(this.#fixed.output(name), this.#size(step)),
        offset: 0,
      });
      this.#direct.add(`output ${name}`);
    }
  }

  /** Later units come first, so that a concatenation is placed before its parts. */
  #placeRest(): void {
    const { units } = this.#fused;
    for (let time = units.length - 1; time >= 0; time--) {
      for (const step of this.#stored[time]) {
        if (!this.#places.has(step))
          this.#places.set(step, { storage: this.#newStorage(step, time), offset: 0 });
      }
      this.#placeParts(units[time]);
      this.#reuseInput(units[time], time);
    }
  }

  #newStorage(step: number, time: number): Storage {
    return {
      length: this.#size(step),
      offset: null,
      start: time,
      end: Math.max(time, this.#lastRead.get(step) ?? time),
      overwritten: Number.POSITIVE_INFINITY,
    };
  }

  #placeParts({ head, root }: Unit): void {
    if (head === null || head !== root) return;
    const { program, locations } = this.#fused;
    const { tensor, inputs } = program.steps[head];
    const place = this.#places.get(head);
    if (tensor.origin.kind !== "primitive" || tensor.origin.name !== "concat" || place === undefined) return;
    const { axis } = tensor.origin.attributes;
    if (tensor.shape.slice(0, axis).some((length) => length !== 1)) return;
    const stride = rowMajorStrides(tensor.shape)[axis];
    let position = place.offset;
    for (const input of inputs) {
      const source = locations[input];
      const whole = source.offset === 0 && this.#size(source.step) === this.#size(input);
      const { storage } = place;
      const outlives = (this.#lastRead.get(source.step) ?? 0) >= storage.overwritten;
      if (whole && !outlives && !this.#isLeaf(source.step) && !this.#places.has(source.step)) {
        storage.start = Math.min(storage.start, this.#writer.get(source.step) ?? 0);
        storage.end = Math.max(storage.end, this.#lastRead.get(source.step) ?? 0);
        this.#places.set(source.step, { storage, offset: position });
      }
      position += program.steps[input].tensor.shape[axis] * stride;
    }
  }

  /** A map may overwrite an input that it is the last to read. */
  #reuseInput(unit: Unit, time: number): void {
    const place = this.#places.get(unit.root);
    if (unit.head !== null || place === undefined || place.storage.offset !== null) return;
    const size = this.#size(unit.root);
    if (place.storage.length !== size) return;
    for (const operand of unit.members.flatMap((member) => member.operands)) {
      if (operand.kind !== "each" || operand.offset !== 0 || this.#size(operand.step) !== size) continue;
      const writer = this.#writer.get(operand.step);
      if (writer === undefined || this.#places.has(operand.step) || this.#lastRead.get(operand.step) !== time)
        continue;
      if (!this.#readsInPlace(unit, operand.step)) continue;
      place.storage.start = writer;
      place.storage.overwritten = time;
      this.#places.set(operand.step, place);
      return;
    }
  }

  /** Temporary memory for new values that are read from a state that changes. */
  #stagedUpdates(): Map<number, Storage> {
    const { program, locations } = this.#fused;
    const changing = new Set(program.updates.map((update) => update.state));
    const staged = new Map<number, Storage>();
    for (const { state, value } of program.updates) {
      if (this.#direct.has(`update ${state}`) || !changing.has(locations[value].step)) continue;
      const after = this.#fused.units.length;
      staged.set(state, temporary(this.#size(state), after));
    }
    return staged;
  }

  #copies(staged: ReadonlyMap<number, Storage>): (readonly [number, number, number])[] {
    const { program, locations } = this.#fused;
    const copies: (readonly [number, number, number])[] = [];
    for (const [name, step] of program.outputs) {
      if (!this.#direct.has(`output ${name}`)) {
        copies.push([this.#offset(locations[step]), this.#fixed.output(name), this.#size(step)]);
      }
    }
    const final: (readonly [number, number, number])[] = [];
    for (const { state, value } of program.updates) {
      if (this.#direct.has(`update ${state}`)) continue;
      const to = this.#fixed.leaf(state);
      const from = this.#offset(locations[value]);
      const aside = staged.get(state)?.offset ?? null;
      if (aside !== null) copies.push([from, aside, this.#size(state)]);
      final.push([aside ?? from, to, this.#size(state)]);
    }
    return [...copies, ...final].filter(([from, to]) => from !== to);
  }
}

/** A range that only one unit uses. */
function temporary(length: number, time: number): Storage {
  return { length, offset: null, start: time, end: time, overwritten: Number.POSITIVE_INFINITY };
}

/** First fit, largest range first; returns the first element after all of them. */
function assignOffsets(storages: readonly Storage[], base: number): number {
  // By offset, so that the search for a gap ends at the first one.
  const placed: (Storage & { offset: number })[] = [];
  let end = base;
  for (const storage of [...storages].sort((a, b) => b.length - a.length)) {
    let offset = base;
    for (const other of placed) {
      if (offset + storage.length <= other.offset) break;
      if (other.start <= storage.end && storage.start <= other.end)
        offset = Math.max(offset, aligned(other.offset + other.length));
    }
    placed.splice(positionOf(placed, offset), 0, Object.assign(storage, { offset }));
    end = Math.max(end, aligned(offset + storage.length));
  }
  return end;
}

/** Where a range with this offset belongs among ranges in the order of their offsets. */
function positionOf(ranges: readonly { readonly offset: number }[], offset: number): number {
  let [low, high] = [0, ranges.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ranges[middle].offset <= offset) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The scratch elements that a kernel needs, 0 if none. */
export function kernelScratch(kernel: Kernel): number {
  switch (kernel.kind) {
    case "matmul":
    case "conv2d":
    case "conv2dInputGradient":
    case "conv2dFilterGradient":
      return scratchLength(kernel);
    default:
      return 0;
  }
}
