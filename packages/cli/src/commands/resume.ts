import { SoftrlError, snapshotNumber, type Trainer } from "softrl";
import type { OptionValues } from "../options/config-options.js";
import { readRunCheckpoint } from "../runs/run-checkpoint.js";
import { RunFolder } from "../runs/run-folder.js";
import { runTraining } from "../runs/training.js";
import type { Terminal } from "../terminal/terminal.js";

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
