// @ts-check

/**
 * What a command did.
 * @typedef {object} Outcome
 * @property {readonly string[]} args
 * @property {number | null} code
 * @property {string | null} signal that ended the process
 * @property {string} stdout
 * @property {string} stderr
 * @property {boolean} hung whether it had to be ended after the time limit
 * @property {number | null} seconds of processor time; null where they were not measured
 */

/** The most that an error may print. */
const MOST_LINES = 10;
const MOST_CHARACTERS = 4000;
/** Processor time, so that other work on the machine does not count. */
export const MOST_SECONDS = 5;

const expectedCodes = [0, 1, 2, 130];

/**
 * What is wrong with the way that a command ended; nothing if it did its work or gave one clear error.
 * @param {Outcome} outcome
 * @param {{ refused?: boolean, seconds?: number }} [bounds] refused: only an error is right
 * @returns {string[]}
 */
export function faultsOf(outcome, { refused = false, seconds = MOST_SECONDS } = {}) {
  const { code, signal, stdout, hung } = outcome;
  const stderr = withoutProgress(outcome.stderr);
  /** @type {string[]} */
  const faults = [];
  if (hung) return ["did not end within the time limit"];
  if (signal !== null) return [`died of ${signal}`];
  if (code === null || !expectedCodes.includes(code)) faults.push(`exit code ${code}`);
  if (/^\s+at .*\d+:\d+\)?$/m.test(stderr) || /\bnode:internal\b/.test(stderr)) faults.push("a stack trace");
  if (/Traceback \(most recent call last\)/.test(stderr)) faults.push("a Python traceback");
  if (/this is a fault of softrl/.test(stderr)) faults.push("a fault of its own");
  const lines = stderr.split("\n").filter((line) => line !== "");
  if (lines.length > MOST_LINES) faults.push(`${lines.length} lines on stderr`);
  if (stderr.length > MOST_CHARACTERS) faults.push(`${stderr.length} characters on stderr`);
  if (hasControlCharacters(stderr)) faults.push("control characters on stderr");
  if (code === 1 || code === 2) {
    if (!lines.some((line) => line.startsWith("softrl: "))) faults.push("failed without an error message");
    if (stderr.includes("[object Object]")) faults.push("an error that shows [object Object]");
    if (stdout !== "") faults.push("failed, but printed a result");
  }
  if (refused && code === 0) faults.push("damage was not noticed");
  if (outcome.seconds !== null && outcome.seconds > seconds) {
    faults.push(`${outcome.seconds.toFixed(1)} s of processor time`);
  }
  return faults;
}

/**
 * Stderr without the lines that show how a long command stands.
 * @param {string} text
 */
const withoutProgress = (text) => text.replaceAll(/^ {0,2}\d{1,3} % {2}.*(steps|episodes).*\n/gm, "");

/** @param {string} text */
function hasControlCharacters(text) {
  for (const character of text) {
    const point = character.codePointAt(0) ?? 0;
    if ((point < 32 && character !== "\n") || (point >= 127 && point < 160)) return true;
  }
  return false;
}

/**
 * One line that shows an outcome.
 * @param {Outcome} outcome
 */
export function outcomeText({ args, code, signal, stderr }) {
  const command = args.map((word) => (word.length > 60 ? `${word.slice(0, 60)}…` : word)).join(" ");
  const text = JSON.stringify(stderr.length > 600 ? `${stderr.slice(0, 600)}…` : stderr);
  return `softrl ${JSON.stringify(command).slice(1, -1)}: ${signal ?? `exit code ${code}`}, stderr ${text}`;
}
