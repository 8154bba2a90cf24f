import { fail } from "./errors.js";

interface SnapshotArrays {
  readonly float64: Float64Array;
  readonly float32: Float32Array;
  readonly int32: Int32Array;
  readonly uint32: Uint32Array;
  readonly uint8: Uint8Array;
}

/** The typed arrays that a snapshot may hold. */
export type SnapshotArray = Float64Array | Float32Array | Int32Array | Uint32Array | Uint8Array;

/** An array with any number of axes: `values` in row-major order, none missing. {@link shapedArray} checks it. */
export interface ShapedArray {
  /** The length of each axis; empty for a single number. */
  readonly shape: readonly number[];
  readonly values: SnapshotArray;
}

/** A leaf of a snapshot: an array, or a JSON scalar. A typed array has one axis. */
export type SnapshotLeaf = SnapshotArray | ShapedArray | string | number | boolean | null;

/**
 * The complete state of an object as plain data; checkpoints are made of snapshots.
 *
 * Restoring a snapshot into a newly built object of the same kind must reproduce the same future, bit for
 * bit. Arrays are copies: a snapshot does not change afterwards.
 */
export interface Snapshot {
  readonly [name: string]: SnapshotLeaf | Snapshot;
}

/** An object that can be written to a checkpoint and restored from it. */
export interface Saveable {
  save(): Snapshot;
  /** @throws SoftrlError when the snapshot has another shape. */
  restore(snapshot: Snapshot): void;
}

const arrayClasses = {
  float64: Float64Array,
  float32: Float32Array,
  int32: Int32Array,
  uint32: Uint32Array,
  uint8: Uint8Array,
};

/**
 * `values` with a shape; not copied.
 * @param where what an error names.
 * @throws SoftrlError when the shape holds another number of values.
 */
export function shapedArray(
  shape: readonly number[],
  values: SnapshotArray,
  where = "shapedArray",
): ShapedArray {
  const valid = shape.every((size) => Number.isSafeInteger(size) && size >= 0);
  if (!valid || sizeOf(shape) !== values.length) {
    fail(where, "the values do not fill the shape", {
      expected: `a shape of ${values.length} values`,
      got: `[${shape.join(", ")}]`,
    });
  }
  return { shape, values };
}

/** Whether an entry of a snapshot is a {@link ShapedArray}: no section has an `Array` for an entry. */
export function isShapedArray(entry: SnapshotLeaf | Snapshot | undefined): entry is ShapedArray {
  return typeof entry === "object" && entry !== null && "shape" in entry && Array.isArray(entry.shape);
}

/** The number of values in an array of this shape. */
function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/**
 * The array `name` of a snapshot, of this kind and length, with one axis; not copied.
 * @throws SoftrlError when it is missing, or has another kind or length.
 */
export function snapshotArray<Kind extends keyof SnapshotArrays>(
  where: string,
  snapshot: Snapshot,
  name: string,
  kind: Kind,
  length: number,
): SnapshotArrays[Kind];
export function snapshotArray(
  where: string,
  snapshot: Snapshot,
  name: string,
  kind: keyof SnapshotArrays,
  length: number,
): SnapshotArray {
  return snapshotShaped(where, snapshot, name, kind, [length]);
}

/**
 * The values of the array `name` of a snapshot, of this kind and shape; not copied.
 *
 * An array with one axis may be a typed array or a {@link ShapedArray}: a checkpoint does not keep the difference.
 * @throws SoftrlError when it is missing, of another kind or of another shape.
 */
export function snapshotShaped<Kind extends keyof SnapshotArrays>(
  where: string,
  snapshot: Snapshot,
  name: string,
  kind: Kind,
  shape: readonly number[],
): SnapshotArrays[Kind];
export function snapshotShaped(
  where: string,
  snapshot: Snapshot,
  name: string,
  kind: keyof SnapshotArrays,
  shape: readonly number[],
): SnapshotArray {
  const entry = snapshot[name];
  const found = arrayIn(entry);
  if (
    found?.values instanceof arrayClasses[kind] &&
    found.values.length === sizeOf(shape) &&
    found.shape.length === shape.length &&
    found.shape.every((size, axis) => size === shape[axis])
  ) {
    return found.values;
  }
  return refuseEntry(where, name, describeArray(kind, shape), entry);
}

/** An entry as a shaped array; undefined when it is not an array. */
function arrayIn(entry: SnapshotLeaf | Snapshot | undefined): ShapedArray | undefined {
  if (isShapedArray(entry)) return entry;
  return ArrayBuffer.isView(entry) ? { shape: [entry.length], values: entry } : undefined;
}

function describeArray(kind: string, shape: readonly number[]): string {
  return `a ${kind} array of ${shape.length === 1 ? shape[0] : `shape [${shape.join(", ")}]`}`;
}

/** The number `name` of a snapshot. */
export function snapshotNumber(where: string, snapshot: Snapshot, name: string): number {
  const entry = snapshot[name];
  return typeof entry === "number" ? entry : refuseEntry(where, name, "a number", entry);
}

/** The snapshot `name` inside a snapshot. */
export function snapshotSection(where: string, snapshot: Snapshot, name: string): Snapshot {
  const entry = snapshot[name];
  return isSection(entry) ? entry : refuseEntry(where, name, "a snapshot", entry);
}

function isSection(entry: SnapshotLeaf | Snapshot | undefined): entry is Snapshot {
  return typeof entry === "object" && entry !== null && arrayIn(entry) === undefined;
}

function refuseEntry(
  where: string,
  name: string,
  expected: string,
  entry: SnapshotLeaf | Snapshot | undefined,
): never {
  let got: string = entry === null ? "null" : typeof entry;
  if (entry === undefined) got = "nothing";
  const found = arrayIn(entry);
  for (const [kind, arrayClass] of Object.entries(arrayClasses)) {
    if (found?.values instanceof arrayClass) got = describeArray(kind, found.shape);
  }
  return fail(where, `entry "${name}" of the snapshot does not fit`, {
    expected,
    got,
    remedy: "restore a snapshot that was saved by an object of the same kind and sizes",
  });
}
