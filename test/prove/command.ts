import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const softrl = fileURLToPath(new URL("../../packages/cli/bin/softrl.js", import.meta.url));

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** The JSON at the end of stdout. */
  readonly json: () => unknown;
}

/** Options for running a program. */
export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Called with stderr as it arrives. */
  readonly onStderr?: (text: string) => void;
}

/** Runs the built `softrl` command until it exits. */
export const run = (args: readonly string[], options: RunOptions = {}): Promise<Outcome> =>
  runProgram(process.execPath, [softrl, ...args], options);

/** Runs any program until it exits. */
export function runProgram(
  program: string,
  args: readonly string[],
  { env = {}, cwd, onStderr }: RunOptions = {},
): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, ...env },
      ...(cwd === undefined ? {} : { cwd }),
    });
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (chunk) => {
      stdout += chunk;
    });
    child.stderr.on("data", (chunk) => {
      stderr += chunk;
      onStderr?.(String(chunk));
    });
    child.on("error", reject);
    child.on("close", (code) => {
      resolve({ code, stdout, stderr, json: () => JSON.parse(stdout.trim().split("\n").at(-1) ?? "") });
    });
  });
}

/** Creates a temporary folder and removes it when `use` ends. */
export async function inTemporaryFolder<Result>(use: (folder: string) => Promise<Result>): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), "softrl-prove-"));
  try {
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The processes of this Linux machine with a text in their command line. */
export const processesWith = (text: string): readonly string[] =>
  readdirSync("/proc").filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(text);
    } catch {
      return false;
    }
  });
