/**
 * Files that the user names with `--out`. No lock keeps such a name for one process: others may write it at the same time,
 * each into a file of its own, which takes the name as a whole.
 */
import { randomUUID } from "node:crypto";
import { closeSync, existsSync, fsyncSync, lstatSync, openSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { SoftrlError } from "softrl";
import { codeOf, quietly, renameNew, syncFolder, writeWhole } from "./regular-file.js";

/** @throws SoftrlError for a name that is taken, unless its file is to be replaced: before the work for it begins. */
export function requireFree(path: string, overwrite: boolean): void {
  if (!overwrite && existsSync(path)) throw takenFault(path);
}

export const takenFault = (path: string): SoftrlError =>
  new SoftrlError("--out", `${path} already exists`, {
    remedy: "choose another name, or pass --overwrite",
  });

/** Writes a file; as {@link writeTogether}. */
export function writeOut(path: string, overwrite: boolean, content: Uint8Array | string): void {
  const bytes = typeof content === "string" ? Buffer.from(content) : content;
  writeTogether([path], overwrite, ([file]) => writeWhole(file, bytes));
}

/**
 * Writes several files, which `write` writes at the same time. Whatever fails, no new one is left. The first one takes its
 * name last: it may name the others.
 * @throws SoftrlError for a name that is taken, and cannot or must not be replaced; else the operating system's error.
 */
export function writeTogether(
  paths: readonly string[],
  overwrite: boolean,
  write: (files: readonly number[]) => void,
): void {
  const id = randomUUID();
  const names = paths.map((path) => ({
    path,
    unfinished: join(dirname(path), `.${basename(path)}.${id}.unfinished`),
  }));
  const opened: number[] = [];
  const made: string[] = [];
  try {
    for (const { unfinished } of names) opened.push(openSync(unfinished, "wx"));
    write(opened);
    for (const file of opened) fsyncSync(file);
    // A close that fails has closed the file all the same.
    for (let file = opened.pop(); file !== undefined; file = opened.pop()) closeSync(file);
    if (overwrite) for (const path of paths) requireNoFolder(path);
    for (const { path, unfinished } of names.toReversed()) {
      const isNew = !overwrite || lstatSync(path, { throwIfNoEntry: false }) === undefined;
      if (overwrite) renameSync(unfinished, path);
      else takeName(unfinished, path);
      if (isNew) made.push(path);
    }
  } catch (error) {
    for (const file of opened) quietly(closeSync, file);
    for (const path of [...made, ...names.map(({ unfinished }) => unfinished)]) {
      quietly(rmSync, path, { force: true });
    }
    throw error;
  }
  for (const folder of new Set(paths.map((path) => dirname(path)))) quietly(syncFolder, folder);
}

function takeName(finished: string, path: string): void {
  try {
    renameNew(finished, path);
  } catch (error) {
    throw codeOf(error) === "EEXIST" ? takenFault(path) : error;
  }
}

function requireNoFolder(path: string): void {
  if (!lstatSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
  throw new SoftrlError(path, "cannot be replaced by a file", {
    got: "a folder",
    remedy: "choose another name, or remove the folder",
  });
}
