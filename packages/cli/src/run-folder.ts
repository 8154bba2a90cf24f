import {
  closeSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { type RunEvent, type RunStore, SoftrlError } from "softrl";

/** The files of a run folder. */
export const runFiles = {
  config: "config.json",
  events: "events.jsonl",
  checkpoint: "checkpoint.safetensors",
  chart: "chart.svg",
  result: "result.json",
} as const;

const REMEDY = "free some space, or choose a folder that can be written with --run-folder";

/**
 * A run kept in a folder.
 *
 * Files are written beside their place and renamed into it, and events are whole lines, so that whatever fails, what
 * stands there is complete.
 */
export class RunFolder implements RunStore {
  readonly path: string;
  #events: number | null = null;
  #eventBytes = 0;

  private constructor(path: string) {
    this.path = path;
  }

  /**
   * Makes the folder that a user named.
   * @throws SoftrlError when there is something in it already, or when it cannot be made.
   */
  static create(path: string): RunFolder {
    let entries: readonly string[] = [];
    try {
      mkdirSync(path, { recursive: true });
      entries = readdirSync(path);
    } catch (error) {
      refuse(path, "the run folder cannot be made", error);
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
      mkdirSync(dirname(path), { recursive: true });
    } catch (error) {
      refuse(path, "the run folder cannot be made", error);
    }
    for (let number = 1; ; number++) {
      const candidate = number === 1 ? path : `${path}-${number}`;
      try {
        mkdirSync(candidate);
        return new RunFolder(candidate);
      } catch (error) {
        if (codeOf(error) !== "EEXIST") refuse(candidate, "the run folder cannot be made", error);
      }
    }
  }

  /** A run folder inside this one. */
  inner(name: string): RunFolder {
    return RunFolder.create(join(this.path, name));
  }

  append(event: RunEvent): void {
    const path = join(this.path, runFiles.events);
    const line = Buffer.from(`${JSON.stringify(event)}\n`);
    try {
      this.#events ??= openSync(path, "ax");
      writeWhole(this.#events, line);
      this.#eventBytes += line.length;
    } catch (error) {
      // What got through of the line goes again: every line that stands there is whole.
      if (this.#events !== null) ftruncateSync(this.#events, this.#eventBytes);
      refuse(path, "an event cannot be written", error);
    }
  }

  writeCheckpoint(bytes: Uint8Array): void {
    this.write(runFiles.checkpoint, bytes);
  }

  /** Writes a file as a whole, in place of the one before if there is one. */
  write(name: string, content: Uint8Array | string): void {
    const path = join(this.path, name);
    const unfinished = join(this.path, `.${name}.unfinished`);
    let file: number | null = null;
    try {
      file = openSync(unfinished, "w");
      writeWhole(file, typeof content === "string" ? Buffer.from(content) : content);
      fsyncSync(file);
      closeSync(file);
      file = null;
      renameSync(unfinished, path);
    } catch (error) {
      if (file !== null) closeSync(file);
      rmSync(unfinished, { force: true });
      refuse(path, "the file cannot be written", error);
    }
  }

  /** Closes the events; the folder goes again if nothing ever came into it. */
  close(): void {
    if (this.#events !== null) closeSync(this.#events);
    this.#events = null;
    try {
      rmdirSync(this.path);
    } catch {
      // Not empty: as it should be.
    }
  }
}

function writeWhole(file: number, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length; ) {
    written += writeSync(file, bytes, written, bytes.length - written);
  }
}

function refuse(path: string, what: string, error: unknown): never {
  const got = error instanceof Error ? error.message : String(error);
  throw new SoftrlError(path, what, { got, remedy: REMEDY }, { cause: error });
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
