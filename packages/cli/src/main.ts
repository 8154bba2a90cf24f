import { CommanderError } from "commander";
import { oneLine, SoftrlError, version } from "softrl";
import { FailedFilm } from "./figures/film.js";
import { loadedFiles } from "./parts/kind-file.js";
import { ownFault } from "./parts/own-fault.js";
import { program } from "./program.js";
import { FailedRun } from "./runs/failed-run.js";
import { exitCodeOf, standardStreams } from "./terminal/streams.js";
import type { Terminal } from "./terminal/terminal.js";

/** Bad input, bad usage, and a fault of ours (sysexits' EX_SOFTWARE). */
const BAD_INPUT = 1;
const BAD_USAGE = 2;
const OUR_FAULT = 70;

/** Runs the command that the arguments name; returns the exit code and never throws. */
export async function main(args: readonly string[], terminal: Terminal = standardStreams()): Promise<number> {
  let exitCode = 0;
  const run = async (command: Promise<number>) => {
    exitCode = await command;
  };
  try {
    const root = await program(args, terminal, run);
    await root.parseAsync(args, { from: "user" });
    return exitCodeOf(exitCode);
  } catch (error) {
    // Commander has printed what is wrong; code 0 is --help and --version.
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodeOf(0) : BAD_USAGE;
    return report(error, terminal);
  }
}

/** Prints what went wrong; returns the exit code. */
function report(thrown: unknown, { err }: Terminal): number {
  const error = thrown instanceof FailedRun || thrown instanceof FailedFilm ? thrown.cause : thrown;
  const message = error instanceof Error ? error.message : String(error);
  const kept = whatIsKept(thrown, error);
  if (error instanceof SoftrlError) {
    err.write(`softrl: ${message}${kept}\n`);
    return BAD_INPUT;
  }
  const stack = error instanceof Error ? (error.stack ?? message) : message;
  const files = loadedFiles();
  const own = error instanceof Error ? ownFault(error, files) : null;
  if (own !== null) {
    const fault = sentence(oneLine(String(error), 1000));
    err.write(`softrl: ${own.place}: ${fault}${kept}\n${own.frames.join("\n")}\n`);
    return OUR_FAULT;
  }
  const fault =
    files.length > 0
      ? `this is a fault in ${files.join(" or ")}, or in softrl ${version}.`
      : `this is a fault of softrl ${version}; please report it with the lines above.`;
  err.write(`${stack}\nsoftrl: ${fault}${kept}\n`);
  return OUR_FAULT;
}

const sentence = (text: string): string => (/[.!?]$/.test(text) ? text : `${text}.`);

/** The sentence after an error's message: what was written of a run or a film, where the message does not name it. */
function whatIsKept(thrown: unknown, error: unknown): string {
  if (thrown instanceof FailedFilm) return ` ${thrown.kept}`;
  if (!(thrown instanceof FailedRun)) return "";
  if (error instanceof SoftrlError && error.where.startsWith(thrown.folder)) return "";
  return ` The run so far is in ${thrown.folder}.`;
}
