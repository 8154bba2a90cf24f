// @ts-check
// Makes the virtual environment of the peers. pip's own settings decide where the packages come from.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { environmentFolder, findPeers, peerPython } from "./peers.js";

const here = import.meta.dirname;

/**
 * @param {string} command
 * @param {readonly string[]} words
 */
function runs(command, words) {
  return spawnSync(command, words, { stdio: "inherit" }).status === 0;
}

if (!existsSync(environmentFolder) && !runs("python3", ["-m", "venv", environmentFolder])) {
  console.error("bench:peers: no virtual environment could be made; install Python 3.11 or later with venv");
  process.exit(1);
}
const python = peerPython();
if (!runs(python, ["-m", "pip", "install", "--requirement", join(here, "requirements.txt")])) {
  console.error("bench:peers: pip failed; the rows whose peers are missing will show softrl alone");
  process.exit(1);
}
// Each by itself, so that one that cannot be had does not keep the others away.
const optional = readFileSync(join(here, "requirements-optional.txt"), "utf8").match(/^[\w-]+==\S+$/gm) ?? [];
for (const requirement of optional) {
  if (!runs(python, ["-m", "pip", "install", "--quiet", "--retries", "1", requirement])) {
    console.error(`bench:peers: without ${requirement}; put its sources on PYTHONPATH to measure it`);
  }
}
const found = await findPeers();
console.log(`Python ${found?.python}: ${JSON.stringify(found?.packages)}`);
