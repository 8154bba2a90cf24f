// @ts-check
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { runSoftrl } from "./processes.js";

/**
 * Runs a command to its end.
 * @callback Execute
 * @param {readonly string[]} args
 * @param {{ readonly cwd: string, readonly env?: Readonly<Record<string, string>> }} circumstances
 * @returns {Promise<import("./outcome.js").Outcome>}
 */

const server = fileURLToPath(new URL("command-server.js", import.meta.url));
/** What a command leaves in a process must not add up. */
const MOST_COMMANDS = 100;

/**
 * Runs commands in a process that lives on.
 * What fails there is repeated in a process of its own: only that counts.
 */
export class CommandServer {
  /** @type {import("node:child_process").ChildProcess | null} */
  #child = null;
  #commands = 0;
  #hangMilliseconds;

  constructor({ hangMilliseconds = 20_000 } = {}) {
    this.#hangMilliseconds = hangMilliseconds;
  }

  /** @type {Execute} */
  execute = async (args, { cwd, env = {} }) => {
    if (this.#commands >= MOST_COMMANDS) this.close();
    this.#child ??= await this.#start();
    this.#commands++;
    const child = this.#child;
    const failed = { args, stdout: "", stderr: "", seconds: null };
    return new Promise((resolve) => {
      const done = (/** @type {import("./outcome.js").Outcome} */ outcome) => {
        clearTimeout(limit);
        child.off("message", onMessage);
        child.off("exit", onExit);
        resolve(outcome);
      };
      const onMessage = (/** @type {any} */ reply) => done({ args, signal: null, hung: false, ...reply });
      const onExit = (/** @type {number | null} */ code, /** @type {string | null} */ signal) => {
        this.#child = null;
        done({ ...failed, code: code === 0 ? 70 : code, signal, hung: false });
      };
      const limit = setTimeout(() => {
        this.close();
        done({ ...failed, code: null, signal: null, hung: true });
      }, this.#hangMilliseconds);
      child.once("message", onMessage);
      child.once("exit", onExit);
      child.send({ args, cwd, env });
    });
  };

  /** @returns {Promise<import("node:child_process").ChildProcess>} */
  #start() {
    this.#commands = 0;
    return new Promise((resolve, reject) => {
      const child = fork(server, { execArgv: [], stdio: ["ignore", "ignore", "ignore", "ipc"] });
      child.once("error", reject);
      child.once("message", () => resolve(child));
    });
  }

  close() {
    this.#child?.kill("SIGKILL");
    this.#child = null;
  }
}

/** Runs every command in a process of its own. @type {Execute} */
export const executeAlone = (args, circumstances) =>
  runSoftrl(args, { ...circumstances, hangMilliseconds: 60_000 });
