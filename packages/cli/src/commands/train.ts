import { algorithmTitle, iterateTogether, Trainer, type TrainProgress } from "softrl";
import { type Assembly, assembleUnlessInterrupted } from "../assemble.js";
import { chosenConfig, type OptionValues } from "../config-options.js";
import { endFailed } from "../failed-run.js";
import { INTERRUPTED, listenForInterrupt } from "../interrupt.js";
import { ProgressDisplay } from "../progress.js";
import type { RunFolder } from "../run-folder.js";
import { named, notStarted, openRunFolder, type RunReport, writeConfig, writeReport } from "../run-report.js";
import { clock, counted, inShort, pause, type Terminal, writeJson } from "../terminal.js";
import { terminalPlot } from "../terminal-plot.js";

/** `softrl train`: one run into one folder. */
export async function trainCommand(options: OptionValues, terminal: Terminal): Promise<number> {
  const config = chosenConfig(options);
  const interrupt = listenForInterrupt(terminal.err);
  let assembly: Assembly | null = null;
  let folder: RunFolder | null = null;
  try {
    assembly = await assembleUnlessInterrupted(interrupt, config, true);
    if (assembly === null) {
      if (options.json === true) writeJson(terminal.out, notStarted(config));
      return INTERRUPTED;
    }
    const { environment, algorithm, executor } = assembly;
    folder = openRunFolder(options, config, config.algorithm);
    interrupt.now("training");
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
  } catch (error) {
    throw endFailed(folder === null ? [] : [folder], error);
  } finally {
    interrupt.dispose();
    folder?.close();
    await assembly?.environment.close();
  }
}

function summary(report: RunReport): string {
  const { algorithm, environment, seed, meanReturn, episodes, steps, stepsPerSecond } = report;
  const outcome =
    episodes === 0
      ? "no episode ended, so there is no mean return"
      : `mean return ${inShort(meanReturn)} over the last ${Math.min(100, episodes)} of ${counted(episodes)} episodes`;
  return (
    `${algorithmTitle(algorithm)} on ${environment}, seed ${seed}: ${outcome}\n` +
    `${counted(steps)} steps at ${counted(stepsPerSecond)} a second (${report.executor})` +
    `${report.interrupted ? ", interrupted" : ""}`
  );
}
