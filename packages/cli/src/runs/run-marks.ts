import { createHmac, timingSafeEqual } from "node:crypto";
import { join } from "node:path";
import { readRegular } from "../files/regular-file.js";
import { readSecret } from "./user-secret.js";

/** The file of a run folder that holds its marks. */
export const MARKS_FILE = "trust.json";

const MOST_BYTES = 65536;
/** More than a run ever has: the file may be someone else's. */
const MOST_NAMES = 16;
const MOST_MARKS = 16;

type Marks = Readonly<Record<string, readonly string[]>>;

/**
 * The marks of the files in a run folder, by which softrl recognises what it wrote itself, for this user on this machine.
 *
 * A mark is the HMAC-SHA256 of a file's bytes under the user's secret, which nobody else has. Marks are written before
 * the file that they are for, beside the mark of the file that it replaces: one of them fits whenever a run is killed.
 */
export class RunMarks {
  readonly #secret: Buffer;
  readonly #standing: Map<string, readonly string[]>;

  /** @param folder the run folder, with the marks of an earlier process if there are any */
  constructor(folder: string, secret: Buffer) {
    this.#secret = secret;
    this.#standing = new Map(Object.entries(readMarks(folder)));
  }

  /**
   * Writes the mark of a file, and then the file.
   * @param write writes a file of the folder, replacing an earlier one
   */
  write(name: string, bytes: Uint8Array, write: (name: string, content: Uint8Array | string) => void): void {
    const mark = markOf(this.#secret, bytes);
    const standing = this.#standing.get(name) ?? [];
    const marks = { ...Object.fromEntries(this.#standing), [name]: [...new Set([...standing, mark])] };
    write(MARKS_FILE, `${JSON.stringify(marks, null, 2)}\n`);
    write(name, bytes);
    this.#standing.set(name, [mark]);
  }
}

/** Whether these are the bytes of a file as softrl wrote it into this folder, for this user on this machine. */
export function isMarked(folder: string, name: string, bytes: Uint8Array): boolean {
  const secret = readSecret();
  if (secret === null) return false;
  const own = Buffer.from(markOf(secret, bytes));
  const marks = readMarks(folder)[name] ?? [];
  return marks.map((mark) => Buffer.from(mark)).some((mark) => isEqual(mark, own));
}

const isEqual = (mark: Buffer, own: Buffer): boolean =>
  mark.length === own.length && timingSafeEqual(mark, own);

const markOf = (secret: Buffer, bytes: Uint8Array): string =>
  createHmac("sha256", secret).update("softrl run\n").update(bytes).digest("hex");

/** The marks in a folder; none where there is no such file, or another one. */
function readMarks(folder: string): Marks {
  try {
    const json: unknown = JSON.parse(readRegular(join(folder, MARKS_FILE), MOST_BYTES).toString("utf8"));
    if (typeof json !== "object" || json === null) return {};
    return Object.fromEntries(Object.entries(json).slice(0, MOST_NAMES).filter(isEntry));
  } catch {
    return {};
  }
}

const isEntry = (entry: [string, unknown]): entry is [string, string[]] =>
  Array.isArray(entry[1]) && entry[1].length <= MOST_MARKS && entry[1].every(isMark);

const isMark = (value: unknown): boolean => typeof value === "string" && /^[0-9a-f]{64}$/.test(value);
