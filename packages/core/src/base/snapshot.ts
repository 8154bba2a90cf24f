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

/** A leaf of a snapshot: an array, or a JSON scalar. */
export type SnapshotLeaf = SnapshotArray | string | number | boolean | null;

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
 * The array `name` of a snapshot, not copied.
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
  const entry = snapshot[name];
  if (entry instanceof arrayClasses[kind] && entry.length === length) return entry;
  return refuseEntry(where, name, `a ${kind} array of ${length}`, entry);
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
  return typeof entry === "object" && entry !== null && !ArrayBuffer.isView(entry);
}

function refuseEntry(
  where: string,
  name: string,
  expected: string,
  entry: SnapshotLeaf | Snapshot | undefined,
): never {
  let got: string = entry === null ? "null" : typeof entry;
  if (entry === undefined) got = "nothing";
  for (const [kind, arrayClass] of Object.entries(arrayClasses)) {
    if (entry instanceof arrayClass) got = `a ${kind} array of ${entry.length}`;
  }
  return fail(where, `entry "${name}" of the snapshot does not fit`, {
    expected,
    got,
    remedy: "restore a snapshot that was saved by an object of the same kind and sizes",
  });
}
