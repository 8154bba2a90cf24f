import { oneLine } from "softrl";
import { reportUncaught } from "./main.js";
import { loadedFiles } from "./parts/loaded-files.js";

/** How long a process may go on after its command, before it ends whatever a file has left open. */
const MILLISECONDS_TO_END = 2000;

/** Reports errors that no command catches as those that one catches: only a process that is the command's own may do so. */
export function reportAllErrors(): void {
  process.on("uncaughtException", (error) => process.exit(reportUncaught(error)));
}

/** Ends a process whose command is done where a file that it loaded keeps it from ending: with a timer, for instance. */
export function endWithoutFiles(): void {
  if (loadedFiles().length === 0) return;
  const end = () => {
    const files = loadedFiles().join(" or ");
    const what = `${files} kept the process from ending, with a timer or a connection: it ended all the same.`;
    process.stderr.write(`softrl: ${oneLine(what, 1000)}\n`);
    // The result may still wait for its reader.
    process.stdout.write("", () => process.exit());
  };
  setTimeout(end, MILLISECONDS_TO_END).unref();
}
