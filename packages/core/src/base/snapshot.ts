/** The typed arrays that a snapshot may hold. */
export type SnapshotArray = Float64Array | Float32Array | Int32Array | Uint32Array | Uint8Array;

/** A leaf of a snapshot: an array, or a JSON scalar. */
export type SnapshotLeaf = SnapshotArray | string | number | boolean | null;

/**
 * Everything that a thing is, as plain data: what a checkpoint is made of.
 *
 * `restore(save())` on a freshly built twin must give the same future, bit for bit.
 * Arrays are copies: a snapshot does not change afterwards.
 */
export interface Snapshot {
  readonly [name: string]: SnapshotLeaf | Snapshot;
}

/** What can be put into a checkpoint and taken out of it again. */
export interface Saveable {
  save(): Snapshot;
  /** @throws SoftrlError when the snapshot is of another shape. */
  restore(snapshot: Snapshot): void;
}
