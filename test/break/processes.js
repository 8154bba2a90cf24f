// @ts-check
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** @typedef {import("./outcome.js").Outcome} Outcome */

const softrl = fileURLToPath(new URL("../../packages/cli/bin/softrl.js", import.meta.url));
const watchCalls = new URL("watch-calls.js", import.meta.url).href;

/** The most that is kept of what a process prints. */
const MOST_OUTPUT = 1_000_000;
/** Other work on the machine may make a command many times slower. */
const HANG_MILLISECONDS = 120_000;

/** Marks the processes of a case, and those that they start. */
export const MARK = "SOFTRL_BREAK_CASE";

/**
 * @typedef {object} Circumstances
 * @property {string} cwd
 * @property {Readonly<Record<string, string>>} [env]
 * @property {string} [watched] the folder whose system calls are counted
 * @property {string} [kill] the call at which the process ends, see watch-calls.js
 * @property {Interruption} [interrupt]
 * @property {string} [limits] what bash does before, for instance `ulimit -n 20`
 * @property {number} [hangMilliseconds]
 */

/**
 * Signals, sent some time after a file or folder has appeared.
 * @typedef {{ readonly signals: readonly NodeJS.Signals[], readonly after: string, readonly milliseconds: number }} Interruption
 */

/**
 * What a process did, and its calls where they were watched.
 * @typedef {Outcome & { readonly watched: Watched | null }} Finished
 * @typedef {object} Watched
 * @property {readonly (readonly [call: string, path: string, milliseconds: number])[]} calls with their times since the start
 * @property {number} milliseconds when the process ended
 * @property {number} seconds of processor time
 */

/**
 * Runs the real command in a process of its own.
 * @param {readonly string[]} args
 * @param {Circumstances} circumstances
 * @returns {Promise<Finished>}
 */
export async function runSoftrl(args, circumstances) {
  const {
    cwd,
    env = {},
    watched,
    kill,
    interrupt,
    limits,
    hangMilliseconds = HANG_MILLISECONDS,
  } = circumstances;
  const notes = mkdtempSync(join(tmpdir(), "softrl-break-trace-"));
  const trace = join(notes, "trace.json");
  const words = [process.execPath, "--import", watchCalls, softrl, ...args];
  const [program, ...rest] =
    limits === undefined ? words : ["bash", "-c", `${limits}; exec "$@"`, "bash", ...words];
  const child = spawn(program, rest, {
    cwd,
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      ...process.env,
      SOFTRL_BREAK_TRACE: trace,
      ...(watched === undefined ? {} : { SOFTRL_BREAK_FOLDER: watched }),
      ...(kill === undefined ? {} : { SOFTRL_BREAK_KILL: kill }),
      ...env,
    },
  });
  let stdout = "";
  let stderr = "";
  let hung = false;
  child.stdout.setEncoding("utf8").on("data", (text) => {
    stdout = (stdout + text).slice(0, MOST_OUTPUT);
  });
  child.stderr.setEncoding("utf8").on("data", (text) => {
    stderr = (stderr + text).slice(0, MOST_OUTPUT);
  });
  const limit = setTimeout(() => {
    hung = true;
    child.kill("SIGKILL");
  }, hangMilliseconds);
  if (interrupt !== undefined) void sendSignals(child, interrupt);
  try {
    const [code, signal] = await new Promise((resolve, reject) => {
      child.once("error", reject);
      // A grandchild may hold the pipes open forever: that is for the search for left processes to find.
      child.once("exit", (...ending) => {
        const patience = setTimeout(() => resolve(ending), 500);
        child.once("close", () => {
          clearTimeout(patience);
          resolve(ending);
        });
      });
    });
    const seen = readTrace(trace);
    return { args, code, signal, stdout, stderr, hung, seconds: seen?.seconds ?? null, watched: seen };
  } finally {
    clearTimeout(limit);
    child.stdout.destroy();
    child.stderr.destroy();
    rmSync(notes, { recursive: true, force: true });
  }
}

/** @param {import("node:child_process").ChildProcess} child @param {Interruption} interruption */
async function sendSignals(child, { signals, after, milliseconds }) {
  const runs = () => child.exitCode === null && child.signalCode === null;
  const wait = (/** @type {number} */ time) => new Promise((resolve) => setTimeout(resolve, time));
  while (runs() && !existsSync(after)) await wait(4);
  await wait(milliseconds);
  for (const signal of signals) {
    if (runs()) child.kill(signal);
    // The second Ctrl-C comes when the first has been heard.
    await wait(40);
  }
}

/** @param {string} path @returns {Watched | null} */
function readTrace(path) {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    // A process that was killed leaves none.
    return null;
  }
}

/**
 * The processes that a case has left, ended; where there is no /proc, none are found.
 * @param {string} mark the value of {@link MARK} in its processes
 * @returns {Promise<string[]>} their command lines
 */
export async function endLeftProcesses(mark) {
  let left = processesOf(mark);
  // A Python ends when it finds its pipe closed.
  for (let wait = 0; left.length > 0 && wait < 200; wait++) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    left = processesOf(mark);
  }
  for (const { pid } of left) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It has just ended.
    }
  }
  return left.map(({ command }) => command);
}

/** @param {string} mark */
function processesOf(mark) {
  /** @type {{ pid: number, command: string }[]} */
  const found = [];
  for (const name of folderNames("/proc")) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    try {
      const variables = readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
      if (!variables.includes(`${MARK}=${mark}`)) continue;
      if (/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"))) continue;
      found.push({ pid, command: readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim() });
    } catch {
      // It has ended, or is another user's.
    }
  }
  return found;
}

/** @param {string} path */
function folderNames(path) {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}
