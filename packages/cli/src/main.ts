import { join } from "node:path";
import { CommanderError } from "commander";
import { describeValue, oneLine, SoftrlError, version } from "softrl";
import { FailedFilm } from "./figures/film.js";
import { isOfFullDisk } from "./files/write-fault.js";
import { blameFiles, FileFault, showsStack, stackOf } from "./parts/file-fault.js";
import { loadedFiles, loadingFile } from "./parts/loaded-files.js";
import { program } from "./program.js";
import { FailedRun } from "./runs/failed-run.js";
import { runFiles } from "./runs/run-folder.js";
import { INTERRUPTED } from "./terminal/interrupt.js";
import { pathArgument, shownPath } from "./terminal/shown-path.js";
import { exitCodeOf, standardStreams } from "./terminal/streams.js";
import { DISK_FULL, isSupervised } from "./terminal/supervisor.js";
import type { Terminal } from "./terminal/terminal.js";
import { startWatchdog } from "./terminal/watchdog.js";

/** Bad input, bad usage, and a fault of ours (sysexits' EX_SOFTWARE). */
const BAD_INPUT = 1;
const BAD_USAGE = 2;
const OUR_FAULT = 70;

/** Node's exit code where the main module waits for a promise that never settles. */
const UNSETTLED = 13;

/** Runs the command that the arguments name; returns the exit code and never throws. */
export async function main(args: readonly string[], terminal: Terminal = standardStreams()): Promise<number> {
  startWatchdog();
  let exitCode = 0;
  const run = async (command: Promise<number>) => {
    exitCode = await command;
  };
  let isIdle = false;
  // Comes where nothing is left to wait for, and not where code calls process.exit.
  const onIdle = () => {
    isIdle = true;
  };
  const onExit = (code: number) => (isIdle ? tellOfUnsettled(code, terminal) : tellOfExit(code, terminal));
  process.on("beforeExit", onIdle);
  process.on("exit", onExit);
  try {
    const root = await program(args, terminal, run);
    await root.parseAsync(args, { from: "user" });
    return exitCodeOf(exitCode);
  } catch (thrown) {
    const error = readable(thrown);
    // Commander has printed what is wrong; code 0 is --help and --version.
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodeOf(0) : BAD_USAGE;
    return report(error, terminal);
  } finally {
    process.off("beforeExit", onIdle);
    process.off("exit", onExit);
  }
}

/** Reports an error that no command has caught, such as one that a file throws from a timer; returns the exit code. */
export const reportUncaught = (thrown: unknown): number => report(readable(thrown), standardStreams());

/** Prints what went wrong; returns the exit code. */
function report(thrown: unknown, { err }: Terminal): number {
  const failed = thrown instanceof FailedRun || thrown instanceof FailedFilm ? thrown.cause : thrown;
  const error = blameFiles(failed);
  const kept = whatIsKept(thrown, error);
  if (error instanceof SoftrlError) {
    if (error instanceof FileFault && error.cause !== undefined && showsStack()) {
      err.write(`${stackOf(error.cause)}\n`);
    }
    err.write(`softrl: ${error.message}${kept}\n`);
    return isSupervised() && isOfFullDisk(thrown) ? DISK_FULL : BAD_INPUT;
  }
  const fault = `this is a fault of softrl ${version}; please report it with the lines above.`;
  err.write(`${stackOf(error)}\nsoftrl: ${fault}${kept}\n`);
  return OUR_FAULT;
}

/** What was thrown; an error in its place where a file threw a value that nothing can look at. */
function readable(thrown: unknown): unknown {
  try {
    return thrown instanceof Error ? thrown : new Error(describeValue(thrown));
  } catch (error) {
    return new Error("a value was thrown that cannot be read", { cause: error });
  }
}

/** Tells of a promise that never settles: then nothing is left to wait for, and the process ends before the command. */
function tellOfUnsettled(code: number, { err }: Terminal): void {
  // 13 is Node's code for it. Other codes were chosen, for instance by a second Ctrl-C.
  if (code !== 0 && code !== UNSETTLED) return;
  process.exitCode = BAD_INPUT;
  const file = loadingFile();
  const files = loadedFiles().join(" or ");
  const what =
    file !== null
      ? `${file} never finished loading: it waits for a promise that never settles; fix the file.`
      : `the run never finished its iteration: ${files === "" ? "softrl" : files} waits for a promise that never settles.`;
  err.write(`softrl: ${oneLine(what, 1000)}\n`);
}

/** Tells of code that ends the process: its command is not done, whatever exit code it chose. */
function tellOfExit(code: number, { err }: Terminal): void {
  const file = loadingFile();
  const files = loadedFiles().join(" or ");
  // softrl exits with other codes itself, for instance at a second Ctrl-C.
  if (files === "" || (code !== 0 && (file === null || code === INTERRUPTED))) return;
  process.exitCode = BAD_INPUT;
  const what = `${file ?? files} ended the process with process.exit(${code}); remove that from the file.`;
  err.write(`softrl: ${oneLine(what, 1000)}\n`);
}

/** The sentence after an error's message: what was written of a run or a film, where the message does not name it. */
function whatIsKept(thrown: unknown, error: unknown): string {
  if (thrown instanceof FailedFilm) return ` ${thrown.kept}`;
  if (!(thrown instanceof FailedRun)) return "";
  const isNamed = error instanceof SoftrlError && error.where.startsWith(thrown.folder);
  const place = isNamed ? "" : ` The run so far is in ${shownPath(thrown.folder)}.`;
  return `${place}${howToGoOn(thrown)}`;
}

function howToGoOn({ folder, next }: FailedRun): string {
  if (next === null) return "";
  if (next === "resume") return ` To continue it: softrl resume ${pathArgument(folder)}.`;
  return ` To start it again: softrl train --config ${pathArgument(join(folder, runFiles.config))}.`;
}
