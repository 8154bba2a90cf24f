import { closeSync, read } from "node:fs";
import { lstat } from "node:fs/promises";
import { promisify } from "node:util";
import { openRegular, quietly } from "../files/regular-file.js";

/** Gets what a file of events holds, in order. */
export interface TailListener {
  /** A whole line, without its break. */
  line(text: string): void;
  /** A line was too long to be kept. */
  skipped(): void;
  /** The file was replaced or shortened: its lines follow from the first on. */
  restarted(): void;
}

/** What a look at a file gave. */
export interface TailRead {
  readonly bytes: number;
  readonly changed: boolean;
}

/** Bytes of a line beyond which it is skipped: what is not yet a whole line has to be kept. */
export const MOST_LINE_BYTES = 2 ** 20;

const readBytes = promisify(read);

/** Follows a file of events that another process appends to. It keeps the beginning of one line, and no file open. */
export class EventTail {
  readonly #path: string;
  readonly #listener: TailListener;
  /** Device and inode: `resume` replaces the file as a whole. */
  #identity = "";
  #position = 0;
  #begun: Buffer[] = [];
  #begunBytes = 0;
  #isSkipping = false;
  /** When the file was last written, in milliseconds since 1970. */
  written = 0;

  constructor(path: string, listener: TailListener) {
    this.#path = path;
    this.#listener = listener;
  }

  /**
   * Reads what was appended, at most `most` bytes.
   * @param chunk what is read into: nothing of it is kept
   * @returns how many it read, and whether anything changed: also a file that was emptied
   * @throws the operating system's error, and SoftrlError where the path is not a regular file.
   */
  async read(chunk: Buffer, most: number): Promise<TailRead> {
    const { dev, ino, size, mtimeMs } = await lstat(this.#path);
    const identity = `${dev}:${ino}`;
    this.written = mtimeMs;
    const isOther = this.#identity !== "" && (identity !== this.#identity || size < this.#position);
    this.#identity = identity;
    if (isOther) this.#restart();
    const start = this.#position;
    if (size === start) return { bytes: 0, changed: isOther };
    const file = openRegular(this.#path);
    try {
      for (let left = Math.min(most, size - this.#position); left > 0; ) {
        const length = Math.min(left, chunk.length);
        const { bytesRead } = await readBytes(file, chunk, 0, length, this.#position);
        if (bytesRead === 0) break;
        this.#position += bytesRead;
        left -= bytesRead;
        this.#split(chunk.subarray(0, bytesRead));
      }
    } finally {
      quietly(closeSync, file);
    }
    return { bytes: this.#position - start, changed: true };
  }

  #restart(): void {
    this.#position = 0;
    this.#forget();
    this.#isSkipping = false;
    this.#listener.restarted();
  }

  #forget(): void {
    this.#begun = [];
    this.#begunBytes = 0;
  }

  #split(bytes: Buffer): void {
    let start = 0;
    for (let end = bytes.indexOf(10); end !== -1; end = bytes.indexOf(10, start)) {
      if (this.#isSkipping) this.#isSkipping = false;
      else this.#listener.line(Buffer.concat([...this.#begun, bytes.subarray(start, end)]).toString("utf8"));
      this.#forget();
      start = end + 1;
    }
    if (this.#isSkipping || start === bytes.length) return;
    this.#begunBytes += bytes.length - start;
    if (this.#begunBytes <= MOST_LINE_BYTES) {
      // A copy: the chunk is used again.
      this.#begun.push(Buffer.from(bytes.subarray(start)));
      return;
    }
    this.#forget();
    this.#isSkipping = true;
    this.#listener.skipped();
  }
}
