/**
 * Files in folders that may come from somebody else: only regular files are opened, and no link is followed, so that
 * nothing outside the folder is read or written, and no pipe or device is waited for.
 */
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  linkSync,
  lstatSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeSync,
} from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { SoftrlError } from "softrl";

// Windows has neither.
const NEVER_ELSEWHERE = (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
const CHUNK = 2 ** 20;

/**
 * Opens a regular file.
 * @param flags as for open(2)
 * @throws SoftrlError when it is a link, a pipe, a device or a folder; else the operating system's error.
 */
export function openRegular(path: string, flags: number = constants.O_RDONLY): number {
  // Opening a device may do something.
  requireRegular(path, lstatSync(path));
  const file = openSync(path, flags | NEVER_ELSEWHERE);
  try {
    requireRegular(path, fstatSync(file));
    return file;
  } catch (error) {
    quietly(closeSync, file);
    throw error;
  }
}

function requireRegular(path: string, stats: Stats): void {
  if (stats.isFile()) return;
  throw new SoftrlError(path, "not a regular file", {
    got: kindOf(stats),
    remedy: "put the file itself in its place: links are not followed",
  });
}

function kindOf(stats: Stats): string {
  if (stats.isSymbolicLink()) return "a symbolic link";
  if (stats.isDirectory()) return "a folder";
  if (stats.isFIFO()) return "a named pipe";
  if (stats.isSocket()) return "a socket";
  return "a device";
}

/**
 * The bytes of a regular file.
 * @throws SoftrlError when it is another kind of file or larger than `most` bytes; else the operating system's error.
 */
export const readRegular = (path: string, most: number): Buffer => readWhole(path, openRegular(path), most);

/**
 * The bytes of a file that the user names: a link to it is followed.
 * @throws SoftrlError when it is a pipe, a device or larger than `most` bytes; else the operating system's error, EISDIR
 * for a folder.
 */
export function readNamed(path: string, most: number): Buffer {
  requireNamed(path, most);
  return readWhole(path, openSync(path, constants.O_RDONLY), most);
}

/** @throws as {@link readNamed}, but not for a folder. */
export function requireNamed(path: string, most: number): void {
  const stats = statSync(path);
  if (!stats.isFile() && !stats.isDirectory()) {
    throw new SoftrlError(path, "not a regular file", { got: kindOf(stats), remedy: "name a regular file" });
  }
  requireAtMost(path, stats.size, most);
}

function requireAtMost(path: string, size: number, most: number): void {
  if (size <= most) return;
  const megabytes = (bytes: number) => `${Math.ceil(bytes / 2 ** 20)} MiB`;
  throw new SoftrlError(path, "the file is too large", {
    expected: `at most ${megabytes(most)}`,
    got: megabytes(size),
  });
}

/** The bytes of an open file, which is closed. */
function readWhole(path: string, file: number, most: number): Buffer {
  try {
    const { size } = fstatSync(file);
    requireAtMost(path, size, most);
    const bytes = Buffer.allocUnsafe(size);
    let length = 0;
    while (length < size) {
      const count = readSync(file, bytes, length, Math.min(CHUNK, size - length), length);
      if (count === 0) break;
      length += count;
    }
    return bytes.subarray(0, length);
  } finally {
    quietly(closeSync, file);
  }
}

/**
 * Reads an open file line by line, until `take` returns false; what follows the last line break is left out.
 * @param take gets a line without its break, and the position after it
 * @throws SoftrlError for a line of more than `most` bytes.
 */
export function readLines(
  path: string,
  file: number,
  most: number,
  take: (line: string, end: number) => boolean,
): void {
  const chunk = Buffer.allocUnsafe(CHUNK);
  let begun: Buffer[] = [];
  let begunBytes = 0;
  for (let position = 0; ; ) {
    const count = readSync(file, chunk, 0, CHUNK, position);
    if (count === 0) return;
    let start = 0;
    for (let end = chunk.indexOf(10); end !== -1 && end < count; end = chunk.indexOf(10, start)) {
      const line = Buffer.concat([...begun, chunk.subarray(start, end)]).toString("utf8");
      begun = [];
      begunBytes = 0;
      start = end + 1;
      if (!take(line, position + start)) return;
    }
    begun.push(Buffer.from(chunk.subarray(start, count)));
    begunBytes += count - start;
    if (begunBytes > most) {
      throw new SoftrlError(path, "a line is too long", { expected: `at most ${most / 2 ** 20} MiB` });
    }
    position += count;
  }
}

/**
 * Writes a file as a whole, replacing an earlier one: whatever fails, there is the old one or the new one. A link in its
 * place is replaced, not followed. Only one process at a time may write the file; what one that was killed has left is
 * replaced, too.
 */
export function replaceFile(path: string, content: Uint8Array | string): void {
  replaceWith(path, (file) => writeWhole(file, typeof content === "string" ? Buffer.from(content) : content));
}

const unfinishedOf = (path: string): string => join(dirname(path), `.${basename(path)}.unfinished`);

/** As {@link replaceFile}, with what `write` writes into the new file. */
export function replaceWith(path: string, write: (file: number) => void): void {
  const unfinished = unfinishedOf(path);
  let file: number | null = null;
  try {
    rmSync(unfinished, { force: true });
    // Exclusive: a link that is put there meanwhile is not followed.
    file = openSync(unfinished, "wx");
    write(file);
    fsyncSync(file);
    const written = file;
    // A close that fails has closed the file all the same.
    file = null;
    closeSync(written);
    renameSync(unfinished, path);
  } catch (error) {
    if (file !== null) quietly(closeSync, file);
    quietly(rmSync, unfinished, { force: true });
    throw error;
  }
  quietly(syncFolder, dirname(path));
}

/**
 * Gives a finished file a name that is free: of several processes, one gets it.
 * @throws the operating system's error, EEXIST where the name is taken.
 */
export function renameNew(finished: string, path: string): void {
  try {
    linkSync(finished, path);
    quietly(rmSync, finished, { force: true });
  } catch (error) {
    if (!["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"].includes(String(codeOf(error)))) throw error;
    // A disk without hard links: the name is taken by an empty file first.
    closeSync(openSync(path, "wx"));
    renameSync(finished, path);
  }
}

/** As {@link replaceFile}, while other work goes on: a large file takes long to reach the disk. */
export async function replaceFileSlowly(path: string, content: Uint8Array): Promise<void> {
  const unfinished = unfinishedOf(path);
  let file: FileHandle | null = null;
  try {
    rmSync(unfinished, { force: true });
    file = await open(unfinished, "wx");
    await file.writeFile(content);
    await file.sync();
    const written: FileHandle = file;
    file = null;
    await written.close();
    renameSync(unfinished, path);
  } catch (error) {
    await file?.close().catch(() => {});
    quietly(rmSync, unfinished, { force: true });
    throw error;
  }
  quietly(syncFolder, dirname(path));
}

/** After a power loss, a new name in a folder is only certain to be there when the folder was synchronised. */
export function syncFolder(path: string): void {
  const folder = openSync(path, "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

/** Copies the first bytes of an open file to the end of another. */
export function copyBytes(from: number, to: number, bytes: number): void {
  const chunk = Buffer.allocUnsafe(Math.min(CHUNK, bytes));
  for (let position = 0; position < bytes; ) {
    const count = readSync(from, chunk, 0, Math.min(CHUNK, bytes - position), position);
    if (count === 0) return;
    writeWhole(to, chunk.subarray(0, count));
    position += count;
  }
}

export function writeWhole(file: number, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length; ) {
    written += writeSync(file, bytes, written, bytes.length - written);
  }
}

/** Writes text into an open file, a chunk at a time. */
export class TextWriter {
  readonly #file: number;
  #waiting: string[] = [];
  #length = 0;

  constructor(file: number) {
    this.#file = file;
  }

  add(text: string): void {
    this.#waiting.push(text);
    this.#length += text.length;
    if (this.#length >= CHUNK) this.flush();
  }

  /** Writes what still waits. */
  flush(): void {
    writeWhole(this.#file, Buffer.from(this.#waiting.join("")));
    this.#waiting = [];
    this.#length = 0;
  }
}

/** Cleans up after an error that is reported anyway. */
export function quietly<Parameters extends unknown[]>(
  clean: (...parameters: Parameters) => void,
  ...parameters: Parameters
): void {
  try {
    clean(...parameters);
  } catch {
    // See above.
  }
}

/** The operating system's code of an error, for instance ENOENT; undefined for other errors. */
export function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}

/** Whether the operating system refused something: such an error says what is wrong with a file, not with softrl. */
export const isSystemError = (error: unknown): error is Error =>
  codeOf(error) !== undefined && error instanceof Error && "syscall" in error;

/** Whether there is a folder at a path, also a path that no file can have. */
export function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

/** Tells a file from the one that replaces it; null where there is none. */
export function stampOf(path: string): string | null {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats === undefined ? null : `${stats.ino} ${stats.size} ${stats.mtimeMs}`;
}
