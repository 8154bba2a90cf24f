import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, vi } from "vitest";

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
  readonly env?: Record<string, string>;
  /** What bash does before the command. */
  readonly shellPrefix?: string;
  /** What bash does instead, with the command as `"$@"`. */
  readonly shell?: string;
}

const running = new Set<ChildProcess>();

/** Ends every command that is still running: after a test that failed in the middle. */
export function endAll(): void {
  for (const child of running) child.kill("SIGKILL");
}

/** Starts the real command, as its users do, in a folder of its own. */
export function startSoftrl(
  args: readonly string[],
  cwd: string,
  { env = {}, shellPrefix = "", shell = `${shellPrefix}; exec "$@"` }: Circumstances = {},
): Running {
  if (!existsSync(built)) throw new Error("The command is not built: run `npm run build` first.");
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

/** Runs the real command to its end. */
export function softrl(args: readonly string[], cwd: string, options: Circumstances = {}): Promise<Finished> {
  return startSoftrl(args, cwd, options).finished;
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
