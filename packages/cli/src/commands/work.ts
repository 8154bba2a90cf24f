import { readdirSync } from "node:fs";
import { SoftrlError } from "softrl";
import { makeFolders } from "../files/make-folders.js";
import { type OptionValues, textOption } from "../options/plain-options.js";
import { errorText } from "../parts/file-fault.js";
import { connect, queueLibraries, queuePatience, redisAddress } from "../queue/redis.js";
import { QueueWorker } from "../queue/worker.js";
import { codeVersion } from "../sweeps/code-version.js";
import { capacityOption } from "../sweeps/run-sweep.js";
import { INTERRUPTED, listenForInterrupt } from "../terminal/interrupt.js";
import { shownPath } from "../terminal/shown-path.js";
import type { Terminal } from "../terminal/terminal.js";

/** `softrl work redis://…`: trains the runs of a queue until Ctrl-C. */
export async function workCommand(url: string, options: OptionValues, { err }: Terminal): Promise<number> {
  const capacity = capacityOption(options.jobs);
  const address = redisAddress("<url>", url);
  queuePatience();
  const runs = textOption(options, "runs") ?? "";
  if (runs.trim() === "") {
    throw new SoftrlError("--runs", "invalid value", { expected: "the path of a folder", got: '""' });
  }
  const libraries = await queueLibraries("softrl work");
  const version = codeVersion();
  const interrupt = listenForInterrupt(err, "working");
  try {
    const { signal: stop } = interrupt;
    const connection = await connect(libraries, address, err, stop).catch((error: unknown) => {
      if (stop.aborted) return null;
      throw error;
    });
    if (connection === null) return INTERRUPTED;
    try {
      makeRunsFolder(runs);
      const report = (line: string) => void err.write(`softrl: ${line}\n`);
      const { total } = capacity;
      const unit = options.jobs === undefined ? "core" : "run";
      const several = `${total} ${unit}${total === 1 ? "" : "s"}`;
      report(`training on ${several} at a time, version ${version} from ${address.shown}; Ctrl-C ends this`);
      const trust = options.trust === true;
      await new QueueWorker({ libraries, connection, version, capacity, runs, trust, stop, report }).work();
      return INTERRUPTED;
    } finally {
      connection.close();
    }
  } finally {
    interrupt.dispose();
  }
}

function makeRunsFolder(path: string): void {
  try {
    makeFolders(path);
    // It fails for anything but a folder.
    readdirSync(path);
  } catch (error) {
    throw new SoftrlError(shownPath(path), "the folder of the runs cannot be used", {
      got: errorText(error),
      remedy: "pass the path of a folder with --runs",
    });
  }
}
