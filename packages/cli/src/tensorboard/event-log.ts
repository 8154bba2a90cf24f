import {
  closeSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { join } from "node:path";
import { type RunEvent, SoftrlError } from "softrl";
import { quietly, replaceFile, writeWhole } from "../files/regular-file.js";
import { readEvents, type SavedEvent } from "../runs/event-file.js";
import { type EventListener, runFiles } from "../runs/run-folder.js";
import { eventLogName, eventLogNumbers, filmLogName } from "./event-log-names.js";
import { type EncodedImage, imageRecord, startRecord, versionRecord } from "./event-records.js";
import { RunSummaries } from "./run-summaries.js";

/** TensorBoard does not read it. */
const UNFINISHED = ".tensorboard.unfinished";

/**
 * Writes the events of a run into an event file for TensorBoard.
 * @param events the run's `events.jsonl`
 * @param folder where the event file goes; earlier ones of ours are replaced
 * @returns the path of the event file
 */
export function writeEventLog(events: string, folder: string): string {
  const log = EventLog.rewrite(events, folder);
  try {
    log.flush();
    return log.path;
  } finally {
    log.close();
  }
}

/** Adds the film of a policy after so many steps to what TensorBoard shows of a run; returns the path of its file. */
export function writeFilm(folder: string, step: number, image: EncodedImage): string {
  const path = join(folder, filmLogName(step));
  const wallTime = Date.now() / 1000;
  const records = [versionRecord(wallTime), imageRecord(wallTime, step, image)];
  refusing(path, () => replaceFile(path, Buffer.concat(records)));
  return path;
}

/** Follows a run that is being written: see {@link EventLog}. */
export function followRun(folder: string): EventListener {
  let log: EventLog | null = null;
  return {
    add(event: RunEvent) {
      // The event stands in the run's file by now.
      if (log === null) log = EventLog.rewrite(join(folder, runFiles.events), folder);
      else log.add({ ...event });
    },
    close() {
      if (log === null) return;
      // At most the last episodes' point is missing then.
      quietly(() => log?.flush());
      log.close();
    },
  };
}

/**
 * An event file that grows with a run. Every record is whole, whatever fails.
 *
 * A resumed run drops events, and no reader of an event file looks back. So each process writes a new file, with all the
 * run's events so far, whose first record tells readers to drop what they know; then it removes the file before. A
 * TensorBoard that is running goes on to the new file.
 */
class EventLog {
  readonly path: string;
  readonly #file: number;
  readonly #summaries: RunSummaries;
  #bytes: number;

  private constructor(path: string, file: number, summaries: RunSummaries) {
    this.path = path;
    this.#file = file;
    this.#summaries = summaries;
    this.#bytes = fstatSync(file).size;
  }

  /** Starts a new file with the events of a run so far. */
  static rewrite(events: string, folder: string): EventLog {
    const unfinished = join(folder, UNFINISHED);
    return refusing(folder, () => {
      const before = eventLogNumbers(folder);
      const path = join(folder, eventLogName(Math.max(0, ...before) + 1));
      rmSync(unfinished, { force: true });
      // Exclusive: a link that is put there meanwhile is not followed.
      const file = openSync(unfinished, "ax");
      try {
        const summaries = new RunSummaries();
        writeHistory(events, file, summaries);
        fsyncSync(file);
        renameSync(unfinished, path);
        // A reader may hold it open, where that keeps a file from being removed.
        for (const number of before) quietly(rmSync, join(folder, eventLogName(number)), { force: true });
        return new EventLog(path, file, summaries);
      } catch (error) {
        quietly(closeSync, file);
        quietly(rmSync, unfinished, { force: true });
        throw error;
      }
    });
  }

  add(event: SavedEvent): void {
    this.#write((wallTime) => this.#summaries.of(event, wallTime));
  }

  /** Writes what waits for another event. */
  flush(): void {
    this.#write((wallTime) => this.#summaries.rest(wallTime));
  }

  close(): void {
    quietly(closeSync, this.#file);
  }

  #write(records: (wallTime: number) => readonly Uint8Array[]): void {
    const bytes = Buffer.concat(records(Date.now() / 1000));
    refusing(this.path, () => {
      try {
        writeWhole(this.#file, bytes);
      } catch (error) {
        // No half record stays.
        quietly(ftruncateSync, this.#file, this.#bytes);
        throw error;
      }
    });
    this.#bytes += bytes.length;
  }
}

const CHUNK = 2 ** 20;

/** Writes all events of a run. Their times are those of the training: the last one's is that of the run's file. */
function writeHistory(events: string, file: number, summaries: RunSummaries): void {
  const end = statSync(events).mtimeMs / 1000;
  const whole = new TrainingTime();
  readEvents(events, (event) => whole.add(event));
  const origin = end - whole.seconds;
  let waiting: Uint8Array[] = [versionRecord(origin), startRecord(origin, 0)];
  let bytes = 0;
  const write = () => {
    writeWhole(file, Buffer.concat(waiting));
    [waiting, bytes] = [[], 0];
  };
  const time = new TrainingTime();
  readEvents(events, (event) => {
    time.add(event);
    for (const record of summaries.of(event, origin + time.seconds)) {
      waiting.push(record);
      bytes += record.length;
    }
    if (bytes > CHUNK) write();
  });
  write();
}

/** The seconds that a run has trained, over all its processes. */
class TrainingTime {
  #earlier = 0;
  #process = 0;

  get seconds(): number {
    return this.#earlier + this.#process;
  }

  add({ event, seconds }: SavedEvent): void {
    if (event === "resumed") [this.#earlier, this.#process] = [this.seconds, 0];
    if (event === "update" && typeof seconds === "number") this.#process = seconds;
  }
}

function refusing<Result>(path: string, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    if (error instanceof SoftrlError) throw error;
    const details = {
      got: error instanceof Error ? error.message : String(error),
      remedy: "free some space or make the folder writable",
    };
    throw new SoftrlError(path, "the event file for TensorBoard could not be written", details, {
      cause: error,
    });
  }
}
