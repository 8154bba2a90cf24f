import { fail, requireInteger, requireLength } from "../base/errors.js";
import { largest, smallest } from "../math/statistics.js";

/**
 * An array of numbers between bounds. Plain data that survives JSON: an element without a bound has
 * ±{@link UNBOUNDED}, since JSON has no infinity.
 */
export interface Box {
  readonly kind: "box";
  readonly shape: readonly number[];
  readonly dtype: "float32" | "uint8";
  /** Inclusive: one number for all elements, or one an element in row-major order. */
  readonly low: number | readonly number[];
  /** Inclusive, as {@link low}. */
  readonly high: number | readonly number[];
}

/** One of the integers 0, 1, …, n − 1. */
export interface Discrete {
  readonly kind: "discrete";
  readonly n: number;
}

/** What an observation or an action may be, in Gymnasium's terms. */
export type Space = Box | Discrete;

/** The largest float32: the bound of a float32 element that has none. */
export const UNBOUNDED = 3.4028234663852886e38;

/** The space of one-hot vectors of n elements: how a discrete observation is shown to a network. */
export const oneHotSpace = (n: number): Box => ({
  kind: "box",
  shape: [n],
  dtype: "float32",
  low: 0,
  high: 1,
});

/**
 * The numbers that one observation takes: the product of the shape.
 * @throws SoftrlError for a discrete space, which a network cannot read as a number.
 */
export function observationLength(space: Space): number {
  if (space.kind === "discrete") {
    return fail("observationLength", "a discrete space cannot be observed", {
      expected: "a box",
      got: describeSpace(space),
      remedy: `observe with a one-hot vector: oneHotSpace(${space.n})`,
    });
  }
  return space.shape.reduce((product, size) => product * size, 1);
}

/**
 * The number of actions A.
 * @throws SoftrlError for a box: softrl's algorithms choose among discrete actions.
 */
export function actionCount(space: Space): number {
  if (space.kind === "box") {
    return fail("actionCount", "the actions are not discrete", {
      expected: "a discrete space",
      got: describeSpace(space),
      remedy: "use an environment with discrete actions",
    });
  }
  return space.n;
}

/** Whether `value` lies in the space: an integer of a discrete one, an array (row-major) of a box. */
export function contains(space: Space, value: number | ArrayLike<number>): boolean {
  if (space.kind === "discrete") {
    return typeof value === "number" && Number.isInteger(value) && value >= 0 && value < space.n;
  }
  if (typeof value === "number" || value.length !== observationLength(space)) return false;
  for (let i = 0; i < value.length; i++) {
    if (!(value[i] >= boundAt(space.low, i) && value[i] <= boundAt(space.high, i))) return false;
    if (space.dtype === "uint8" && !Number.isInteger(value[i])) return false;
  }
  return true;
}

/** The space in words, for messages: `Box [4] float32 in [-1, 1]`, `Discrete 0..5`. */
export function describeSpace(space: Space): string {
  if (space.kind === "discrete") return `Discrete 0..${space.n - 1}`;
  const low = boundInWords(space.low);
  const high = boundInWords(space.high);
  return `Box [${space.shape.join(", ")}] ${space.dtype} in [${low}, ${high}]`;
}

/** Whether two spaces are the same, bounds included. */
export function sameSpace(a: Space, b: Space): boolean {
  if (a.kind === "discrete" || b.kind === "discrete") {
    return a.kind === "discrete" && b.kind === "discrete" && a.n === b.n;
  }
  if (a.dtype !== b.dtype || a.shape.join() !== b.shape.join()) return false;
  for (let i = observationLength(a) - 1; i >= 0; i--) {
    if (boundAt(a.low, i) !== boundAt(b.low, i) || boundAt(a.high, i) !== boundAt(b.high, i)) return false;
  }
  return true;
}

/** Throws unless a space is well formed: sizes are whole and positive, bounds are ordered and fit the shape. */
export function validateSpace(where: string, name: string, space: Space): void {
  if (space.kind === "discrete") {
    requireInteger(where, `${name}.n`, space.n, 1);
    return;
  }
  if (space.kind !== "box") {
    fail(where, `${name} is no space`, {
      expected: '{ kind: "box", … } or { kind: "discrete", n }',
      got: JSON.stringify(space),
    });
  }
  if (space.dtype !== "float32" && space.dtype !== "uint8") {
    fail(where, `${name}.dtype is unknown`, { expected: '"float32" or "uint8"', got: String(space.dtype) });
  }
  if (!Array.isArray(space.shape)) {
    fail(where, `${name}.shape is no list`, {
      expected: "a list of sizes",
      got: JSON.stringify(space.shape),
    });
  }
  space.shape.forEach((size, axis) => {
    requireInteger(where, `${name}.shape[${axis}]`, size, 1);
  });
  const length = observationLength(space);
  if (typeof space.low !== "number") requireLength(where, `${name}.low`, space.low.length, length);
  if (typeof space.high !== "number") requireLength(where, `${name}.high`, space.high.length, length);
  for (let i = 0; i < length; i++) {
    const low = boundAt(space.low, i);
    const high = boundAt(space.high, i);
    if (!(low <= high)) {
      fail(where, `${name} has no room at element ${i}`, {
        expected: "low ≤ high",
        got: `[${low}, ${high}]`,
      });
    }
    if (space.dtype === "uint8" && !(low >= 0 && high <= 255)) {
      fail(where, `${name} does not fit uint8 at element ${i}`, {
        expected: "bounds within [0, 255]",
        got: `[${low}, ${high}]`,
      });
    }
  }
}

const boundAt = (bound: number | readonly number[], i: number): number =>
  typeof bound === "number" ? bound : bound[i];

function boundInWords(bound: number | readonly number[]): string {
  const word = (value: number) =>
    Math.abs(value) >= UNBOUNDED ? (value < 0 ? "-∞" : "∞") : String(Number(value.toPrecision(4)));
  if (typeof bound === "number") return word(bound);
  if (bound.length <= 8) return `(${bound.map(word).join(", ")})`;
  return `${word(smallest(bound))} to ${word(largest(bound))}`;
}
