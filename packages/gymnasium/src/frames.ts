import { allocate, SoftrlError } from "softrl";

/**
 * The operations of the frames. A reply has the operation of its request with {@link REPLY} set. The child's first
 * frame is `hello`, a reply without a request; its last may be {@link ERROR}, with the parts of an error as JSON.
 */
export const operations = {
  hello: 0,
  make: 1,
  reset: 2,
  step: 3,
  save: 4,
  restore: 5,
  share: 6,
  screen: 7,
} as const;
export type Operation = keyof typeof operations;
export const REPLY = 0x80;
export const ERROR = 0xff;

const MAGIC = 0x5351;
const HEADER_BYTES = 8;
// Far more than any step needs: a longer frame must be corrupt, and is refused at once.
const MOST_BYTES = 2 ** 30;

/** The header of a frame: magic (u16), operation (u16), length of the payload (u32), little-endian. */
export function frameHeader(operation: Operation, length: number): Uint8Array {
  const header = new Uint8Array(HEADER_BYTES);
  const view = new DataView(header.buffer);
  view.setUint16(0, MAGIC, true);
  view.setUint16(2, operations[operation], true);
  view.setUint32(4, length, true);
  return header;
}

/** Assembles frames from the chunks of a pipe. */
export class FrameReader {
  readonly #where: string;
  readonly #onFrame: (operation: number, payload: Uint8Array) => void;
  readonly #header = new Uint8Array(HEADER_BYTES);
  #headerFilled = 0;
  #operation = 0;
  #payload: Uint8Array = new Uint8Array(0);
  #payloadFilled = 0;

  /** @param onFrame receives each frame with a newly allocated payload. */
  constructor(where: string, onFrame: (operation: number, payload: Uint8Array) => void) {
    this.#where = where;
    this.#onFrame = onFrame;
  }

  /** @throws SoftrlError if the bytes are not frames, or a frame does not fit in memory. */
  push(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#headerFilled < HEADER_BYTES) {
        const part = chunk.subarray(at, at + HEADER_BYTES - this.#headerFilled);
        this.#header.set(part, this.#headerFilled);
        this.#headerFilled += part.length;
        at += part.length;
        this.#refuseGarbage();
        if (this.#headerFilled < HEADER_BYTES) return;
        this.#begin();
      } else {
        const part = chunk.subarray(at, at + this.#payload.length - this.#payloadFilled);
        this.#payload.set(part, this.#payloadFilled);
        this.#payloadFilled += part.length;
        at += part.length;
      }
      if (this.#payloadFilled === this.#payload.length) {
        this.#headerFilled = 0;
        this.#onFrame(this.#operation, this.#payload);
      }
    }
  }

  /** Checks an incomplete header, so that a few bytes of text fail at once instead of waiting for a payload. */
  #refuseGarbage(): void {
    const magic = [MAGIC & 0xff, MAGIC >> 8];
    for (let i = 0; i < Math.min(this.#headerFilled, magic.length); i++) {
      if (this.#header[i] !== magic[i]) this.#refuse("a frame");
    }
  }

  #begin(): void {
    const view = new DataView(this.#header.buffer);
    const length = view.getUint32(4, true);
    if (length > MOST_BYTES) this.#refuse(`a frame of at most ${MOST_BYTES} bytes`);
    this.#operation = view.getUint16(2, true);
    this.#payload = allocate<Uint8Array>(this.#where, Uint8Array, length, {
      remedy: "make fewer environments",
    });
    this.#payloadFilled = 0;
  }

  #refuse(expected: string): never {
    const got = Array.from(this.#header.subarray(0, this.#headerFilled), (byte) =>
      byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, "0")}`,
    ).join("");
    throw new SoftrlError(this.#where, "the Python process broke the protocol", {
      expected,
      got: `"${got}"`,
      remedy: "check for code in the environment that writes to the bridge's pipe",
    });
  }
}
