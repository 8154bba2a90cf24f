import type { Trainer } from "softrl";
import { chosenConfig, type OptionValues } from "../config-options.js";
import type { RunFolder } from "../run-folder.js";
import { openRunFolder, writeConfig } from "../run-report.js";
import type { Terminal } from "../terminal.js";
import { runTraining } from "../training.js";

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
