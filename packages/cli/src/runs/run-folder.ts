import { existsSync, mkdirSync, readdirSync, rmdirSync, rmSync, statSync, unlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { type KeptPolicy, type RunEvent, type RunStore, SoftrlError } from "softrl";
import { makeFolders } from "../files/make-folders.js";
import { codeOf, quietly, readRegular, replaceFile } from "../files/regular-file.js";
import { writeRemedy } from "../files/write-fault.js";
import { isSupervised } from "../terminal/supervisor.js";
import { type Change, type CheckpointPlace, EventFile, type KeptEvents } from "./event-file.js";
import { ReplayFolder } from "./replay-folder.js";
import { isOfLock, RunLock } from "./run-lock.js";
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
  replay: "replay",
} as const;

/** More than any run's result has. */
const MOST_RESULT_BYTES = 2 ** 24;

/** Gets the events of a run while it is written. */
export interface EventListener {
  /** Called when the event stands in the run's own file of events. */
  add(event: RunEvent): void;
  close(): void;
}

/**
 * A run kept in a folder, which this process alone writes until it closes it.
 *
 * Files are written under another name and then renamed, and events are whole lines, so that every file is complete
 * whatever fails.
 */
export class RunFolder implements RunStore {
  readonly path: string;
  readonly pieces: ReplayFolder;
  readonly #lock: RunLock;
  readonly #events: EventFile;
  /** Whether the folder cannot be another one. */
  readonly #isFixed: boolean;
  #marks: RunMarks | null = null;
  #listener: EventListener | null = null;

