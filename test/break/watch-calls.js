// @ts-check
// Loaded before the command (node --import): counts the calls of node:fs that touch one folder, and ends the process
// with SIGKILL at one of them. Variables: SOFTRL_BREAK_FOLDER; SOFTRL_BREAK_TRACE, a file for the list of calls;
// SOFTRL_BREAK_KILL, `<number of the call>:<before|after|torn>`, where a torn write writes its first half.
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { resolve, sep } from "node:path";
import { isMainThread } from "node:worker_threads";

// As they are now: the names of the module are replaced below.
const { writeFileSync, writeSync } = fs;

const { SOFTRL_BREAK_FOLDER: folder, SOFTRL_BREAK_TRACE: trace, SOFTRL_BREAK_KILL: kill } = process.env;
const [killAt, how] = kill === undefined ? [0, "before"] : [Number(kill.split(":")[0]), kill.split(":")[1]];

/** @type {[call: string, path: string, milliseconds: number][]} */
const calls = [];
/** The paths of open files, by descriptor. @type {Map<unknown, string>} */
const open = new Map();
/** One call of ours may be made of several of Node's own. */
let inside = false;

/** @param {unknown} path */
function ofFolder(path) {
  const text = path instanceof URL ? path.pathname : String(path);
  const absolute = resolve(text);
  return folder !== undefined && (absolute === folder || absolute.startsWith(folder + sep)) ? absolute : null;
}

/** @returns {never} */
function die() {
  process.kill(process.pid, "SIGKILL");
  // The signal is delivered before anything else happens; this only makes sure.
  for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);
}

/**
 * @param {Record<string, any>} where
 * @param {string} name
 * @param {(args: any[], self: any) => string | null} pathOf
 */
function watch(where, name, pathOf) {
  const original = where[name];
  if (typeof original !== "function") return;
  /** @this {any} @param {any[]} args */
  where[name] = function (...args) {
    const path = inside ? null : pathOf(args, this);
    if (path === null) return original.apply(this, args);
    calls.push([name.replace(/Sync$/, ""), path, performance.now()]);
    const here = calls.length === killAt;
    if (here && how === "torn") writeHalf(original, this, args);
    if (here && how !== "after") die();
    inside = true;
    try {
      const result = original.apply(this, args);
      if (!(result instanceof Promise)) {
        if (here) die();
        return remember(name, path, result, args);
      }
      return result.then((value) => {
        if (here) die();
        return remember(name, path, value, args);
      });
    } finally {
      inside = false;
    }
  };
}

/** @param {string} name @param {string} path @param {any} result @param {any[]} args */
function remember(name, path, result, args) {
  if (name === "openSync" || name === "open") open.set(result, path);
  if (name === "closeSync") open.delete(args[0]);
  return result;
}

/** @param {Function} original @param {any} self @param {any[]} args */
function writeHalf(original, self, args) {
  // A method of a handle has no path or descriptor before the content.
  const from = self === undefined || self === fs || self === fs.promises ? 1 : 0;
  const at = args.findIndex(
    (value, i) => i >= from && (typeof value === "string" || ArrayBuffer.isView(value)),
  );
  const content = args[at];
  if (at < 0) return;
  try {
    if (typeof content === "string") {
      original.apply(self, args.with(at, content.slice(0, content.length / 2)));
      return;
    }
    const bytes = new Uint8Array(content.buffer, content.byteOffset, content.byteLength);
    const offset = typeof args[at + 1] === "number" ? args[at + 1] : 0;
    const length = typeof args[at + 2] === "number" ? args[at + 2] : bytes.length - offset;
    const half = bytes.slice(offset, offset + Math.floor(length / 2));
    if (typeof self?.fd === "number") {
      // A method of a handle would write later.
      writeSync(self.fd, half);
      return;
    }
    original.apply(self, [...args.slice(0, at), half]);
  } catch {
    // The process ends anyway.
  }
}

/** @param {any[]} args */
const first = (args) => ofFolder(args[0]);
/** @param {any[]} args */
const second = (args) => ofFolder(args[1]);
/** @param {any[]} args */
const descriptor = (args) => open.get(args[0]) ?? null;

if (isMainThread && folder !== undefined) {
  for (const name of ["open", "writeFile", "appendFile", "mkdir", "rmdir", "unlink", "rm", "truncate"]) {
    watch(fs, `${name}Sync`, first);
    watch(fs.promises, name, first);
  }
  for (const name of ["rename", "link", "symlink", "copyFile"]) {
    watch(fs, `${name}Sync`, second);
    watch(fs.promises, name, second);
  }
  for (const name of ["write", "writev", "fsync", "fdatasync", "ftruncate", "close"]) {
    watch(fs, `${name}Sync`, descriptor);
  }
  const handle = await fs.promises.open(process.execPath);
  const prototype = Object.getPrototypeOf(handle);
  await handle.close();
  for (const name of ["write", "writev", "writeFile", "appendFile", "sync", "datasync", "truncate"]) {
    watch(prototype, name, (_, self) => open.get(self) ?? null);
  }
  syncBuiltinESMExports();
}

if (isMainThread && trace !== undefined) {
  process.on("exit", () => {
    const { user, system } = process.cpuUsage();
    const seconds = (user + system) / 1e6;
    try {
      writeFileSync(trace, JSON.stringify({ calls, milliseconds: performance.now(), seconds }));
    } catch {
      // A limit that holds for the command holds for its trace.
    }
  });
}
