import type { Saveable } from "./snapshot.js";

/**
 * A part of a state that is too large for one snapshot, such as a replay.
 *
 * A run saves each piece in a file of its own, and only again once its version has changed. What a piece saves takes
 * {@link MOST_PIECE_BYTES} at most; about 16 MiB is a good size, since nothing else happens while one is encoded.
 */
export interface Piece extends Saveable {
  /** Its own among the pieces of a state: lower-case letters, digits and hyphens. */
  readonly name: string;
  /** A number that is another one whenever what the piece saves has changed. */
  readonly version: number;
}

/** The most bytes of a saved piece. */
export const MOST_PIECE_BYTES = 2 ** 28;

/** Whether this can be the name of a piece. */
export const isPieceName = (name: string): boolean => /^[a-z][a-z0-9-]{0,99}$/.test(name);
