// @ts-check
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

/**
 * The content of a run's file without what two equal runs differ in: times, the commit of the checkout, `resumed` lines.
 * @param {string} name
 * @param {Buffer} bytes
 * @returns {Buffer}
 */
export function comparable(name, bytes) {
  if (name === "events.jsonl") {
    const lines = bytes.toString("utf8").split("\n");
    const kept = lines.filter((line) => !line.startsWith('{"event":"resumed"'));
    return Buffer.from(
      kept.map((line) => withoutCommit(line.replace(/"seconds":[\d.e-]+/, '"seconds":0'))).join("\n"),
    );
  }
  if (name === "result.json") {
    const text = bytes.toString("utf8").replace(/"stepsPerSecond": [\d.e+-]+/, '"stepsPerSecond": 0');
    return Buffer.from(withoutCommit(text));
  }
  // It remembers earlier checkpoints, too.
  if (name === "trust.json") return Buffer.alloc(0);
  return bytes;
}

/** @param {string} text */
const withoutCommit = (text) => text.replace(/"commit": ?"[^"]*"/, '"commit":""');

/**
 * In what the folders of two runs differ that should be equal, byte for byte.
 * @param {string} expected the folder of the uninterrupted run
 * @param {string} got
 * @returns {string[]}
 */
export function runDifferences(expected, got) {
  const names = new Set([...filesIn(expected), ...filesIn(got)]);
  return [...names].sort().flatMap((name) => {
    const [its, ours] = [expected, got].map((folder) => contentOf(folder, name));
    if (its === null) return [`${name} should not be there`];
    if (ours === null) return [`${name} is missing`];
    return its.equals(ours) ? [] : [`${name} differs ${firstDifference(name, its, ours)}`];
  });
}

/** The files in a folder and in those inside it. @param {string} folder @returns {string[]} */
const filesIn = (folder) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(folder, join(entry.parentPath ?? entry.path, entry.name)));

/** @param {string} folder @param {string} name */
function contentOf(folder, name) {
  try {
    return comparable(name, readFileSync(join(folder, name)));
  } catch {
    return null;
  }
}

/** @param {string} name @param {Buffer} its @param {Buffer} ours */
function firstDifference(name, its, ours) {
  if (!name.endsWith("l") && !name.endsWith("n")) {
    const at = its.findIndex((byte, i) => byte !== ours[i]);
    return `from byte ${at < 0 ? its.length : at} on (${its.length} and ${ours.length} bytes)`;
  }
  const [expected, got] = [its, ours].map((bytes) => bytes.toString("utf8").split("\n"));
  const at = expected.findIndex((line, i) => line !== got[i]);
  const cut = (/** @type {string | undefined} */ line) =>
    line === undefined ? "nothing" : line.slice(0, 200);
  return `in line ${(at < 0 ? expected.length : at) + 1}: ${cut(expected[at])} and ${cut(got[at])}`;
}
