import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  lstatSync,
  openSync,
} from "node:fs";
import { dirname } from "node:path";
import {
  type ExecutorIdentity,
  isOfProcess,
  isRecord,
  type Machine,
  nestsTooDeep,
  type Provenance,
  type RunEvent,
  type SetEvent,
  SoftrlError,
} from "softrl";
import {
  codeOf,
  copyBytes,
  openRegular,
  quietly,
  readLines,
  replaceWith,
  writeWhole,
} from "../files/regular-file.js";

/** The settings that were changed during a run, and when. */
export type Change = Omit<SetEvent, "event">;

/** Where and by which code a run was computed. */
export interface RunOrigin extends ExecutorIdentity, Provenance {
  readonly version: string;
}

/** The checkpoint that a run continues from: its step, and how many events of the training belong to it. */
export interface CheckpointPlace {
  readonly step: number;
  readonly events: number;
}

/** The events that belong to a checkpoint. */
export interface KeptEvents {
  /** Of the newest process before the checkpoint; null where its event is damaged. */
  readonly origin: RunOrigin | null;
  /** As that process measured it; 0 where it did not. */
  readonly stepsPerSecond: number;
  /** Whether the event `finished` follows them, and nothing else. */
  readonly finished: boolean;
}

/** A part of a file of events. */
interface Part extends KeptEvents {
  readonly bytes: number;
  /** Whether it ends with the checkpoint's own event. */
  readonly complete: boolean;
  readonly changes: readonly Change[];
}

const MOST_LINE = 2 ** 26;

/** The events of a run, one JSON object on a line. Every line is whole, whatever fails. */
export class EventFile {
  readonly path: string;
  #file: number | null = null;
  #bytes = 0;
  #changes: Change[] = [];
  /** What is kept of the events of an earlier process, and the step of its checkpoint. */
  #kept: { readonly part: Part; readonly step: number } | null = null;

  constructor(path: string) {
    this.path = path;
  }

  /** The changes of settings so far. */
  get changes(): readonly Change[] {
    return this.#changes;
  }

  /**
   * Keeps the events that belong to a checkpoint. The file is not changed before the next event is appended, which then
   * follows them: a kill or an error may have left others, or have come before the checkpoint's own event.
   * @throws SoftrlError when the file is not there, is damaged, or lacks events.
   */
  keepUpTo(place: CheckpointPlace): KeptEvents {
    const part = partUpTo(this.path, place);
    this.#kept = { part, step: place.step };
    this.#changes = [...part.changes];
    return part;
  }

