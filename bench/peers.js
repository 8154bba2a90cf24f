// @ts-check
import { spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";

const here = import.meta.dirname;

/** The virtual environment that `npm run bench:peers` makes. */
export const environmentFolder = join(here, ".venv");

/** The Python that has the peers: the virtual environment's where it was made, else the one on the path. */
export function peerPython() {
  const own = join(environmentFolder, process.platform === "win32" ? "Scripts/python.exe" : "bin/python");
  return existsSync(own) ? own : "python3";
}

/**
 * @typedef {object} PeerVersions
 * @property {string} python
 * @property {Readonly<Record<string, string>>} packages versions of those that can be imported
 */

/**
 * What Python and which peers there are; null where there is no Python.
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

/** A Python process that waits for the next request, so that its blocks can alternate with others. */
export class PeerProcess {
  #child;
  #lines;
  #stderr = "";
  /** @type {string} */
  #name;

  /**
   * @param {string} name for messages
   * @param {Readonly<Record<string, string>>} variables environment variables on top of this process's
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
    if (done) throw new Error(`bench: the peer ${this.#name} ended\n${this.#stderr}`);
    const answer = this.#parsed(value);
    if (answer.error !== undefined) throw new Error(`bench: the peer ${this.#name}: ${answer.error}`);
    return answer;
  }

  /** @param {string} line */
  #parsed(line) {
    try {
      return JSON.parse(line);
    } catch (error) {
      throw new Error(`bench: the peer ${this.#name} answered with no JSON: ${line.slice(0, 200)}`, {
        cause: error,
      });
    }
  }

  /** Lets the process end by itself, so that it ends its own processes first; after ten seconds it is killed. */
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
 * Loads a piece of work into a process of its own.
 * @param {string} name as the table prints it
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
 * Loads those peers whose packages are there, and says which are not.
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
 * The environment variables that hold a library to so many threads.
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

/** Memory is kept instead of given back after each step: glibc's allocator, as tuned as environment variables can. */
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
