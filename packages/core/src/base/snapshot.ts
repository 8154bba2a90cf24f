import { describeNumber, describeValue, fail } from "./errors.js";
import { MOST_NESTED } from "./nesting.js";
import { inPart } from "./part-fault.js";

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

/**
 * What a `save` returns, read once into plain objects; arrays are not copied.
 * @param where what an error names: whose `save` it is
 * @throws SoftrlError when `save` throws, or returns a promise or anything else that a checkpoint cannot hold.
 */
export function savedBy(where: string, save: () => unknown): Snapshot {
  return plainSnapshot(where, inPart(where, "save", save));
}

/**
 * A snapshot of unknown origin, read once into plain objects; arrays are not copied.
 * @throws SoftrlError that names the entry which is not data, cannot be read, contains itself, or nests too deep.
 */
export function plainSnapshot(where: string, snapshot: unknown): Snapshot {
  if (isObject(snapshot) && !ArrayBuffer.isView(snapshot) && kindOf(snapshot) === "Object") {
    const then: unknown = inPart(where, "reading the snapshot", () => Reflect.get(snapshot, "then"));
    if (typeof then !== "function") return plainSection(where, snapshot, []);
    refusePromise(where);
  }
  if (isObject(snapshot) && kindOf(snapshot) === "Promise") refusePromise(where);
  return fail(where, "what was saved is not a snapshot", {
    expected: "an object of numbers, texts, typed arrays and such objects",
    got: isObject(snapshot) ? `a ${kindOf(snapshot)}` : describeNumber(snapshot),
  });
}

function refusePromise(where: string): never {
  fail(where, "save returned a promise", {
    expected: "a snapshot",
    remedy: "return the snapshot itself: save must not be async",
  });
}

function plainSection(
  where: string,
  section: object,
  parents: readonly (readonly [string, object])[],
): Snapshot {
  const place = (name: string) => JSON.stringify([...parents.map(([parent]) => parent), name].join("/"));
  const plain: Record<string, SnapshotLeaf | Snapshot> = {};
  for (const name of inPart(where, "reading the snapshot", () => Object.keys(section))) {
    const entry: unknown = inPart(where, `reading ${place(name)}`, () => Reflect.get(section, name));
    // Not an assignment, which would take the name __proto__ for the prototype.
    Object.defineProperty(plain, name, {
      value: isLeaf(entry) ? entry : inner(name, entry),
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  return plain;

  function inner(name: string, entry: unknown): Snapshot {
    if (!isObject(entry) || !["Object", "Array"].includes(kindOf(entry))) {
      return fail(where, `${place(name)} is not data`, {
        expected: "a number, a text, true, false, null, a typed array, or an object of them",
        got: isObject(entry) ? `a ${kindOf(entry)}` : describeValue(entry),
        remedy: "save what it is made of",
      });
    }
    const path = [...parents, [name, section] as const];
    if (path.some(([, parent]) => parent === entry)) {
      fail(where, `${place(name)} contains itself`, { remedy: "save each object once" });
    }
    if (path.length === MOST_NESTED) {
      fail(where, `the snapshot nests too deep`, {
        expected: `at most ${MOST_NESTED} levels`,
        remedy: "save a list as a typed array",
      });
    }
    return plainSection(where, entry, path);
  }
}

function isLeaf(entry: unknown): entry is SnapshotLeaf {
  if (entry === null || ["string", "number", "boolean"].includes(typeof entry)) return true;
  return isObject(entry) && (ArrayBuffer.isView(entry) || ("shape" in entry && Array.isArray(entry.shape)));
}

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null;

/** `Object`, `Array`, `Map`, `Promise`. */
const kindOf = (value: object): string => Object.prototype.toString.call(value).slice("[object ".length, -1);

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

/** The number `name` of a snapshot, which counts something: an integer from 0 on. */
export function snapshotCount(where: string, snapshot: Snapshot, name: string): number {
  const count = snapshotNumber(where, snapshot, name);
  if (Number.isSafeInteger(count) && count >= 0) return count;
  return refuseDamaged(where, name, "an integer of at least 0", count);
}

/** {@link snapshotArray} of float64, all finite. */
export function snapshotFinite(
  where: string,
  snapshot: Snapshot,
  name: string,
  length: number,
): Float64Array {
  const values = snapshotArray(where, snapshot, name, "float64", length);
  const at = values.findIndex((value) => !Number.isFinite(value));
  return at === -1 ? values : refuseDamaged(where, `${name}[${at}]`, "a finite number", values[at]);
}

function refuseDamaged(where: string, name: string, expected: string, got: number): never {
  return fail(where, `${name} of the snapshot is not valid`, {
    expected,
    got: String(got),
    remedy: "use a checkpoint as softrl wrote it",
  });
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
