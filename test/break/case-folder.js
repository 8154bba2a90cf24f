// @ts-check
import { createHash } from "node:crypto";
import {
  cpSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

/**
 * The folder of one case: `work` is where commands run, `work/run` the run folder, `beside` holds files that no command
 * may touch.
 * @typedef {object} CaseFolder
 * @property {string} path
 * @property {string} work
 * @property {string} run
 * @property {string} beside
 */

/**
 * @param {string} path
 * @param {string} [run] a run folder to copy
 * @returns {CaseFolder}
 */
export function makeCaseFolder(path, run) {
  const folder = {
    path,
    work: join(path, "work"),
    run: join(path, "work", "run"),
    beside: join(path, "beside"),
  };
  mkdirSync(folder.work, { recursive: true });
  mkdirSync(join(folder.beside, "folder"), { recursive: true });
  writeFileSync(join(folder.beside, "letter.txt"), "nobody may change this\n");
  writeFileSync(join(folder.beside, "lines.jsonl"), '{"event":"checkpoint","step":0}\n{"event":"x"}\n');
  writeFileSync(join(folder.beside, "folder", "number.txt"), "42\n");
  if (run !== undefined) cpSync(run, folder.run, { recursive: true });
  return folder;
}

/**
 * Every entry below a folder and what it is, without following links: two snapshots are equal if nothing was touched.
 * @param {string} folder
 * @returns {Map<string, string>}
 */
export function snapshotOf(folder) {
  /** @type {Map<string, string>} */
  const entries = new Map();
  /** @param {string} inside */
  const visit = (inside) => {
    for (const name of readdirSync(join(folder, inside))) {
      const path = join(inside, name);
      entries.set(path, describeEntry(join(folder, path)));
      if (entries.get(path)?.startsWith("folder")) visit(path);
    }
  };
  visit("");
  return entries;
}

/** @param {string} path */
function describeEntry(path) {
  const state = lstatSync(path);
  const mode = (state.mode & 0o7777).toString(8);
  if (state.isSymbolicLink()) return `link to ${readlinkSync(path)}`;
  if (state.isDirectory()) return `folder ${mode}`;
  if (!state.isFile()) return `special file ${mode}`;
  // A sparse file of gigabytes is told apart by its size.
  const content = state.size > 2 ** 26 ? "" : createHash("sha256").update(readFileSync(path)).digest("hex");
  return `file ${mode} ${state.size} ${content}`;
}

/**
 * The entries that differ between two snapshots, and that were not allowed to.
 * @param {Map<string, string>} before
 * @param {Map<string, string>} after
 * @param {(path: string, now: string | undefined) => boolean} mayChange
 * @returns {string[]}
 */
export function touched(before, after, mayChange = () => false) {
  return [...new Set([...before.keys(), ...after.keys()])]
    .filter((path) => before.get(path) !== after.get(path) && !mayChange(path, after.get(path)))
    .map((path) => {
      const change = !after.has(path) ? "removed" : before.has(path) ? "changed" : "made";
      return `${change} ${path}`;
    });
}
