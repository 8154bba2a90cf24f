import { allocate } from "../base/allocation.js";
import { fail } from "../base/errors.js";
import type { Piece } from "../base/piece.js";
import { type Snapshot, snapshotArray } from "../base/snapshot.js";
import { type Box, describeSpace, observationLength } from "../envs/spaces.js";
import { entryBytes, type ObservationEncoding, ObservationStore } from "./observation-store.js";

/** The bytes of a piece, about: a run with a large replay saves it piece by piece. */
const PIECE_BYTES = 2 ** 24;
/** The bytes of an entry beside its observation. */
const BYTES_BESIDE = 1 + 4 + 8;

/** What {@link ReplayEntries} are made for. */
export interface ReplayEntriesOptions {
  readonly entries: number;
  readonly observationSpace: Box;
  /** Frames in a stack, of which an entry holds one; 1 for whole observations. */
  readonly frames: number;
  readonly pieceBytes?: number;
}

/** The entries of a replay: an observation or a frame each, and what followed it. They are saved in pieces. */
export class ReplayEntries {
  readonly observations: ObservationStore;
  readonly flags: Uint8Array;
  readonly actions: Int32Array;
  readonly rewards: Float64Array;
  readonly #perPiece: number;
  /** Changes of each piece. */
  readonly #changes: Float64Array;

  constructor({ entries, observationSpace, frames, pieceBytes = PIECE_BYTES }: ReplayEntriesOptions) {
    const encoding = encodingOf(observationSpace);
    const width = observationLength(observationSpace) / frames;
    const perPiece = Math.max(1, Math.floor(pieceBytes / (entryBytes(encoding, width) + BYTES_BESIDE)));
    const remedy = { remedy: "use a smaller replay" };
    this.#perPiece = perPiece;
    this.#changes = new Float64Array(Math.ceil(entries / perPiece));
    this.observations = new ObservationStore(encoding, entries, width, perPiece);
    this.flags = allocate("Replay", Uint8Array, entries, remedy);
    this.actions = allocate("Replay", Int32Array, entries, remedy);
    this.rewards = allocate("Replay", Float64Array, entries, remedy);
  }

  /** Notes that an entry changes. */
  touch(entry: number): void {
    this.#changes[Math.floor(entry / this.#perPiece)]++;
  }

  /** Forgets everything. */
  clear(): void {
    for (let piece = 0; piece < this.#changes.length; piece++) {
      // More than its entries, which a version counts, too.
      this.#changes[piece] += this.#perPiece + 1;
      this.observations.piece(piece, this.#perPiece).fill(0);
    }
    for (const column of [this.flags, this.actions, this.rewards]) column.fill(0);
  }

  /** The pieces that hold the first `used` entries. */
  pieces(used: number): readonly Piece[] {
    return Array.from({ length: Math.ceil(used / this.#perPiece) }, (_, piece) => {
      const [from, to] = this.#range(piece, used);
      return {
        name: `entries-${piece}`,
        version: this.#changes[piece] + to - from,
        save: () => this.#save(piece, used),
        restore: (snapshot: Snapshot) => this.#restore(piece, used, snapshot),
      };
    });
  }

  #save(piece: number, used: number): Snapshot {
    const [from, to] = this.#range(piece, used);
    return {
      observations: this.observations.piece(piece, to - from).slice(),
      flags: this.flags.slice(from, to),
      actions: this.actions.slice(from, to),
      rewards: this.rewards.slice(from, to),
    };
  }

  #restore(piece: number, used: number, snapshot: Snapshot): void {
    const where = "Replay.restore";
    const [from, to] = this.#range(piece, used);
    const observations = this.observations.piece(piece, to - from);
    const kind = observations instanceof Float32Array ? "float32" : "uint8";
    const saved = snapshotArray(where, snapshot, "observations", kind, observations.length);
    const flags = snapshotArray(where, snapshot, "flags", "uint8", to - from);
    const actions = snapshotArray(where, snapshot, "actions", "int32", to - from);
    const rewards = snapshotArray(where, snapshot, "rewards", "float64", to - from);
    observations.set(saved);
    this.flags.set(flags, from);
    this.actions.set(actions, from);
    this.rewards.set(rewards, from);
    this.#changes[piece]++;
  }

  /** The entries of a piece, of the first `used` ones. */
  #range(piece: number, used: number): readonly [from: number, to: number] {
    const from = piece * this.#perPiece;
    return [from, Math.min(from + this.#perPiece, used)];
  }
}

/** How observations of this space are stored. */
function encodingOf({ dtype, low, high }: Box): ObservationEncoding {
  if (dtype === "float32") return "float32";
  const isBits = typeof high === "number" ? high <= 1 : high.every((bound) => bound <= 1);
  const fromZero = typeof low === "number" ? low >= 0 : low.every((bound) => bound >= 0);
  return isBits && fromZero ? "bits" : "bytes";
}

/** The frames in a stack of this space. @throws SoftrlError unless it has bytes in [height, width, frames]. */
export function stackedFrames(space: Box): number {
  const [, , frames] = space.shape;
  if (space.dtype === "uint8" && encodingOf(space) === "bytes" && space.shape.length === 3) return frames;
  return fail("Replay", "the observations are not stacks of frames", {
    expected: "bytes [height, width, frames]",
    got: describeSpace(space),
    remedy: "store whole observations",
  });
}
