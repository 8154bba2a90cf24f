import { join } from "node:path";
import { makeFolders } from "../files/make-folders.js";
import { outFault } from "../files/write-fault.js";
import { type OptionValues, textOption } from "../options/plain-options.js";
import { type FoundRun, findRuns } from "../runs/find-runs.js";
import { RunFolder, runFiles } from "../runs/run-folder.js";
import { pathArgument, shownPath } from "../terminal/shown-path.js";
import { type Terminal, writeJson } from "../terminal/terminal.js";

/** `softrl tensorboard <runs>`: writes the events of runs that were trained already into event files for TensorBoard. */
export async function tensorboardCommand(
  paths: readonly string[],
  options: OptionValues,
  terminal: Terminal,
): Promise<number> {
  const { writeEventLog } = await import("../tensorboard/event-log.js");
  const out = textOption(options, "out");
  const runs = findRuns(paths).map((run) => {
    const events = join(run.folder, runFiles.events);
    const write = () => writeEventLog(events, out === undefined ? run.folder : outFolder(out, run));
    return { run: run.folder, file: out === undefined ? whileLocked(run, write) : write() };
  });
  if (options.json === true) writeJson(terminal.out, { runs });
  else {
    for (const { file } of runs) terminal.out.write(`${shownPath(file)}\n`);
    // It takes one folder.
    const folder = out ?? (paths.length === 1 ? paths[0] : null);
    if (folder !== null)
      terminal.out.write(`to look at them: tensorboard --logdir ${pathArgument(folder)}\n`);
  }
  return 0;
}

/** A run that is being trained has an event file that grows. */
function whileLocked<Result>({ folder }: FoundRun, write: () => Result): Result {
  const lock = RunFolder.reopen(folder);
  try {
    return write();
  } finally {
    lock.close();
  }
}

function outFolder(out: string, { name }: FoundRun): string {
  const folder = join(out, name);
  try {
    makeFolders(folder);
  } catch (error) {
    throw outFault(folder, error);
  }
  return folder;
}
