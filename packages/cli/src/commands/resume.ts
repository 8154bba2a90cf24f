import { SoftrlError, snapshotNumber, type Trainer } from "softrl";
import type { OptionValues } from "../config-options.js";
import { readRunCheckpoint } from "../run-checkpoint.js";
import { RunFolder } from "../run-folder.js";
import type { Terminal } from "../terminal.js";
import { runTraining } from "../training.js";

/** `softrl resume <run-folder>`: goes on with a stopped run from its checkpoint, as if it had never stopped. */
export async function resumeCommand(
  runFolder: string,
  options: OptionValues,
  terminal: Terminal,
): Promise<number> {
  const { path, config, snapshot } = readRunCheckpoint(runFolder);
  const step = snapshotNumber(path, snapshot, "step");
  if (step >= config.steps) {
    throw new SoftrlError(runFolder, "the run is finished", {
      expected: "a run that was stopped",
      got: `all of its ${config.steps} steps`,
      remedy: "train a new one with more --steps: the learning rate's schedule depends on them",
    });
  }
  const open = () => RunFolder.reopen(runFolder, step);
  const begin = (trainer: Trainer) => trainer.restore(snapshot);
  return runTraining(config, { where: path, open, begin }, options.json === true, terminal);
}
