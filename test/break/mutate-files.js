// @ts-check
import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { pick } from "./odd-values.js";

/** @typedef {import("softrl").Random} Random */

/**
 * Puts something that is not a regular file of a run in a file's place.
 * @param {Random} random
 * @param {string} path the file
 * @param {import("./case-folder.js").CaseFolder} folder
 * @returns {string} what was done
 */
export function replaceFile(random, path, { beside }) {
  rmSync(path, { recursive: true, force: true });
  const how = pick(random, [
    "letter",
    "lines",
    "folder link",
    "dangling",
    "loop",
    "zero",
    "null",
    "pipe",
    "folder",
    "none",
    "empty",
    "large",
  ]);
  /** @type {Readonly<Record<string, string>>} */
  const links = {
    letter: join(beside, "letter.txt"),
    lines: join(beside, "lines.jsonl"),
    "folder link": join(beside, "folder"),
    dangling: join(beside, "new.txt"),
    loop: path,
    zero: "/dev/zero",
    null: "/dev/null",
  };
  if (how in links) symlinkSync(links[how], path);
  else if (how === "pipe") execFileSync("mkfifo", [path]);
  else if (how === "folder") mkdirSync(path);
  else if (how === "empty") writeFileSync(path, "");
  else if (how === "large") {
    writeFileSync(path, "");
    truncateSync(path, 3 * 2 ** 30);
  }
  const what =
    how === "large" ? "3 GiB of zeros" : how === "none" ? "missing" : how in links ? `a link (${how})` : how;
  return `${basename(path)}: ${what}`;
}
