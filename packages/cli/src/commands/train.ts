import type { Trainer } from "softrl";
import { chosenConfig, type OptionValues } from "../options/config-options.js";
import type { RunFolder } from "../runs/run-folder.js";
import { openRunFolder, writeConfig } from "../runs/run-report.js";
import { runTraining } from "../runs/training.js";
import type { Terminal } from "../terminal/terminal.js";

/** `softrl train`: one run into one folder. */
export async function trainCommand(options: OptionValues, terminal: Terminal): Promise<number> {
  const config = chosenConfig(options);
  const open = () => openRunFolder(options, config, config.algorithm);
  const begin = (trainer: Trainer, folder: RunFolder) => {
    writeConfig(folder, config);
    return trainer.start();
  };
  return runTraining(config, { where: "--env", open, begin }, options.json === true, terminal);
}
