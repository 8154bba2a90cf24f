import { existsSync } from "node:fs";
import { basename, resolve } from "node:path";
import { oneLine, SoftrlError } from "softrl";
import { integerOption, type OptionValues } from "../options/plain-options.js";
import { INTERRUPTED, listenForInterrupt } from "../terminal/interrupt.js";
import { type Terminal, writeJson } from "../terminal/terminal.js";

/** Where `softrl train` puts runs; it may not be there yet. */
const STANDARD_RUNS = "runs";
const HIGHEST_PORT = 65_535;

/** `softrl watch [runs]`: a page on this machine that shows runs while they train, until Ctrl-C. */
export async function watchCommand(
  named: readonly string[],
  options: OptionValues,
  { out, err }: Terminal,
): Promise<number> {
  const port = portOption(options.port);
  for (const path of named) requireThere(path);
  const paths = named.length === 0 ? [STANDARD_RUNS] : named;
  // Loaded here: drawing takes longer to load than all the rest of the command.
  const { WatchedRuns } = await import("../watch/watched-runs.js");
  const { startWatchServer } = await import("../watch/watch-server.js");
  const { followRuns } = await import("../watch/follow-runs.js");
  const runs = new WatchedRuns(paths);
  runs.scan();
  const interrupt = listenForInterrupt(err, "watching");
  try {
    const title = paths.map((path) => oneLine(basename(resolve(path)), 100)).join(", ");
    const server = await startWatchServer({ runs, title, port });
    try {
      const { address } = server;
      if (options.json === true) writeJson(out, { address, runs: runs.all.length });
      else out.write(`${address}\n`);
      err.write("softrl: open this address in a browser of this machine; Ctrl-C ends it\n");
      await followRuns(runs, server.clients, interrupt.signal);
    } finally {
      await server.close();
    }
    return INTERRUPTED;
  } finally {
    interrupt.dispose();
  }
}

function portOption(text: unknown): number {
  const port = integerOption("--port", text, 0);
  if (port <= HIGHEST_PORT) return port;
  throw new SoftrlError("--port", "invalid value", {
    expected: `an integer in [0, ${HIGHEST_PORT}]`,
    got: JSON.stringify(text),
  });
}

function requireThere(path: string): void {
  if (existsSync(path)) return;
  throw new SoftrlError(path, "there is no such folder", {
    expected: "a run folder, or a folder that has run folders in it or will have",
    remedy: "name a folder that exists; without one, runs is watched",
  });
}
