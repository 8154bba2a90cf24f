// @ts-check
/** Tables of names and numbers, without a cell that needs quotes. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Writes a table, and the folder for it.
 * @param {string} path
 * @param {string} header
 * @param {readonly (readonly (string | number | boolean)[])[]} rows
 */
export function writeTable(path, header, rows) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${[header, ...rows.map((cells) => cells.join(","))].join("\n")}\n`);
}

/**
 * The rows of a table, without its header.
 * @param {string} path
 */
export const readTable = (path) =>
  readFileSync(path, "utf8")
    .trimEnd()
    .split("\n")
    .slice(1)
    .map((line) => line.split(","));
