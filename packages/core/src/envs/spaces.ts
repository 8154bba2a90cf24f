import { describeValue, fail, requireInteger, requireLength } from "../base/errors.js";
import { largest, smallest } from "../math/statistics.js";

/**
 * An array of bounded numbers. It is plain data that survives JSON: since JSON has no infinity, the bound of an
 * unbounded element is ±{@link UNBOUNDED}.
 */
export interface Box {
  readonly kind: "box";
  readonly shape: readonly number[];
  readonly dtype: "float32" | "uint8";
  /** Inclusive: one number for all elements, or one per element in row-major order. */
  readonly low: number | readonly number[];
  /** Inclusive, as {@link low}. */
  readonly high: number | readonly number[];
}

/** One of the integers 0, 1, …, n − 1. */
export interface Discrete {
  readonly kind: "discrete";
  readonly n: number;
}

/** The space of an observation or an action, in Gymnasium's terms. */
export type Space = Box | Discrete;

/** The largest float32, which stands for "unbounded". */
export const UNBOUNDED = 3.4028234663852886e38;

/** The space of one-hot vectors with n elements, which encode a discrete observation for a network. */
export const oneHotSpace = (n: number): Box => ({
  kind: "box",
  shape: [n],
  dtype: "float32",
  low: 0,
  high: 1,
});

/**
 * The number of elements in one observation: the product of the shape.
 * @throws SoftrlError for a discrete space, because a network needs a one-hot vector instead.
 */
export function observationLength(space: Space): number {
  if (space.kind === "discrete") {
    return fail("observationLength", "a discrete space cannot be an observation", {
      expected: "a box",
      got: describeSpace(space),
      remedy: `encode the observation as a one-hot vector: oneHotSpace(${space.n})`,
    });
  }
  return space.shape.reduce((product, size) => product * size, 1);
}

/**
 * Factors that bring an observation to unit scale, |x| ≤ 1 with zero at zero: 1 / max(|low|, |high|) of each bounded
 * element, and 1 of an unbounded one. One number where all factors are equal.
 * @throws SoftrlError for a discrete space, as {@link observationLength}.
 */
export function unitScale(space: Space): number | Float64Array {
  const length = observationLength(space);
  if (space.kind === "discrete") return 1;
  if (typeof space.low === "number" && typeof space.high === "number") return unitFactor(space, 0);
  const factors = Float64Array.from({ length }, (_, i) => unitFactor(space, i));
  return factors.every((factor) => factor === factors[0]) ? (factors[0] ?? 1) : factors;
}

function unitFactor({ low, high }: Box, i: number): number {
  const bound = Math.max(Math.abs(boundAt(low, i)), Math.abs(boundAt(high, i)));
  return bound > 0 && bound < UNBOUNDED ? 1 / bound : 1;
}

/**
 * The number of actions A.
 * @throws SoftrlError for a box, because softrl's algorithms need discrete actions.
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

/** Whether `value` lies in the space: an integer for a discrete space, a row-major array for a box. */
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

/** A description of the space for messages: `Box [4] float32 in [-1, 1]`, `Discrete 0..5`. */
export function describeSpace(space: Space): string {
  if (space.kind === "discrete") return `Discrete 0..${space.n - 1}`;
  const low = describeBound(space.low);
  const high = describeBound(space.high);
  return `Box [${space.shape.join(", ")}] ${space.dtype} in [${low}, ${high}]`;
}

/** Whether two spaces are equal, including their bounds. */
export function sameSpace(a: Space, b: Space): boolean {
  if (a.kind === "discrete" || b.kind === "discrete") {
    return a.kind === "discrete" && b.kind === "discrete" && a.n === b.n;
  }
  if (a.dtype !== b.dtype || a.shape.join() !== b.shape.join()) return false;
  for (let i = boundCount(a, b) - 1; i >= 0; i--) {
    if (boundAt(a.low, i) !== boundAt(b.low, i) || boundAt(a.high, i) !== boundAt(b.high, i)) return false;
  }
  return true;
}

/** Throws unless a space is well formed: sizes are positive integers, bounds are ordered and fit the shape. */
export function validateSpace(where: string, name: string, space: Space): void {
  if (space.kind === "discrete") {
    requireInteger(where, `${name}.n`, space.n, 1);
    requireCount(where, `${name}.n`, space.n);
    return;
  }
  if (space.kind !== "box") {
    fail(where, `${name} is not a space`, {
      expected: '{ kind: "box", … } or { kind: "discrete", n }',
      got: describeValue(space),
    });
  }
  if (space.dtype !== "float32" && space.dtype !== "uint8") {
    fail(where, `${name}.dtype is unknown`, { expected: '"float32" or "uint8"', got: String(space.dtype) });
  }
  if (!Array.isArray(space.shape)) {
    fail(where, `${name}.shape is not a list`, {
      expected: "a list of sizes",
      got: describeValue(space.shape),
    });
  }
  space.shape.forEach((size, axis) => {
    requireInteger(where, `${name}.shape[${axis}]`, size, 1);
  });
  const length = observationLength(space);
  requireCount(where, `the number of elements of ${name}`, length);
  if (typeof space.low !== "number") requireLength(where, `${name}.low`, space.low.length, length);
  if (typeof space.high !== "number") requireLength(where, `${name}.high`, space.high.length, length);
  for (let i = 0; i < boundCount(space); i++) {
    const low = boundAt(space.low, i);
    const high = boundAt(space.high, i);
    if (!(low <= high)) {
      fail(where, `${name} has invalid bounds at element ${i}`, {
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

/** What the 32-bit offsets and actions of kernels and environments can count. */
const MOST_ELEMENTS = 2 ** 31 - 1;

function requireCount(where: string, name: string, count: number): void {
  if (count <= MOST_ELEMENTS) return;
  fail(where, `${name} is too large`, {
    expected: `at most 2^31 − 1 = ${MOST_ELEMENTS}`,
    got: String(count),
    remedy: "use a smaller space",
  });
}

/** How many different pairs of bounds boxes of one shape may have: one, where all bounds are single numbers. */
function boundCount(...boxes: readonly Box[]): number {
  const areSingle = boxes.every(({ low, high }) => typeof low === "number" && typeof high === "number");
  return areSingle ? Math.min(1, observationLength(boxes[0])) : observationLength(boxes[0]);
}

const boundAt = (bound: number | readonly number[], i: number): number =>
  typeof bound === "number" ? bound : bound[i];

function describeBound(bound: number | readonly number[]): string {
  const describe = (value: number) =>
    Math.abs(value) >= UNBOUNDED ? (value < 0 ? "-∞" : "∞") : String(Number(value.toPrecision(4)));
  if (typeof bound === "number") return describe(bound);
  if (bound.length <= 8) return `(${bound.map(describe).join(", ")})`;
  return `${describe(smallest(bound))} to ${describe(largest(bound))}`;
}
