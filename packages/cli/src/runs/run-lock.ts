/**
 * The lock of a run folder: one process writes it at a time.
 *
 * A lock is a file `.lock-<number>` that names its process. It is held until that process removes it or ends, so it needs
 * no renewal: a lock that expires, as proper-lockfile's does, would be lost during an iteration of many seconds. Node
 * has no lock that the system itself drops with the process.
 */
import { randomUUID } from "node:crypto";
import { closeSync, fsyncSync, openSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { oneLine, SoftrlError } from "softrl";
import { codeOf, quietly, readRegular, renameNew, writeWhole } from "../files/regular-file.js";

/** Who holds a lock. What the system does not report is null. */
export interface Holder {
  readonly pid: number;
  readonly host: string;
  /** The boot of the machine, on Linux. */
  readonly boot: string | null;
  /** The namespace that the process number belongs to, on Linux: each container has its own. */
  readonly namespace: string | null;
  /** When the process began, on Linux: numbers are given anew. */
  readonly began: string | null;
}

/** A lock whose process cannot be seen from here. */
export interface UnseenLock {
  readonly path: string;
  /** Who holds it, and what to do if that process no longer runs. */
  readonly refusal: string;
  /** The same in parts. */
  readonly details: SoftrlError["details"];
}

const LOCK = /^\.lock-(\d{1,15})$/;
const UNFINISHED = /^\.lock-[\w-]+\.unfinished$/;
const MOST_BYTES = 2 ** 16;
/** How often another process may take the number that this one was about to take. */
const MOST_TRIES = 20;

/** Whether a file in a run folder belongs to its lock. */
export const isOfLock = (name: string): boolean => LOCK.test(name) || UNFINISHED.test(name);

/** Locks of this process: a second Ctrl-C ends it where it is. */
const held = new Set<RunLock>();
process.on("exit", () => {
  for (const lock of held) lock.release();
});

export class RunLock {
  readonly #path: string;
  readonly #content: string;

  private constructor(path: string, content: string) {
    this.#path = path;
    this.#content = content;
    held.add(this);
  }

  /**
   * Locks a folder.
   *
   * The lock is a new file, and it counts once no other of a living process is found. Of two processes that lock at the
   * same time, the later one finds the earlier one's file; both may take over from the same ended process, since they
   * would make the same file, which only one of them can.
   * @throws SoftrlError when another process holds the lock; else the operating system's error.
   */
  static acquire(folder: string): RunLock {
    for (let tries = 1; ; tries++) {
      const found = locksIn(folder);
      for (const { path } of found) refuseLiving(folder, path);
      const path = join(folder, `.lock-${1 + Math.max(0, ...found.map(({ number }) => number))}`);
      const content = JSON.stringify(thisProcess());
      try {
        writeNew(path, content);
      } catch (error) {
        const isTaken = codeOf(error) === "EEXIST" || codeOf(error) === "ENOENT";
        if (isTaken && tries < MOST_TRIES) continue;
        throw error;
      }
      try {
        const others = locksIn(folder).filter((other) => other.path !== path);
        for (const other of others) refuseLiving(folder, other.path);
        for (const other of others) rmSync(other.path, { force: true });
        for (const name of readdirSync(folder).filter((name) => UNFINISHED.test(name))) {
          rmSync(join(folder, name), { force: true });
        }
        return new RunLock(path, content);
      } catch (error) {
        quietly(rmSync, path, { force: true });
        throw error;
      }
    }
  }

  /**
   * The locks in a folder whose processes this one cannot see, since they are on another machine or in another
   * container; none where there is no folder.
   */
  static unseen(folder: string): readonly UnseenLock[] {
    let found: ReturnType<typeof locksIn>;
    try {
      found = locksIn(folder);
    } catch (error) {
      if (codeOf(error) === "ENOENT") return [];
      throw error;
    }
    return found.flatMap(({ path }) => {
      const refusal = refusalOf(folder, path);
      return refusal?.isUnseen === true
        ? [{ path, refusal: refusal.error.message, details: refusal.error.details }]
        : [];
    });
  }

  /** Whether there is a lock in a folder, also one of a process that has ended. */
  static isIn(folder: string): boolean {
    try {
      return locksIn(folder).length > 0;
    } catch {
      return false;
    }
  }

  /** Whether its file is still there: a folder that was removed may have been made anew, by another process. */
  get isInPlace(): boolean {
    try {
      return readRegular(this.#path, MOST_BYTES).toString("utf8") === this.#content;
    } catch {
      return false;
    }
  }

  release(): void {
    if (!held.delete(this) || !this.isInPlace) return;
    quietly(rmSync, this.#path, { force: true });
  }
}

function locksIn(folder: string): readonly { readonly path: string; readonly number: number }[] {
  return readdirSync(folder).flatMap((name) => {
    const number = LOCK.exec(name)?.[1];
    return number === undefined ? [] : [{ path: join(folder, name), number: Number(number) }];
  });
}

/** Writes a new file that has its content from the start: a kill leaves a whole lock or none. */
function writeNew(path: string, content: string): void {
  const unfinished = `${path.replace(/\d+$/, randomUUID())}.unfinished`;
  const file = openSync(unfinished, "wx");
  try {
    writeWhole(file, Buffer.from(content));
    fsyncSync(file);
    renameNew(unfinished, path);
  } finally {
    quietly(closeSync, file);
    quietly(rmSync, unfinished, { force: true });
  }
}

/** @throws SoftrlError unless the process that holds a lock has ended. */
function refuseLiving(folder: string, path: string): void {
  const refusal = refusalOf(folder, path);
  if (refusal !== null) throw refusal.error;
}

interface Refusal {
  readonly error: SoftrlError;
  /** Whether the process may have ended: it cannot be seen from here. */
  readonly isUnseen: boolean;
}

/** Why a lock keeps others out; null once its process has ended. */
function refusalOf(folder: string, path: string): Refusal | null {
  const holder = holderOf(path);
  if (holder === "gone") return null;
  const refusal = (isUnseen: boolean, got: string, remedy: string): Refusal => {
    const error = new SoftrlError(folder, "another process is writing this run", { got, remedy });
    return { error, isUnseen };
  };
  if (holder === null) {
    const remedy = `if no other softrl command is running, remove ${path}`;
    return refusal(true, "a lock that cannot be read", remedy);
  }
  const state = stateOf(holder, thisProcess());
  if (state === "ended") return null;
  const got = `process ${holder.pid} on ${oneLine(holder.host, 100)}`;
  return state === "running"
    ? refusal(false, got, `wait until it ends, or stop it; in a copy of its folder, remove ${path}`)
    : refusal(true, got, `if it no longer runs, remove ${path}`);
}

/** The holder that a lock names; null where it names none. */
function holderOf(path: string): Holder | "gone" | null {
  let holder: unknown;
  try {
    holder = JSON.parse(readRegular(path, MOST_BYTES).toString("utf8"));
  } catch (error) {
    return codeOf(error) === "ENOENT" ? "gone" : null;
  }
  return isHolder(holder) ? holder : null;
}

function isHolder(value: unknown): value is Holder {
  if (typeof value !== "object" || value === null) return false;
  const { pid, host, boot, namespace, began } = value as Record<string, unknown>;
  const isOptional = (text: unknown) => text === null || typeof text === "string";
  const isNumber = Number.isSafeInteger(pid) && Number(pid) > 0;
  return isNumber && typeof host === "string" && [boot, namespace, began].every(isOptional);
}

/** Whether the holder of a lock still runs, as far as this process can see. */
export function stateOf(holder: Holder, here: Holder): "running" | "ended" | "unknown" {
  if (holder.boot === null || here.boot === null) {
    if (holder.boot !== here.boot || holder.host !== here.host) return "unknown";
  } else if (holder.boot !== here.boot) return holder.host === here.host ? "ended" : "unknown";
  if (holder.namespace !== here.namespace) return "unknown";
  if (!isRunning(holder.pid)) return "ended";
  const began = beginningOf(holder.pid);
  if (holder.began === null || began === null) return holder.pid === here.pid ? "running" : "unknown";
  return began === holder.began ? "running" : "ended";
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Another user's process.
    return codeOf(error) === "EPERM";
  }
}

let own: Holder | null = null;

export function thisProcess(): Holder {
  const { pid } = process;
  own ??= {
    pid,
    host: hostname(),
    boot: orNull(() => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()),
    namespace: orNull(() => readlinkSync("/proc/self/ns/pid")),
    began: beginningOf(pid),
  };
  return own;
}

/** When a process began, in ticks since the boot; "ended" for one that only waits for its parent to notice. */
function beginningOf(pid: number): string | null {
  return orNull(() => {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name, in parentheses, may hold anything.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return /^[ZXx]$/.test(fields[0]) ? "ended" : fields[19];
  });
}

function orNull(read: () => string): string | null {
  try {
    return read();
  } catch {
    return null;
  }
}
