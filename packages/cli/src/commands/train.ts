import { algorithmTitle, iterateTogether, Trainer, type TrainProgress, trainConfig } from "softrl";
import { assemble } from "../assemble.js";
import { chosenSettings, type OptionValues } from "../config-options.js";
import { INTERRUPTED, type Interrupt, listenForInterrupt } from "../interrupt.js";
import { ProgressDisplay } from "../progress.js";
import type { RunFolder } from "../run-folder.js";
import { named, openRunFolder, type RunReport, writeConfig, writeReport } from "../run-report.js";
import { clock, counted, inShort, pause, type Terminal, writeJson } from "../terminal.js";
import { terminalPlot } from "../terminal-plot.js";

/** `softrl train`: one run into one folder. */
export async function trainCommand(options: OptionValues, terminal: Terminal): Promise<number> {
  const config = trainConfig(chosenSettings(options));
  const { environment, algorithm, executor } = await assemble(config, true);
  let interrupt: Interrupt | null = null;
  let folder: RunFolder | null = null;
  try {
    folder = openRunFolder(options, config, config.algorithm);
    interrupt = listenForInterrupt(terminal.err);
    writeConfig(folder, config);
    const trainer = new Trainer(config, { environment, algorithm, store: folder, clock });
    await trainer.start();
    const display = new ProgressDisplay(terminal.err, clock);
    const { signal } = interrupt;
    const onProgress = (runs: readonly TrainProgress[]) => display.show(runs);
    await iterateTogether([trainer], { clock, pause, signal, onProgress }).finally(() => display.end());

    const result = await trainer.finish();
    const report = await writeReport(folder, config, executor.name, result, trainer.curve);
    if (options.json === true) {
      writeJson(terminal.out, { ...report, runFolder: folder.path });
    } else {
      const plot = terminalPlot([named(config.algorithm, trainer.curve)]);
      terminal.out.write(
        `${plot === "" ? "" : `${plot}\n\n`}${summary(report)}\nrun folder: ${folder.path}\n`,
      );
    }
    return report.interrupted ? INTERRUPTED : 0;
  } finally {
    interrupt?.dispose();
    folder?.close();
    await environment.close();
  }
}

function summary(report: RunReport): string {
  const { algorithm, environment, seed, meanReturn, episodes, steps, stepsPerSecond } = report;
  return (
    `${algorithmTitle(algorithm)} on ${environment}, seed ${seed}: mean return ${inShort(meanReturn)} ` +
    `over the last ${Math.min(100, episodes)} of ${counted(episodes)} episodes\n` +
    `${counted(steps)} steps at ${counted(stepsPerSecond)} a second (${report.executor})` +
    `${report.interrupted ? ", interrupted" : ""}`
  );
}
