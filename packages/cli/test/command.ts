import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, expect, vi } from "vitest";
import { CommandServer } from "../../../test/break/commands.js";

const bin = fileURLToPath(new URL("../bin/softrl.js", import.meta.url));
const fakeChild = fileURLToPath(new URL("../../gymnasium/test/fake-child.mjs", import.meta.url));
const built = fileURLToPath(new URL("../dist/index.js", import.meta.url));

// Commands are child processes, which wait for other tests' processes.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly child: ChildProcess;
  readonly finished: Promise<Finished>;
}

export interface Circumstances {
  readonly env?: Readonly<Record<string, string>>;
}

/** Of a command in a process of its own. */
export interface OwnCircumstances extends Circumstances {
  /** What bash does before the command. */
  readonly shellPrefix?: string;
  /** What bash does instead, with the command as `"$@"`. */
  readonly shell?: string;
}

/** Whether Node.js has relaxed SIMD only behind a flag of its engine, as version 20 has. */
export const relaxedNeedsFlag = Number.parseInt(process.versions.node, 10) < 22;
/** A shell that runs the command where the executor wasm-relaxed works. */
export const relaxedShell = relaxedNeedsFlag
  ? 'node="$1"; shift; exec "$node" --experimental-wasm-relaxed-simd "$@"'
  : 'exec "$@"';

/** The environment of a run that rests after each checkpoint and evaluation, and so does not outrun a signal. */
export const slowCheckpoints = {
  NODE_OPTIONS: `--import ${new URL("fixtures/slow-checkpoints.js", import.meta.url).href}`,
};

const running = new Set<ChildProcess>();

// After a test that failed in the middle.
afterEach(() => {
  for (const child of running) child.kill("SIGKILL");
  if (pending > 0) server.close();
});

function requireBuilt(): void {
  if (!existsSync(built)) throw new Error("The command is not built: run `npm run build` first.");
}

/** Starts the real command, as its users do. */
export function startSoftrl(
  args: readonly string[],
  cwd: string,
  { env = {}, shellPrefix = "", shell = `${shellPrefix}; exec "$@"` }: OwnCircumstances = {},
): Running {
  requireBuilt();
  const options = { cwd, env: { ...process.env, ...env } };
  const child = shell.startsWith(";")
    ? spawn(process.execPath, [bin, ...args], options)
    : spawn("bash", ["-c", shell, "bash", process.execPath, bin, ...args], options);
  running.add(child);
  child.once("close", () => running.delete(child));
  let stdout = "";
  let stderr = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const finished = new Promise<Finished>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, stdout, stderr }));
  });
  return { child, finished };
}

/**
 * Runs the command to its end, in a process of its own: where it loads code that another command loaded otherwise, and
 * where what is tested is the process.
 */
export function softrlAlone(
  args: readonly string[],
  cwd: string,
  options: OwnCircumstances = {},
): Promise<Finished> {
  return startSoftrl(args, cwd, options).finished;
}

const server = new CommandServer({ hangMilliseconds: 300_000 });
afterAll(() => server.close());
let pending = 0;
let last: Promise<unknown> = Promise.resolve();

/**
 * Runs the command to its end. The commands of a test file run in one process, one after the other: a start of Node takes
 * longer than most of them.
 */
export function softrl(args: readonly string[], cwd: string, { env }: Circumstances = {}): Promise<Finished> {
  requireBuilt();
  pending++;
  const finished = last
    .then(() => server.execute(args, { cwd, ...(env === undefined ? {} : { env }) }))
    .finally(() => pending--);
  last = finished.catch(() => {});
  return finished;
}

/** Waits until a condition holds; fails if it does not within the time that a busy machine may take. */
export async function eventually(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 200_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error("It did not happen in time.");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** The lines that a file has as a whole; none where it does not exist. Another process may be writing the next one. */
export function wholeLines(path: string): readonly string[] {
  if (!existsSync(path)) return [];
  return readFileSync(path, "utf8").split("\n").slice(0, -1);
}

export interface LoggedEvent extends Readonly<Record<string, unknown>> {
  readonly event: string;
  readonly step?: number;
}

/** The events of a run so far. */
export const eventsOf = (runFolder: string): readonly LoggedEvent[] =>
  wholeLines(join(runFolder, "events.jsonl")).map((line) => JSON.parse(line));

/** Sends a signal to a run once one of its events is as described, and waits for its end. */
export async function stopAt(
  { child, finished }: Running,
  runFolder: string,
  signal: NodeJS.Signals,
  isIt: (event: LoggedEvent) => boolean,
): Promise<Finished> {
  await eventually(() => child.exitCode !== null || eventsOf(runFolder).some(isIt));
  child.kill(signal);
  return finished;
}

/**
 * The variables by which the command takes gymnasium's fake child for a Python with Gymnasium: it behaves in the manner
 * named. Not on Windows, where the script that stands for Python does not run.
 */
export function fakeGymnasium(place: string, manner: string): Record<string, string> {
  const python = join(place, "fake-python");
  const answer = JSON.stringify({ version: "3.11.0", packages: {}, missing: [] });
  const bridge = `exec "${process.execPath}" "${fakeChild}" "$MANNER"`;
  const script = `#!/bin/sh\nif [ "$1" = -c ]; then echo '${answer}'; else ${bridge}; fi\n`;
  writeFileSync(python, script, { mode: 0o755 });
  return { SOFTRL_PYTHON: python, MANNER: manner };
}

/** One line on stderr, nothing on stdout. */
export function expectRefusal(run: Finished, code: number, message: RegExp): void {
  expect(run.stderr).toMatch(message);
  expect(run.stderr).toMatch(/^softrl: .*\n$/);
  expect(run.stdout).toBe("");
  expect(run.code).toBe(code);
}

/** The columns of the longest line; combining marks take none. */
export function widest(text: string): number {
  return Math.max(...text.split("\n").map((line) => [...line.replaceAll(/\p{M}/gu, "")].length));
}
