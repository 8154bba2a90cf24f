import { readFileSync } from "node:fs";
import { join } from "node:path";
import { algorithmTitle, evaluate, openCheckpoint, SoftrlError, snapshotSection } from "softrl";
import { assemble } from "../assemble.js";
import { integerOption, type OptionValues } from "../config-options.js";
import { INTERRUPTED, listenForInterrupt } from "../interrupt.js";
import { runFiles } from "../run-folder.js";
import { clock, inShort, pause, type Terminal, writeJson } from "../terminal.js";

/** `softrl evaluate <run-folder>`: plays whole episodes with what a run has learned. */
export async function evaluateCommand(
  runFolder: string,
  options: OptionValues,
  terminal: Terminal,
): Promise<number> {
  const episodes = integerOption("--episodes", options.episodes, 1);
  const seed = integerOption("--seed", options.seed, 0);
  const mode = options.mode;
  if (mode !== "sample" && mode !== "mode") {
    throw new SoftrlError("--mode", "not a valid value", {
      expected: '"sample" or "mode"',
      got: JSON.stringify(mode),
    });
  }
  const path = join(runFolder, runFiles.checkpoint);
  const { config, snapshot } = openCheckpoint(path, readCheckpoint(path));
  const { environment, algorithm } = await assemble(config, false);
  const interrupt = listenForInterrupt(terminal.err);
  try {
    algorithm.restore(snapshotSection(path, snapshot, "algorithm"));
    const { signal } = interrupt;
    const result = await evaluate({ algorithm, environment, episodes, mode, seed, clock, pause, signal });
    if (options.json === true) {
      writeJson(terminal.out, {
        algorithm: config.algorithm,
        environment: config.environment,
        seed,
        mode,
        episodes: result.returns.length,
        ...result,
      });
    } else {
      terminal.out.write(
        `${algorithmTitle(config.algorithm)} on ${config.environment}, ${result.returns.length} episodes, ` +
          `${mode === "mode" ? "most likely" : "sampled"} actions: mean return ${inShort(result.meanReturn)}, ` +
          `standard deviation ${inShort(result.standardDeviation)}\n`,
      );
    }
    return result.interrupted ? INTERRUPTED : 0;
  } finally {
    interrupt.dispose();
    await environment.close();
  }
}

function readCheckpoint(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new SoftrlError(path, "the checkpoint cannot be read", {
      expected: "the run folder of a training run",
      got: error instanceof Error ? error.message : String(error),
    });
  }
}
