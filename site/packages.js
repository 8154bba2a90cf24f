import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** @typedef {{ folder: string, name: string, description: string }} Package */

export const root = join(import.meta.dirname, "..");

const folders = join(root, "packages");

/** The published packages, core first. @type {readonly Package[]} */
export const packages = readdirSync(folders)
  .map((folder) => ({ folder, ...JSON.parse(readFileSync(join(folders, folder, "package.json"), "utf8")) }))
  .filter((manifest) => manifest.private !== true)
  .map(({ folder, name, description }) => ({ folder, name, description }))
  .sort((a, b) => Number(b.folder === "core") - Number(a.folder === "core") || (a.name < b.name ? -1 : 1));
