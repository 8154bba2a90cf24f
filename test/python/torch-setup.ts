import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { root } from "../source-tree.js";

declare module "vitest" {
  export interface ProvidedContext {
    /** An interpreter with NumPy, safetensors, PyTorch and TensorBoard. */
    torchPython: string;
  }
}

const requirements = join(root, "test/python/requirements.txt");
const folder = join(root, "node_modules/.cache/softrl-torch");
const python = join(folder, process.platform === "win32" ? "Scripts/python.exe" : "bin/python");
/** A copy of the requirements, written once they are installed. */
const installed = join(folder, "installed.txt");

/**
 * Makes a virtual environment with the packages in requirements.txt, unless it stands.
 *
 * It is not the environment of `softrl setup gymnasium`, so that users do not install PyTorch. pip's own settings
 * decide where the packages come from.
 */
export default function setup(project: TestProject): void {
  if (!isReady()) {
    console.log(`installing PyTorch for the tests in ${folder}`);
    run(process.platform === "win32" ? "python" : "python3", ["-m", "venv", "--clear", folder]);
    const quiet = ["--quiet", "--disable-pip-version-check", "--no-input"];
    run(python, ["-m", "pip", "install", ...quiet, "--retries", "1", "--requirement", requirements]);
    writeFileSync(installed, readFileSync(requirements));
  }
  project.provide("torchPython", python);
}

function isReady(): boolean {
  return (
    existsSync(installed) &&
    readFileSync(installed).equals(readFileSync(requirements)) &&
    spawnSync(python, ["--version"]).status === 0
  );
}

function run(program: string, parameters: readonly string[]): void {
  const { status, error, stdout, stderr } = spawnSync(program, parameters, { encoding: "utf8" });
  if (status !== 0) {
    throw new Error(
      `${program} ${parameters.join(" ")} failed: ${error?.message ?? (stdout + stderr).slice(-2000)}`,
    );
  }
}
