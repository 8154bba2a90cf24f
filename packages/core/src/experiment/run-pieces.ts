import type { Algorithm } from "../algorithms/algorithm.js";
import { describeValue, fail, SoftrlError } from "../base/errors.js";
import { inPart } from "../base/part-fault.js";
import { isPieceName, MOST_PIECE_BYTES, type Piece } from "../base/piece.js";
import { type Snapshot, savedBy, snapshotNumber, snapshotSection } from "../base/snapshot.js";
import { decodeCheckpoint, encodeCheckpoint, statedChecksum } from "./checkpoint.js";
import type { Host } from "./host.js";
import type { RunStore } from "./run-store.js";

/** A piece as a store keeps it. */
interface PieceFile {
  /** The CRC-32 that the file states of itself. */
  readonly checksum: string;
  readonly bytes: number;
}

/** The name of a piece in a store. It has the checksum, so that the files of one name have the same content. */
const fileName = (name: string, { checksum }: PieceFile): string => `${name}-${checksum}`;

const REMEDY = "restore the store from a copy, or continue without the replay: withoutReplay";

/**
 * The pieces of an algorithm's state in the store of its run.
 *
 * A checkpoint names the files that belong to it. They are in the store before the checkpoint is, no file is ever
 * changed, and those of the checkpoint before are removed after it: whenever a run is killed, the checkpoint that is there
 * has all of its files.
 */
export class RunPieces {
  readonly #name: string;
  readonly #algorithm: Algorithm;
  readonly #store: RunStore | undefined;
  readonly #pause: Host["pause"];
  /** What the store has of each piece, and the version that this is. */
  readonly #files = new Map<string, PieceFile & { readonly version: number }>();

  /**
   * @param name the algorithm's; @param store undefined where nobody reads what is saved
   * @throws SoftrlError when the store cannot keep pieces
   */
  constructor(name: string, algorithm: Algorithm, store?: RunStore, pause?: Host["pause"]) {
    this.#name = name;
    this.#algorithm = algorithm;
    this.#store = store;
    this.#pause = pause;
    const needsStore = algorithm.pieces !== undefined && (algorithm.unsaved ?? null) === null;
    if (needsStore && store !== undefined && store.pieces === undefined) {
      fail("Trainer", `the store cannot keep the replay of ${name}`, {
        expected: "a store with pieces",
        remedy: "add them, or leave the replay out of the checkpoints: saveReplay false",
      });
    }
  }

  /** Writes the pieces that have changed. @returns the names of all files, for the checkpoint */
  async write(): Promise<Snapshot> {
    const store = this.#store?.pieces;
    if (store === undefined) return {};
    const pieceFiles: Record<string, Snapshot> = {};
    for (const piece of this.#pieces()) {
      const { name, version } = piece;
      let file = this.#files.get(name);
      if (file?.version !== version) {
        const encoded = this.#encode(piece);
        file = { checksum: statedChecksum(name, encoded), bytes: encoded.length, version };
        await store.write(fileName(name, file), encoded);
        this.#files.set(name, file);
        await this.#pause?.();
      }
      pieceFiles[name] = { checksum: file.checksum, bytes: file.bytes };
    }
    return Object.keys(pieceFiles).length === 0 ? {} : { pieceFiles };
  }

