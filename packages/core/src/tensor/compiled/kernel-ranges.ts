import { fail } from "../../base/errors.js";

/** Elements [start, end) of the arena, with the name of the field that they belong to. */
export interface Span {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

/**
 * Checks the fields of one kernel against an arena. Every error is a SoftrlError that names the kernel and
 * the field.
 */
export class KernelCheck {
  readonly #where: string;
  readonly #arenaLength: number;

  constructor(where: string, arenaLength: number) {
    this.#where = where;
    this.#arenaLength = arenaLength;
  }

  /** A check for a kernel inside this one. */
  inside(name: string): KernelCheck {
    return new KernelCheck(`${this.#where}, ${name}`, this.#arenaLength);
  }

  refuse(what: string, expected: string | number, got: unknown): never {
    return fail(this.#where, what, { expected: String(expected), got: String(got) });
  }

  /** The code of a name. */
  known(field: string, name: string, numbers: Readonly<Record<string, number>>): number {
    if (!Object.hasOwn(numbers, name)) this.refuse(`unknown ${field}`, Object.keys(numbers).join(", "), name);
    return numbers[name] ?? 0;
  }

  /** Checks a size or count: an integer of at least 1 that fits into a word. */
  size(name: string, value: number): void {
    this.integer(name, value, 1, 2 ** 31 - 1);
  }

  sizes(fields: Readonly<Record<string, number>>): void {
    for (const [name, value] of Object.entries(fields)) this.size(name, value);
  }

  integer(name: string, value: number, low: number, high: number): void {
    if (!(Number.isInteger(value) && value >= low && value <= high)) {
      this.refuse(`${name} is out of range`, `an integer in [${low}, ${high}]`, value);
    }
  }

  axes(name: string, count: number, most: number): void {
    if (!(count >= 1 && count <= most))
      this.refuse(`${name} has too few or too many axes`, `1 to ${most}`, count);
  }

  /** A contiguous range, which must be inside the arena. */
  span(name: string, offset: number, length: number): Span {
    return this.stridedSpan(name, offset, [length], [1]);
  }

  /** The range of a strided view, which must be inside the arena. */
  stridedSpan(name: string, offset: number, dims: readonly number[], strides: readonly number[]): Span {
    this.integer(`the offset ${name}`, offset, 0, this.#arenaLength);
    let start = offset;
    let end = offset + 1;
    for (const [axis, size] of dims.entries()) {
      const stride = strides[axis] ?? Number.NaN;
      this.integer(`a stride of ${name}`, stride, -(2 ** 31), 2 ** 31 - 1);
      const reach = (size - 1) * stride;
      if (reach < 0) start += reach;
      else end += reach;
    }
    if (!(start >= 0 && end <= this.#arenaLength)) {
      this.refuse(
        `${name} reaches outside the arena`,
        `a range in [0, ${this.#arenaLength})`,
        `[${start}, ${end})`,
      );
    }
    return { name, start, end };
  }

  /** Throws if a span of `written` overlaps another span in `others`. */
  separate(written: readonly Span[], others: readonly Span[]): void {
    for (const a of written) {
      for (const b of others) {
        if (a !== b && a.start < b.end && b.start < a.end) {
          this.refuse(
            `${a.name} overlaps ${b.name}`,
            "separate ranges",
            `[${a.start}, ${a.end}) and [${b.start}, ${b.end})`,
          );
        }
      }
    }
  }
}
