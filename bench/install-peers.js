// @ts-check
// Creates the peers' virtual environment. pip's own settings determine the package index.
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
  console.error(
    "bench:peers: could not create a virtual environment; install Python 3.11 or newer with venv",
  );
  process.exit(1);
}
const python = peerPython();
if (!runs(python, ["-m", "pip", "install", "--requirement", join(here, "requirements.txt")])) {
  console.error("bench:peers: pip failed; rows without peers will measure softrl alone");
  process.exit(1);
}
// One at a time, so that a package that cannot be installed does not prevent the others.
const optional = readFileSync(join(here, "requirements-optional.txt"), "utf8").match(/^[\w-]+==\S+$/gm) ?? [];
for (const requirement of optional) {
  if (!runs(python, ["-m", "pip", "install", "--quiet", "--retries", "1", requirement])) {
    console.error(
      `bench:peers: could not install ${requirement}; to measure it, put its sources on PYTHONPATH`,
    );
  }
}
const found = await findPeers();
console.log(`Python ${found?.python}: ${JSON.stringify(found?.packages)}`);
