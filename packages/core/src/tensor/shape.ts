import { fail } from "../base/errors.js";

/** The lengths of the axes of a tensor, outermost first; `[]` is a scalar. Row-major. */
export type Shape = readonly number[];

/** The maximum number of axes of a tensor. */
export const maxRank = 6;

/** The number of elements, ∏ shape. */
export function shapeSize(shape: Shape): number {
  let size = 1;
  for (const length of shape) size *= length;
  return size;
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((length, axis) => length === b[axis]);
}

/** Formats a shape for messages: `[80, 84, 84, 4]`. */
export function formatShape(shape: Shape): string {
  return `[${shape.join(", ")}]`;
}

/** Throws unless every length is an integer of at least 1 and there are at most {@link maxRank} axes. */
export function requireShape(where: string, shape: Shape): void {
  if (!Array.isArray(shape)) {
    fail(where, "invalid shape", { expected: "a list of lengths, [] for a scalar", got: String(shape) });
  }
  if (shape.length > maxRank) {
    fail(where, "too many axes", { expected: `at most ${maxRank}`, got: formatShape(shape) });
  }
  for (const length of shape) {
    if (!(Number.isSafeInteger(length) && length >= 1)) {
      fail(where, "invalid shape", { expected: "integers of at least 1", got: formatShape(shape) });
    }
  }
}

/** The number of elements to skip for one step along each axis. */
export function rowMajorStrides(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis];
  }
  return strides;
}

/** NumPy's rule: shapes are aligned at the right; lengths must be equal, or one of them 1. */
export function broadcastShapes(where: string, a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length);
  const shape = new Array<number>(rank);
  for (let i = 1; i <= rank; i++) {
    const p = a[a.length - i] ?? 1;
    const q = b[b.length - i] ?? 1;
    if (p !== q && p !== 1 && q !== 1) {
      fail(where, "the shapes do not broadcast", {
        expected: "axes of equal length, or 1, aligned at the right",
        got: `${formatShape(a)} and ${formatShape(b)}`,
      });
    }
    shape[rank - i] = Math.max(p, q);
  }
  return shape;
}

/** The strides of `x` viewed with shape `shape`: 0 on the axes along which x is repeated. */
export function broadcastStrides(x: Shape, shape: Shape): number[] {
  const strides = rowMajorStrides(x);
  const added = shape.length - x.length;
  return shape.map((_, axis) => (axis < added || x[axis - added] === 1 ? 0 : strides[axis - added]));
}

/** The axis as a non-negative number; −1 is the last axis. */
export function normalAxis(where: string, axis: number, rank: number): number {
  const normal = axis < 0 ? axis + rank : axis;
  if (!(Number.isInteger(normal) && normal >= 0 && normal < rank)) {
    fail(where, "invalid axis", {
      expected: `an axis of a tensor of rank ${rank}`,
      got: String(axis),
    });
  }
  return normal;
}
