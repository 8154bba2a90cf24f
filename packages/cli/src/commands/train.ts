import type { Trainer } from "softrl";
import type { OptionValues } from "../options/plain-options.js";
import { replacementText } from "../runs/replaced-parts.js";
import type { RunFolder } from "../runs/run-folder.js";
import { planRun, type RunDraft } from "../runs/run-plan.js";
import { openRunFolder, writeConfig } from "../runs/run-report.js";
import { tensorBoardFollower } from "../runs/tensorboard-follower.js";
import { outputOf, runTraining } from "../runs/training.js";
import { marked } from "../runs/trusted-run.js";
import type { Terminal } from "../terminal/terminal.js";

/** `softrl train`: one run in one folder. */
export async function trainCommand(
  options: OptionValues,
  draft: RunDraft,
  terminal: Terminal,
): Promise<number> {
  const plan = await planRun(options, draft);
  for (const replacement of draft.replacements) {
    terminal.err.write(`softrl: ${replacementText(replacement)}\n`);
  }
  const { config, parts } = plan;
  const follow = await tensorBoardFollower(options.tensorboard === true);
  const open = () => follow(marked(openRunFolder(options, config, config.algorithm.name), parts));
  const begin = (trainer: Trainer, folder: RunFolder) => {
    writeConfig(folder, config);
    return trainer.start();
  };
  return runTraining(plan, { open, begin }, outputOf(options), terminal);
}
