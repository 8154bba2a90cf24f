import type { Terminal } from "./terminal.js";

let told = false;

/** Whether stdout could not take what was written to it, for another reason than that nobody reads it. */
let lost = false;

/**
 * The process's own streams. One whose reader has gone (`softrl … | head`) is written to no more and is no error: a
 * run goes on and its folder becomes whole. Any other failure of stdout is told in one line on stderr, and the exit
 * code is 1; what stderr cannot take is lost, for there is nowhere to say so.
 */
export function standardStreams(): Terminal {
  if (!told) {
    told = true;
    process.stdout.on("error", tellLoss);
    process.stderr.on("error", () => {});
  }
  return { out: process.stdout, err: process.stderr };
}

/** The exit code of a command whose own is `code`: not 0 when what it wrote was lost. */
export const exitCodeOf = (code: number): number => (lost && code === 0 ? 1 : code);

function tellLoss(error: NodeJS.ErrnoException): void {
  // EIO is a terminal that was closed.
  if (lost || error.code === "EPIPE" || error.code === "EIO") return;
  lost = true;
  // The write may fail after the command has ended.
  process.exitCode ||= 1;
  process.stderr.write(
    `softrl: stdout: what the command ends with cannot be written, got ${error.message}; ` +
      "send it elsewhere, or read a run folder's result.json.\n",
  );
}
