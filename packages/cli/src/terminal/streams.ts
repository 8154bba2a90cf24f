import { shownPath } from "./shown-path.js";
import type { Terminal } from "./terminal.js";

let listening = false;

/** Whether stdout failed to take what was written to it, for another reason than a closed reader. */
let lost = false;

/** Where the result of the command is, if stdout does not take it. */
let kept = "result.json in the run folder";

/** Sets the file that has the result of this command. */
export function resultIsKeptIn(path: string): void {
  kept = shownPath(path);
}

/**
 * The process's own streams. Once the reader of one has gone (`softrl … | head`), nothing more is written to it, and
 * that is not an error: a run continues and its folder is completed. Any other failure of stdout is reported in one
 * line on stderr, and the exit code is 1; what stderr cannot take is lost, since there is nowhere to report it.
 */
export function standardStreams(): Terminal {
  if (!listening) {
    listening = true;
    process.stdout.on("error", reportLoss);
    process.stderr.on("error", () => {});
  }
  return { out: process.stdout, err: process.stderr };
}

/** The exit code of a command that ends with `code`: not 0 if its output was lost. */
export const exitCodeOf = (code: number): number => (lost && code === 0 ? 1 : code);

function reportLoss(error: NodeJS.ErrnoException): void {
  // EIO is a terminal that was closed.
  if (lost || error.code === "EPIPE" || error.code === "EIO") return;
  lost = true;
  // The write may fail after the command has ended.
  process.exitCode ||= 1;
  process.stderr.write(
    `softrl: stdout: could not write the result, got ${error.message}; ` +
      `write it elsewhere, or read ${kept}.\n`,
  );
}
