import { allocate } from "../base/allocation.js";
import { fail } from "../base/errors.js";
import type { Observations } from "../envs/environment.js";
import type { Vector } from "../math/units.js";

/** How a store holds an element: a float32, a byte, or one bit for 0 and 1. */
export type ObservationEncoding = "float32" | "bytes" | "bits";

/** The array elements that an entry of this width takes. */
const lengthOf = (encoding: ObservationEncoding, width: number): number =>
  encoding === "bits" ? Math.ceil(width / 8) : width;

/** The position of the lowest bit that is set. */
const lowestBit = (bits: number): number => 31 - Math.clz32(bits & -bits);

/** The bytes of an entry of this width. */
export const entryBytes = (encoding: ObservationEncoding, width: number): number =>
  lengthOf(encoding, width) * (encoding === "float32" ? 4 : 1);

/**
 * Entries of a fixed width in pieces of memory, since one array cannot hold the frames of a million steps.
 *
 * The elements of an entry may lie `stride` apart in an observation: a frame is every k-th element of k stacked frames.
 */
export class ObservationStore {
  readonly encoding: ObservationEncoding;
  /** Elements of an entry. */
  readonly width: number;
  readonly #pieces: readonly Observations[];
  readonly #entriesPerPiece: number;
  /** Array elements of an entry. */
  readonly #length: number;

  /** @param entriesPerPiece at least 1 */
  constructor(encoding: ObservationEncoding, entries: number, width: number, entriesPerPiece: number) {
    this.encoding = encoding;
    this.width = width;
    const length = lengthOf(encoding, width);
    const details = { needed: entries * entryBytes(encoding, width), remedy: "use a smaller replay" };
    this.#length = length;
    this.#entriesPerPiece = entriesPerPiece;
    this.#pieces = Array.from({ length: Math.ceil(entries / entriesPerPiece) }, (_, piece) => {
      const elements = Math.min(entriesPerPiece, entries - piece * entriesPerPiece) * length;
      return encoding === "float32"
        ? allocate("Replay", Float32Array, elements, details)
        : allocate("Replay", Uint8Array, elements, details);
    });
  }

  /** Writes an entry from the elements of an observation at `offset`, `offset + stride`, …. */
  write(entry: number, observations: Observations, offset: number, stride = 1): void {
    const piece = this.#piece(entry);
    const start = this.#start(entry);
    if (this.encoding === "bits") {
      this.#pack(piece, start, observations, offset, stride);
      return;
    }
    for (let i = 0, from = offset; i < this.width; i++, from += stride) piece[start + i] = observations[from];
  }

  /** Writes the elements of an entry to `offset`, `offset + stride`, …. */
  read(entry: number, out: Vector, offset: number, stride = 1): void {
    const piece = this.#piece(entry);
    const start = this.#start(entry);
    if (this.encoding === "bits") {
      this.#unpack(piece, start, out, offset, stride);
      return;
    }
    for (let i = 0, to = offset; i < this.width; i++, to += stride) out[to] = piece[start + i];
  }

  /** Writes k entries of bytes interleaved, oldest first: element i of entry j at `offset` + k i + j. */
  readStack(entries: Int32Array, out: Vector, offset: number): void {
    const count = entries.length;
    if (count !== 4) {
      for (let j = 0; j < count; j++) this.read(entries[j], out, offset + j, count);
      return;
    }
    // The usual stack in one pass over the output: four passes with a stride take 1.4 times as long.
    const [first, second, third, fourth] = entries;
    const a = this.#piece(first);
    const b = this.#piece(second);
    const c = this.#piece(third);
    const d = this.#piece(fourth);
    const fromA = this.#start(first);
    const fromB = this.#start(second);
    const fromC = this.#start(third);
    const fromD = this.#start(fourth);
    for (let i = 0, to = offset; i < this.width; i++, to += 4) {
      out[to] = a[fromA + i];
      out[to + 1] = b[fromB + i];
      out[to + 2] = c[fromC + i];
      out[to + 3] = d[fromD + i];
    }
  }

  /** Whether an entry has exactly the elements of an observation at `offset`, `offset + stride`, …. */
  equals(entry: number, observations: Observations, offset: number, stride = 1): boolean {
    const piece = this.#piece(entry);
    const start = this.#start(entry);
    for (let i = 0, from = offset; i < this.width; i++, from += stride) {
      if (piece[start + i] !== observations[from]) return false;
    }
    return true;
  }

  #piece(entry: number): Observations {
    return this.#pieces[Math.floor(entry / this.#entriesPerPiece)];
  }

  /** Where an entry begins in its piece. */
  #start(entry: number): number {
    return (entry % this.#entriesPerPiece) * this.#length;
  }

  #pack(
    piece: Observations,
    start: number,
    observations: Observations,
    offset: number,
    stride: number,
  ): void {
    piece.fill(0, start, start + this.#length);
    for (let i = 0, from = offset; i < this.width; i++, from += stride) {
      const bit = observations[from];
      if (bit === 1) piece[start + (i >> 3)] |= 1 << (i & 7);
      else if (bit !== 0) {
        fail("Replay", "an observation is outside its space", { expected: "0 or 1", got: String(bit) });
      }
    }
  }

  /** Most boards are nearly empty: only the bits that are set are visited. */
  #unpack(piece: Observations, start: number, out: Vector, offset: number, stride: number): void {
    if (stride === 1) out.fill(0, offset, offset + this.width);
    else for (let i = 0, to = offset; i < this.width; i++, to += stride) out[to] = 0;
    let at = start;
    let to = offset;
    const end = start + this.#length;
    for (; at + 4 <= end; at += 4, to += 32 * stride) {
      const word = piece[at] | (piece[at + 1] << 8) | (piece[at + 2] << 16) | (piece[at + 3] << 24);
      for (let bits = word; bits !== 0; bits &= bits - 1) out[to + lowestBit(bits) * stride] = 1;
    }
    for (; at < end; at++, to += 8 * stride) {
      for (let bits = piece[at]; bits !== 0; bits &= bits - 1) out[to + lowestBit(bits) * stride] = 1;
    }
  }

  /** The array elements of the first `entries` entries of a piece of memory; a view. */
  piece(piece: number, entries: number): Observations {
    return this.#pieces[piece].subarray(0, entries * this.#length);
  }
}
