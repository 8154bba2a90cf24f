import { execFileSync } from "node:child_process";
import { inject } from "vitest";

/**
 * Runs a Python program that can import NumPy, safetensors, PyTorch and TensorBoard.
 * @param program the path of the program, from `cwd`.
 * @param cwd the folder that it runs in.
 * @returns what it prints on standard output.
 * @throws Error with what it prints on standard error, when it fails or takes more than ten minutes.
 */
export function runPython(
  program: string,
  parameters: readonly string[] = [],
  { cwd }: { readonly cwd?: string } = {},
): string {
  return execFileSync(inject("torchPython"), [program, ...parameters], {
    cwd,
    encoding: "utf8",
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: "1" },
    maxBuffer: 2 ** 26,
    stdio: ["ignore", "pipe", "pipe"],
    timeout: 600_000,
  });
}