  append(event: RunEvent): void {
    this.#file ??= this.#open();
    const line = lineOf(event);
    try {
      writeWhole(this.#file, line);
    } catch (error) {
      this.#takeBackHalfALine();
      throw error;
    }
    this.#bytes += line.length;
    if (event.event === "set") this.#changes.push({ step: event.step, settings: event.settings });
  }

  /** Whether an event was appended. */
  get isOpen(): boolean {
    return this.#file !== null;
  }

  /**
   * Returns when the appended events are on the disk.
   * @throws SoftrlError when the file that they are in is no longer at its path; else the operating system's error.
   */
  sync(): void {
    if (this.#file === null) return;
    fsyncSync(this.#file);
    const own = fstatSync(this.#file);
    // Without the folder it throws ENOENT, which the run folder explains.
    const there = lstatSync(this.path, { throwIfNoEntry: !existsSync(dirname(this.path)) });
    if (there?.ino === own.ino && there.dev === own.dev) return;
    throw new SoftrlError(this.path, "the events of the run are no longer in their file", {
      expected: "the file that the run wrote",
      remedy: "leave the files of a run as they are while it trains",
    });
  }

  close(): void {
    if (this.#file !== null) quietly(closeSync, this.#file);
    this.#file = null;
  }

  #open(): number {
    if (this.#kept === null) return openSync(this.path, "ax");
    const { part, step } = this.#kept;
    this.#bytes = keepPart(this.path, part, step);
    return openRegular(this.path, constants.O_WRONLY | constants.O_APPEND);
  }

  #takeBackHalfALine(): void {
    if (this.#file !== null) quietly(ftruncateSync, this.#file, this.#bytes);
  }
}

const lineOf = (event: RunEvent): Buffer => Buffer.from(`${JSON.stringify(event)}\n`);

/**
 * Shortens a file of events to a part, and completes it by the checkpoint's own event. The file is replaced as a whole:
 * the old one may have another name elsewhere.
 * @returns its length
 */
function keepPart(path: string, { bytes, complete }: Part, step: number): number {
  const file = openRegular(path);
  try {
    const { size, nlink } = fstatSync(file);
    if (complete && size === bytes && nlink === 1) return bytes;
    const own = complete ? Buffer.alloc(0) : lineOf({ event: "checkpoint", step });
    replaceWith(path, (shortened) => {
      copyBytes(file, shortened, bytes);
      writeWhole(shortened, own);
    });
    return bytes + own.length;
  } finally {
    quietly(closeSync, file);
  }
}

/** The part of a file of events that belongs to a checkpoint. */
function partUpTo(path: string, { step, events }: CheckpointPlace): Part {
  const file = openEvents(path);
  const found = {
    counted: 0,
    bytes: 0,
    finished: false,
    stepsPerSecond: 0,
    origin: null as RunOrigin | null,
  };
  const changes: Change[] = [];
  const { size } = fstatSync(file);
  let [lines, began] = [0, 0];
  try {
    readLines(path, file, MOST_LINE, (line, next) => {
      if (found.counted >= events) {
        found.finished = eventOf(line)?.event === "finished" && next === size;
        return false;
      }
      lines++;
      const event = eventOf(line);
      if (event === null || (event.step ?? 0) > step) {
        const got = event === null ? JSON.stringify(line.slice(0, 80)) : `one of step ${event.step}`;
        damaged(path, `line ${lines} is not an event of this run`, `events up to step ${step}`, got);
      }
      if (!isOfProcess(event.event)) {
        found.counted++;
        found.bytes = next;
      }
      if (event.event === "started" || event.event === "resumed") {
        found.origin = originOf(event);
        found.stepsPerSecond = 0;
        began = event.step ?? 0;
      }
      const { seconds } = event;
      if (event.event === "update" && typeof seconds === "number" && seconds > 0) {
        found.stepsPerSecond = ((event.step ?? 0) - began) / seconds;
      }
      if (event.event === "set") changes.push(changeOf(event));
      return true;
    });
    if (found.counted < events - 1) {
      const got = String(found.counted);
      damaged(path, "the events end before the checkpoint", `${events} of the training`, got);
    }
  } finally {
    quietly(closeSync, file);
  }
  const { counted, ...part } = found;
  return { ...part, changes, complete: counted === events };
}

/**
 * Reads the events of a run, also of one that another process is writing: what follows the last line break is left out.
 * @param take ends the reading by returning false
 * @throws SoftrlError when the file is not there, or is damaged.
 */
export function readEvents(path: string, take: (event: SavedEvent) => unknown): void {
  const file = openEvents(path);
  let lines = 0;
  try {
    readLines(path, file, MOST_LINE, (line) => {
      lines++;
      const event = eventOf(line);
      if (event === null) {
        const got = JSON.stringify(line.slice(0, 80));
        damaged(path, `line ${lines} is not an event of a run`, "an event as softrl writes it", got);
      }
      const { step = 0 } = event;
      if (!(Number.isSafeInteger(step) && Number(step) >= 0)) {
        damaged(
          path,
          `the step in line ${lines} is not valid`,
          "a non-negative integer",
          JSON.stringify(step),
        );
      }
      return take(event) !== false;
    });
  } finally {
    quietly(closeSync, file);
  }
}

function openEvents(path: string): number {
  try {
    return openRegular(path);
  } catch (error) {
    if (error instanceof SoftrlError) throw error;
    const missing = codeOf(error) === "ENOENT";
    const got = error instanceof Error ? error.message : String(error);
    return damaged(
      path,
      missing ? "the events of the run are missing" : "the events of the run could not be read",
      "the file that the run wrote",
      missing ? "no such file" : got,
      error,
    );
  }
}

function damaged(path: string, what: string, expected: string, got: string, cause?: unknown): never {
  const remedy = "restore the file; evaluate and record work without it";
  throw new SoftrlError(path, what, { expected, got, remedy }, { cause });
}

/** An event as it was read: its name is known, its fields are not checked. */
export interface SavedEvent {
  readonly event: RunEvent["event"];
  readonly step?: number;
  readonly [name: string]: unknown;
}

const eventNames: Readonly<Record<RunEvent["event"], true>> = {
  started: true,
  resumed: true,
  set: true,
  episode: true,
  update: true,
  oracle: true,
  evaluation: true,
  warning: true,
  checkpoint: true,
  interrupted: true,
  finished: true,
  failed: true,
};

/** The event of a line; null where it is not one of a run. */
export function eventOf(line: string): SavedEvent | null {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return null;
  }
  return isEvent(value) ? value : null;
}

const isEvent = (value: unknown): value is SavedEvent =>
  isRecord(value) &&
  typeof value.event === "string" &&
  Object.hasOwn(eventNames, value.event) &&
  (value.step === undefined || Number.isFinite(value.step)) &&
  !nestsTooDeep(value);

function changeOf({ step, settings }: SavedEvent): Change {
  const entries = isRecord(settings) ? Object.entries(settings) : [];
  const numbers = entries.filter((entry): entry is [string, number] => typeof entry[1] === "number");
  return { step: step ?? 0, settings: Object.fromEntries(numbers) };
}

/** What a report repeats of an event; null where it is not what softrl writes. */
function originOf({
  executor,
  precision,
  instructionSet,
  version,
  host,
  commit,
}: SavedEvent): RunOrigin | null {
  if (typeof executor !== "string" || typeof version !== "string") return null;
  if (precision !== "float32" && precision !== "float64") return null;
  return {
    executor,
    precision,
    ...(typeof instructionSet === "string" ? { instructionSet } : {}),
    version,
    ...(isMachine(host) ? { host } : {}),
    ...(typeof commit === "string" ? { commit } : {}),
  };
}

const isMachine = (value: unknown): value is Machine =>
  isRecord(value) &&
  typeof value.cores === "number" &&
  [value.cpu, value.platform, value.runtime].every((text) => typeof text === "string");
