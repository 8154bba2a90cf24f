// @ts-check
// Makes the virtual environment of the peers. pip's own settings decide where the packages come from.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
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
if (
  !runs(python, ["-m", "pip", "install", "--quiet", "--requirement", join(here, "requirements-optional.txt")])
) {
  console.error("bench:peers: without stable-baselines3; put its sources on PYTHONPATH to measure it");
}
const found = await findPeers();
console.log(`Python ${found?.python}: ${JSON.stringify(found?.packages)}`);
