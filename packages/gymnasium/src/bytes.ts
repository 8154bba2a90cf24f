/** A view of an array's memory as bytes. */
export const bytesOf = (array: ArrayBufferView): Uint8Array =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

/** Reads a reply piece by piece. */
export class ReplyReader {
  #rest: Uint8Array | undefined;

  constructor(reply: Uint8Array) {
    this.#rest = reply;
  }

  /** Whether all pieces were present and nothing is left. */
  get whole(): boolean {
    return this.#rest?.length === 0;
  }

  into(target: Uint8Array): void {
    const rest = this.#rest;
    if (rest !== undefined && rest.length >= target.length) target.set(rest.subarray(0, target.length));
    this.#rest =
      rest !== undefined && rest.length >= target.length ? rest.subarray(target.length) : undefined;
  }
}

/** Splits length-prefixed blocks (u32, little-endian; each keeps its prefix); null if the last block is incomplete. */
export function splitBlocks(bytes: Uint8Array): readonly Uint8Array[] | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const blocks: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 4 <= bytes.length ? at + 4 + view.getUint32(at, true) : Number.POSITIVE_INFINITY;
    if (end > bytes.length) return null;
    blocks.push(bytes.subarray(at, end));
    at = end;
  }
  return blocks;
}

/** Concatenates the parts. */
export function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