  /** Removes the files that the newest checkpoint does not name. */
  async removeOthers(): Promise<void> {
    if (this.#files.size > 0)
      await this.#store?.pieces?.keepOnly([...this.#files].map(([name, file]) => fileName(name, file)));
  }

  /** The pieces themselves, where there is no store for them. */
  save(): Snapshot {
    const pieces = this.#pieces().map((piece) => [piece.name, this.#saved(piece)] as const);
    return pieces.length === 0 ? {} : { pieces: Object.fromEntries(pieces) };
  }

  /**
   * Restores the pieces of a snapshot, those that are files from the store. The algorithm itself is restored already.
   * @param isDropped whether the algorithm goes on without them; their files stay until a checkpoint has others
   * @returns what the run has lost, and what follows; null if nothing
   */
  async restore(where: string, snapshot: Snapshot, isDropped: boolean): Promise<string | null> {
    if (isDropped) return this.#drop(where, snapshot);
    const isFiled = snapshot.pieceFiles !== undefined;
    const files = new Map<string, PieceFile>();
    for (const piece of this.#pieces()) {
      const { name } = piece;
      if (isFiled) {
        const file = savedFile(where, snapshot, name);
        await this.#restoreFile(piece, file);
        files.set(name, file);
        await this.#pause?.();
      } else {
        const section = snapshotSection(where, snapshotSection(where, snapshot, "pieces"), name);
        inPart(this.#name, `restore of ${name}`, () => piece.restore(section));
      }
    }
    for (const { name, version } of this.#pieces()) {
      const file = files.get(name);
      if (file !== undefined) this.#files.set(name, { ...file, version });
    }
    // A kill or a full disk may have left others.
    await this.removeOthers();
    return this.#algorithm.unsaved ?? null;
  }

  /** @throws SoftrlError when the snapshot has no pieces, or the algorithm needs them */
  #drop(where: string, snapshot: Snapshot): string {
    const remedy = { remedy: "restore the run with everything that was saved" };
    if (snapshot.pieceFiles === undefined && snapshot.pieces === undefined) {
      fail(where, `the saved run of ${this.#name} has no replay to leave out`, remedy);
    }
    const algorithm = this.#algorithm;
    const { dropPieces } = algorithm;
    if (dropPieces === undefined) fail(where, `${this.#name} cannot continue without its replay`, remedy);
    return inPart(this.#name, "dropPieces", () => dropPieces.call(algorithm));
  }

  async #restoreFile(piece: Piece, file: PieceFile): Promise<void> {
    const store = this.#store?.pieces;
    const name = fileName(piece.name, file);
    const place = store?.placeOf?.(name) ?? `piece ${name}`;
    const remedy = store?.remedy ?? REMEDY;
    const bytes = (await store?.read(name, file.bytes)) ?? null;
    if (bytes === null) fail(place, "this file of the replay is missing", { remedy });
    const expected = `${file.bytes} bytes with the CRC-32 ${file.checksum}`;
    if (bytes.length !== file.bytes) damaged(`${bytes.length} bytes`);
    let snapshot: Snapshot;
    try {
      snapshot = decodeCheckpoint(place, bytes);
    } catch (error) {
      return damaged("other bytes", error);
    }
    const stated = statedChecksum(place, bytes);
    if (stated !== file.checksum) damaged(`the CRC-32 ${describeValue(stated)}`);
    try {
      inPart(this.#name, `restore of ${piece.name}`, () => piece.restore(snapshot));
    } catch (error) {
      if (error instanceof SoftrlError)
        throw new SoftrlError(place, `${error.where}: ${error.what}`, error.details, { cause: error });
      throw error;
    }

    function damaged(got: string, cause?: unknown): never {
      const details = { expected, got, remedy };
      throw new SoftrlError(place, "this file of the replay is damaged", details, { cause });
    }
  }

  #pieces(): readonly Piece[] {
    const { pieces } = this.#algorithm;
    if (pieces === undefined) return [];
    const all = inPart(this.#name, "pieces", () => pieces.call(this.#algorithm));
    if (!Array.isArray(all)) {
      fail(this.#name, "pieces returned no list", { expected: "a list of pieces", got: describeValue(all) });
    }
    const names = all.map(({ name }) => name);
    const invalid = names.find((name, i) => !isPieceName(name) || names.indexOf(name) < i);
    if (invalid !== undefined) {
      fail(this.#name, "a piece has no name of its own", {
        expected: "lower-case letters, digits and hyphens",
        got: describeValue(invalid),
      });
    }
    return all;
  }

  #saved(piece: Piece): Snapshot {
    return savedBy(`${this.#name} ${piece.name}`, () => piece.save());
  }

  #encode(piece: Piece): Uint8Array {
    const bytes = encodeCheckpoint(this.#saved(piece));
    if (bytes.length <= MOST_PIECE_BYTES) return bytes;
    return fail(this.#name, `${piece.name} is too large`, {
      expected: `a piece of at most ${MOST_PIECE_BYTES} bytes`,
      got: String(bytes.length),
      remedy: "save it in smaller pieces",
    });
  }
}

/** The files of pieces that a checkpoint names. @throws SoftrlError where they are not valid. */
export function savedPieceFiles(where: string, snapshot: Snapshot): readonly string[] {
  if (snapshot.pieceFiles === undefined) return [];
  const names = Object.keys(snapshotSection(where, snapshot, "pieceFiles"));
  return names.map((name) => fileName(name, savedFile(where, snapshot, name)));
}

function savedFile(where: string, snapshot: Snapshot, name: string): PieceFile {
  const file = snapshotSection(where, snapshotSection(where, snapshot, "pieceFiles"), name);
  const { checksum } = file;
  const bytes = snapshotNumber(where, file, "bytes");
  const isValid = typeof checksum === "string" && /^[0-9a-f]{8}$/.test(checksum) && isPieceName(name);
  if (isValid && Number.isSafeInteger(bytes) && bytes > 0 && bytes <= MOST_PIECE_BYTES) {
    return { checksum, bytes };
  }
  return fail(where, `the checkpoint's entry for ${describeValue(name)} is not valid`, {
    expected: `a CRC-32 and a size of at most ${MOST_PIECE_BYTES} bytes`,
    got: `${describeValue(checksum)} and ${bytes}`,
    remedy: "use a checkpoint as softrl wrote it",
  });
}
