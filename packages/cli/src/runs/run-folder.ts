import {
  closeSync,
  existsSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";
import { type KeptPolicy, type RunEvent, type RunStore, type SetEvent, SoftrlError } from "softrl";
import { RunMarks } from "./run-marks.js";
import { makeSecret } from "./user-secret.js";

/** The files of a run folder. */
export const runFiles = {
  config: "config.json",
  events: "events.jsonl",
  checkpoint: "checkpoint.safetensors",
  best: "best.safetensors",
  last: "last.safetensors",
  chart: "chart.svg",
  oracle: "oracle.svg",
  result: "result.json",
} as const;

/** What to do, by the operating system's error code. */
const remedies: Readonly<Record<string, string>> = {
  ENOSPC: "free some space, or choose another disk with --run-folder",
  EDQUOT: "free some of your quota, or choose another disk with --run-folder",
  EFBIG: "raise the limit on the size of files, or choose another disk with --run-folder",
};
const REMEDY = "choose a folder that can be written with --run-folder";

/**
 * A run kept in a folder.
 *
 * Files are written under another name and then renamed, and events are whole lines, so that every file is complete
 * whatever fails.
 */
export class RunFolder implements RunStore {
  readonly path: string;
  /** The step of the checkpoint that the run continues from. */
  readonly #resumedAt: number | null;
  #events: number | null = null;
  #eventBytes = 0;
  #marks: RunMarks | null = null;

  private constructor(path: string, resumedAt: number | null = null) {
    this.path = path;
    this.#resumedAt = resumedAt;
  }

  /**
   * Makes the folder that a user named.
   * @throws SoftrlError when it is not empty, or cannot be made.
   */
  static create(path: string): RunFolder {
    if (path.trim() === "") {
      throw new SoftrlError("--run-folder", "invalid value", {
        expected: "the path of a new or empty folder",
        got: JSON.stringify(path),
      });
    }
    let entries: readonly string[] = [];
    try {
      if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === false) throw new Error("a file");
      makeFolders(path);
      entries = readdirSync(path);
    } catch (error) {
      refuse(path, "the run folder could not be made", error);
    }
    if (entries.length > 0) {
      throw new SoftrlError(path, "the run folder is not empty", {
        expected: "a new folder, so that no run is overwritten",
        got: entries.slice(0, 3).join(", ") + (entries.length > 3 ? ", …" : ""),
        remedy: "choose another with --run-folder",
      });
    }
    return new RunFolder(path);
  }

  /** Makes the first free one of `path`, `path-2`, `path-3`, … */
  static createNumbered(path: string): RunFolder {
    try {
      makeFolders(dirname(path));
    } catch (error) {
      refuse(path, "the run folder could not be made", error);
    }
    for (let number = 1; ; number++) {
      const candidate = number === 1 ? path : `${path}-${number}`;
      try {
        mkdirSync(candidate);
        return new RunFolder(candidate);
      } catch (error) {
        if (codeOf(error) !== "EEXIST") refuse(candidate, "the run folder could not be made", error);
      }
    }
  }

  /** The folder of a run that continues from its checkpoint at `step`; its first event replaces those after that. */
  static reopen(path: string, step: number): RunFolder {
    return new RunFolder(path, step);
  }

  /** Whether there is a checkpoint in a folder. */
  static hasCheckpoint(path: string): boolean {
    return existsSync(join(path, runFiles.checkpoint));
  }

  /** A run folder inside this one. */
  inner(name: string): RunFolder {
    return RunFolder.create(join(this.path, name));
  }

  append(event: RunEvent): void {
    const path = join(this.path, runFiles.events);
    const line = Buffer.from(`${JSON.stringify(event)}\n`);
    try {
      this.#events ??= this.#openEvents(path);
      writeWhole(this.#events, line);
      this.#eventBytes += line.length;
    } catch (error) {
      this.#takeBackHalfALine();
      refuse(path, "an event could not be written", error);
    }
  }

  #openEvents(path: string): number {
    if (this.#resumedAt === null) return openSync(path, "ax");
    const file = openSync(path, "a+");
    try {
      this.#eventBytes = bytesUpToCheckpoint(readFileSync(file), this.#resumedAt);
      ftruncateSync(file, this.#eventBytes);
      return file;
    } catch (error) {
      quietly(closeSync, file);
      throw error;
    }
  }

  /** Appends the error that ended a run to its events, if there are any and the disk still takes a line. */
  fail(error: unknown): void {
    if (this.#events === null) return;
    try {
      this.append({ event: "failed", error: error instanceof Error ? error.message : String(error) });
    } catch {
      // The first error is the one to report.
    }
  }

  /** Removes the part of a line that was written: every line of the file is whole. */
  #takeBackHalfALine(): void {
    if (this.#events === null) return;
    try {
      ftruncateSync(this.#events, this.#eventBytes);
    } catch {
      // Nothing more can be done; the failed write is reported.
    }
  }

  /** The changes of settings among the events. */
  changes(): readonly Omit<SetEvent, "event">[] {
    const lines = readFileSync(join(this.path, runFiles.events), "utf8").trimEnd().split("\n");
    const events: RunEvent[] = lines.map((line) => JSON.parse(line));
    return events.flatMap((event) =>
      event.event === "set" ? [{ step: event.step, settings: event.settings }] : [],
    );
  }

  /** Marks the run's states as written for this user, from now on. */
  mark(): void {
    const secret = makeSecret();
    if (secret !== null) this.#marks = new RunMarks(this.path, secret);
  }

  writeCheckpoint(bytes: Uint8Array): void {
    this.#writeState(runFiles.checkpoint, bytes);
  }

  writePolicy(which: KeptPolicy, bytes: Uint8Array): void {
    this.#writeState(runFiles[which], bytes);
  }

  #writeState(name: string, bytes: Uint8Array): void {
    const write = (file: string, content: Uint8Array | string) => this.write(file, content);
    if (this.#marks === null) write(name, bytes);
    else this.#marks.write(name, bytes, write);
  }

  /** Writes a file as a whole, replacing an earlier one. */
  write(name: string, content: Uint8Array | string): void {
    const path = join(this.path, name);
    const unfinished = join(this.path, `.${name}.unfinished`);
    let file: number | null = null;
    try {
      file = openSync(unfinished, "w");
      writeWhole(file, typeof content === "string" ? Buffer.from(content) : content);
      fsyncSync(file);
      const written = file;
      // A close that fails has closed the file all the same.
      file = null;
      closeSync(written);
      renameSync(unfinished, path);
    } catch (error) {
      if (file !== null) quietly(closeSync, file);
      quietly(rmSync, unfinished, { force: true });
      refuse(path, "the file could not be written", error);
    }
  }

  /** Closes the events, and removes the folder if no run was ever written into it. */
  close(): void {
    if (this.#events !== null) quietly(closeSync, this.#events);
    this.#events = null;
    try {
      const entries = readdirSync(this.path);
      if (entries.length === 1 && entries[0] === runFiles.config) unlinkSync(join(this.path, entries[0]));
    } catch {
      // Gone or unreadable: then it cannot be removed either.
    }
    // A folder that is not empty stays.
    quietly(rmdirSync, this.path);
  }

  /** Whether there is anything in it. */
  get kept(): boolean {
    try {
      return readdirSync(this.path).length > 0;
    } catch {
      return false;
    }
  }
}

/**
 * The length of the events that a run had written when its checkpoint at `step` was complete. There may be several at
 * one step: a change of settings writes another one, which counts, and so does an interrupt, which leaves no trace unless
 * the run was evaluated before it.
 */
function bytesUpToCheckpoint(events: Buffer, step: number): number {
  let kept = 0;
  let atCheckpoint: number | null = null;
  let previous: unknown = null;
  for (let end = events.indexOf("\n"); end !== -1; end = events.indexOf("\n", kept)) {
    const event: { event?: unknown; step?: unknown } = JSON.parse(events.toString("utf8", kept, end));
    if (Number(event.step ?? 0) > step || event.event === "interrupted" || event.event === "failed") break;
    kept = end + 1;
    const isChange = atCheckpoint === null || previous === "set" || previous === "evaluation";
    if (event.event === "checkpoint" && event.step === step && isChange) atCheckpoint = kept;
    previous = event.event;
  }
  return atCheckpoint ?? kept;
}

/**
 * Makes a folder and those above it, one level at a time (Node's recursive mkdir never returns below /proc), and removes
 * them again if one cannot be made.
 */
function makeFolders(path: string): void {
  const missing: string[] = [];
  let folder = resolve(path);
  while (statSync(folder, { throwIfNoEntry: false }) === undefined && dirname(folder) !== folder) {
    missing.unshift(folder);
    folder = dirname(folder);
  }
  const made: string[] = [];
  try {
    for (const next of missing) {
      mkdirSync(next);
      made.unshift(next);
    }
  } catch (error) {
    for (const last of made) quietly(rmdirSync, last);
    throw error;
  }
}

/** Cleans up after an error that is reported anyway. */
function quietly<Parameters extends unknown[]>(
  clean: (...parameters: Parameters) => void,
  ...parameters: Parameters
): void {
  try {
    clean(...parameters);
  } catch {
    // See above.
  }
}

function writeWhole(file: number, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length; ) {
    written += writeSync(file, bytes, written, bytes.length - written);
  }
}

function refuse(path: string, what: string, error: unknown): never {
  const got = error instanceof Error ? error.message : String(error);
  const remedy = remedies[String(codeOf(error))] ?? REMEDY;
  throw new SoftrlError(path, what, { got, remedy }, { cause: error });
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
