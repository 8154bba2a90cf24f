// @ts-check
import { spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";

const here = import.meta.dirname;

/** The folder of the virtual environment that `npm run bench:peers` creates. */
export const environmentFolder = join(here, ".venv");

/** The Python for the peers: the virtual environment's if it exists, else the one on PATH. */
export function peerPython() {
  const own = join(environmentFolder, process.platform === "win32" ? "Scripts/python.exe" : "bin/python");
  return existsSync(own) ? own : "python3";
}

/**
 * @typedef {object} PeerVersions
 * @property {string} python
 * @property {Readonly<Record<string, string>>} packages the versions of the packages that can be imported
 */

/**
 * Finds Python and the installed peers; null if there is no Python.
 * @returns {Promise<PeerVersions | null>}
 */
export async function findPeers() {
  const python = peerPython();
  if (spawnSync(python, ["--version"]).status !== 0) return null;
  const process = new PeerProcess("versions", {});
  try {
    const { python, packages } = await process.ask({ do: "versions" });
    return { python, packages };
  } finally {
    await process.end();
  }
}

/** A long-lived Python process that answers requests, so that its blocks can alternate with those of others. */
export class PeerProcess {
  #child;
  #lines;
  #stderr = "";
  /** @type {string} */
  #name;

  /**
   * @param {string} name the name in error messages
   * @param {Readonly<Record<string, string>>} variables environment variables, in addition to those of this process
   */
  constructor(name, variables) {
    this.#name = name;
    this.#child = spawn(peerPython(), [join(here, "peers/serve.py")], {
      env: { ...process.env, PYTHONDONTWRITEBYTECODE: "1", ...variables },
      stdio: ["pipe", "pipe", "pipe"],
    });
    this.#child.stderr.setEncoding("utf8").on("data", (text) => {
      this.#stderr = (this.#stderr + text).slice(-2000);
    });
    this.#child.stdin.on("error", () => {});
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  /**
   * @param {Readonly<Record<string, unknown>>} request
   * @returns {Promise<any>} the answer, as peers/serve.py describes it
   */
  async ask(request) {
    this.#child.stdin.write(`${JSON.stringify(request)}\n`);
    const { value, done } = await this.#lines.next();
    if (done) throw new Error(`bench: the peer ${this.#name} exited\n${this.#stderr}`);
    const answer = this.#parsed(value);
    if (answer.error !== undefined) throw new Error(`bench: the peer ${this.#name} failed: ${answer.error}`);
    return answer;
  }

  /** @param {string} line */
  #parsed(line) {
    try {
      return JSON.parse(line);
    } catch (error) {
      throw new Error(`bench: the peer ${this.#name} did not answer with JSON: ${line.slice(0, 200)}`, {
        cause: error,
      });
    }
  }

  /** Lets the process exit on its own, so that it can end its child processes; kills it after ten seconds. */
  async end() {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = new Promise((resolve) => this.#child.once("exit", resolve));
    const kill = setTimeout(() => this.#child.kill("SIGKILL"), 10_000);
    this.#child.stdin.end();
    await ended;
    clearTimeout(kill);
  }
}

/**
 * Loads a peer's work into a new process.
 * @param {string} name the name in the table
 * @param {string} work the module in peers/
 * @param {Readonly<Record<string, unknown>>} spec
 * @param {Readonly<Record<string, string>>} variables
 */
export async function loadPeer(name, work, spec, variables) {
  const process = new PeerProcess(name, variables);
  try {
    await process.ask({ do: "load", key: name, work, spec });
  } catch (error) {
    await process.end();
    throw error;
  }
  return {
    name,
    /**
     * @param {number} iterations
     * @returns {Promise<import("./measure.js").Block>}
     */
    run: (iterations) => process.ask({ do: "run", key: name, iterations }),
    /**
     * @param {number} samples
     * @returns {Promise<Readonly<Record<string, Float32Array>>>} loss and gradient of the first samples
     */
    async check(samples) {
      const answer = await process.ask({ do: "check", key: name, samples });
      return Object.fromEntries(Object.entries(answer).map(([key, text]) => [key, decoded(text)]));
    },
    end: () => process.end(),
  };
}

/** @typedef {Awaited<ReturnType<typeof loadPeer>>} Loaded */

/**
 * Loads the peers whose packages are installed, and lists the others as missing.
 * @param {PeerVersions | null} versions
 * @param {readonly { name: string, needs: readonly string[], work: string, spec: Record<string, unknown>, variables: Record<string, string> }[]} wanted
 */
export async function loadedPeers(versions, wanted) {
  /** @type {Loaded[]} */
  const loaded = [];
  /** @type {string[]} */
  const missing = [];
  try {
    for (const { name, needs, work, spec, variables } of wanted) {
      if (versions === null || needs.some((need) => versions.packages[need] === undefined))
        missing.push(name);
      else loaded.push(await loadPeer(name, work, spec, variables));
    }
  } catch (error) {
    for (const peer of loaded) await peer.end();
    throw error;
  }
  return { loaded, missing };
}

/**
 * A peer that trains in one thread, for {@link loadedPeers}.
 * @param {string} name
 * @param {readonly string[]} needs its Python packages
 * @param {string} work what it does
 * @param {import("softrl").RunConfig | undefined} config of our own training
 */
export const trainingPeer = (name, needs, work, config) => ({
  name,
  needs,
  work,
  spec: { config, threads: 1 },
  variables: threadVariables(1),
});

/**
 * The environment variables that limit a library to this number of threads.
 * @param {number} threads
 */
export function threadVariables(threads) {
  const count = String(threads);
  return {
    OMP_NUM_THREADS: count,
    MKL_NUM_THREADS: count,
    OPENBLAS_NUM_THREADS: count,
    NPROC: count,
    ...(threads === 1 ? { XLA_FLAGS: "--xla_cpu_multi_thread_eigen=false" } : {}),
  };
}

/** Settings for glibc's allocator, so that it keeps memory instead of returning it to the system after each step. */
export const keptMemory = {
  MALLOC_MMAP_MAX_: "0",
  MALLOC_TRIM_THRESHOLD_: "17179869184",
  MALLOC_TOP_PAD_: "268435456",
};

/** @param {ArrayBufferView} view */
export function encoded(view) {
  return Buffer.from(view.buffer, view.byteOffset, view.byteLength).toString("base64");
}

/** @param {string} text */
function decoded(text) {
  const bytes = new Uint8Array(Buffer.from(text, "base64"));
  return new Float32Array(bytes.buffer);
}