  private constructor(path: string, lock: RunLock, isFixed: boolean) {
    this.path = path;
    this.#isFixed = isFixed;
    this.#lock = lock;
    this.#events = new EventFile(join(path, runFiles.events));
    this.pieces = new ReplayFolder(join(path, runFiles.replay), (place, what, error) =>
      this.#refuse(place, what, error),
    );
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
    try {
      if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === false) throw new Error("a file");
      makeFolders(path);
      // Before it is locked, so that a folder with other files in it is left as it is.
      requireEmpty(path);
    } catch (error) {
      refuse(path, "the run folder could not be made", error);
    }
    const folder = RunFolder.#locked(path);
    try {
      requireEmpty(path);
    } catch (error) {
      folder.#lock.release();
      throw error;
    }
    return folder;
  }

  static #locked(path: string, isFixed = false): RunFolder {
    try {
      return new RunFolder(path, RunLock.acquire(path), isFixed);
    } catch (error) {
      // A folder that is not empty stays.
      if (!isFixed) quietly(rmdirSync, path);
      return refuse(path, "the run folder could not be locked", error, isFixed);
    }
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
      } catch (error) {
        if (codeOf(error) === "EEXIST") continue;
        refuse(candidate, "the run folder could not be made", error);
      }
      return RunFolder.#locked(candidate);
    }
  }

  /**
   * Opens the folder of a run to go on with it. Read the checkpoint after this: another process may have written it until
   * then.
   * @throws SoftrlError when another process is writing the run.
   */
  static reopen(path: string): RunFolder {
    return RunFolder.#locked(path, true);
  }

  /** Whether there is a checkpoint in a folder. */
  static hasCheckpoint(path: string): boolean {
    return existsSync(join(path, runFiles.checkpoint));
  }

  /** A run folder inside this one. */
  inner(name: string): RunFolder {
    return RunFolder.create(join(this.path, name));
  }

  /** Whether a run began here in this process: another command would continue it. */
  get isNew(): boolean {
    return !this.#isFixed;
  }

  /** @throws SoftrlError about a file of the folder that could not be written. */
  #refuse(path: string, what: string, error: unknown): never {
    if (codeOf(error) !== "ENOENT" || existsSync(this.path)) return refuse(path, what, error, this.#isFixed);
    throw new SoftrlError(
      this.path,
      "the run folder is gone",
      {
        got: error instanceof Error ? error.message : String(error),
        remedy: "if it was moved, continue the run where it is now: softrl resume <run-folder>",
      },
      { cause: error },
    );
  }

  /** @throws SoftrlError when the folder is no longer the one that this process locked. */
  #requireLock(): void {
    if (this.#lock.isInPlace || !existsSync(this.path)) return;
    throw new SoftrlError(this.path, "this process no longer holds the run folder", {
      got: "a folder without its lock, so that another process may write there",
      remedy: "if the folder was moved, continue the run where it is now: softrl resume <run-folder>",
    });
  }

  /** The events that belong to the checkpoint; the next event follows them. See {@link EventFile.keepUpTo}. */
  keepEvents(place: CheckpointPlace): KeptEvents {
    return this.#events.keepUpTo(place);
  }

  append(event: RunEvent): void {
    try {
      this.#events.append(event);
    } catch (error) {
      this.#refuse(this.#events.path, "an event could not be written", error);
    }
    this.#listener?.add(event);
  }

  /** Passes all further events on. */
  follow(listener: EventListener): void {
    this.#listener = listener;
  }

  /** Appends the error that ended a run to its events, if there are any and the disk still takes a line. */
  fail(error: unknown): void {
    if (!this.#events.isOpen) return;
    try {
      this.append({ event: "failed", error: error instanceof Error ? error.message : String(error) });
    } catch {
      // The first error is the one to report.
    }
  }

  /** The changes of settings among the events. */
  get changes(): readonly Change[] {
    return this.#events.changes;
  }

  /** Marks the run's states as written for this user, from now on. */
  mark(): void {
    const secret = makeSecret();
    if (secret !== null) this.#marks = new RunMarks(this.path, secret);
  }

  /** The events before a checkpoint are on the disk before it is. */
  writeCheckpoint(bytes: Uint8Array): void {
    try {
      this.#events.sync();
    } catch (error) {
      this.#refuse(this.#events.path, "the events could not be written", error);
    }
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
    this.#requireLock();
    try {
      replaceFile(path, content);
    } catch (error) {
      this.#refuse(path, "the file could not be written", error);
    }
  }

  /** Removes a file that an earlier process wrote, if there is one. */
  remove(name: string): void {
    const path = join(this.path, name);
    try {
      rmSync(path, { force: true });
    } catch (error) {
      this.#refuse(path, "the earlier file could not be removed", error);
    }
  }

  /** The result of the run as JSON; null where there is none, or a damaged one. */
  savedResult(): unknown {
    try {
      return JSON.parse(readRegular(join(this.path, runFiles.result), MOST_RESULT_BYTES).toString("utf8"));
    } catch {
      return null;
    }
  }

  /** Whether there is a file of this name. */
  has(name: string): boolean {
    return existsSync(join(this.path, name));
  }

  /** Closes the events, unlocks the folder, and removes it if no run was ever written into it. */
  close(): void {
    this.#listener?.close();
    this.#events.close();
    if (!this.#lock.isInPlace) return;
    try {
      const entries = entriesOf(this.path);
      if (entries.length === 1 && entries[0] === runFiles.config) unlinkSync(join(this.path, entries[0]));
    } catch {
      // Gone or unreadable: then it cannot be removed either.
    }
    this.#lock.release();
    // A folder that is not empty stays.
    quietly(rmdirSync, this.path);
  }

  /** Whether there is anything in it. */
  get kept(): boolean {
    try {
      return entriesOf(this.path).length > 0;
    } catch {
      return false;
    }
  }
}

const entriesOf = (path: string): readonly string[] => readdirSync(path).filter((name) => !isOfLock(name));

/** @throws SoftrlError when there is a file of a run in a folder. */
function requireEmpty(path: string): void {
  const entries = entriesOf(path);
  if (entries.length === 0) return;
  throw new SoftrlError(path, "the run folder is not empty", {
    expected: "a new folder, so that no run is overwritten",
    got: entries.slice(0, 3).join(", ") + (entries.length > 3 ? ", …" : ""),
    remedy: "choose another with --run-folder",
  });
}

/** @param isFixed whether the run cannot go to another folder; that of a sweep's run cannot */
function refuse(path: string, what: string, error: unknown, isFixed = false): never {
  if (error instanceof SoftrlError) throw error;
  const got = error instanceof Error ? error.message : String(error);
  const { first, elsewhere } = writeRemedy(error);
  const other =
    isFixed || isSupervised() ? "then run the command again" : `or choose ${elsewhere} with --run-folder`;
  const remedy = `${first}, ${other}`;
  throw new SoftrlError(path, what, { got, remedy }, { cause: error });
}
