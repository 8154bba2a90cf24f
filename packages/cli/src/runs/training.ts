import { algorithmTitle, iterateTogether, type TrainConfig, Trainer, type TrainProgress } from "softrl";
import { type Assembly, assembleUnlessInterrupted } from "./assemble.js";
import { endFailed } from "./failed-run.js";
import { INTERRUPTED, listenForInterrupt } from "../terminal/interrupt.js";
import { oracleLine } from "../figures/oracle-report.js";
import { ProgressDisplay } from "../terminal/progress.js";
import type { RunFolder } from "./run-folder.js";
import { environmentTitle, named, notStarted, type RunReport, writeReport } from "./run-report.js";
import { clock, counted, inShort, pause, type Terminal, writeJson } from "../terminal/terminal.js";
import { terminalPlot } from "../terminal/terminal-plot.js";

/** What `train` and `resume` do differently. */
export interface Beginning {
  /** What an error about the environment's id names. */
  readonly where: string;
  /** Opens the run's folder, once environment and algorithm stand. */
  readonly open: () => RunFolder;
  /** Brings the trainer to its first iteration: from the seed, or from a checkpoint. */
  readonly begin: (trainer: Trainer, folder: RunFolder) => Promise<void>;
}

/** Trains to the configuration's last step or to Ctrl-C, and reports; gives the exit code. */
export async function runTraining(
  config: TrainConfig,
  { where, open, begin }: Beginning,
  json: boolean,
  terminal: Terminal,
): Promise<number> {
  const interrupt = listenForInterrupt(terminal.err);
  let assembly: Assembly | null = null;
  let folder: RunFolder | null = null;
  try {
    assembly = await assembleUnlessInterrupted(interrupt, config, true, { where });
    if (assembly === null) {
      if (json) writeJson(terminal.out, notStarted(config));
      return INTERRUPTED;
    }
    const { environment, algorithm, executor } = assembly;
    folder = open();
    interrupt.now("training");
    const trainer = new Trainer(config, { environment, algorithm, store: folder, clock });
    await begin(trainer, folder);
    const display = new ProgressDisplay(terminal.err, clock);
    const { signal } = interrupt;
    const onProgress = (runs: readonly TrainProgress[]) => display.show(runs);
    await iterateTogether([trainer], { clock, pause, signal, onProgress }).finally(() => display.end());

    const result = await trainer.finish();
    const report = await writeReport(folder, config, executor.name, result, trainer);
    if (json) {
      writeJson(terminal.out, { ...report, runFolder: folder.path });
    } else {
      const plot = terminalPlot([named(config.algorithm, trainer.curve)]);
      const resume = report.interrupted ? `\nto go on: softrl resume ${folder.path}` : "";
      terminal.out.write(
        `${plot === "" ? "" : `${plot}\n\n`}${summary(config, report)}\nrun folder: ${folder.path}${resume}\n`,
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

function summary(config: TrainConfig, report: RunReport): string {
  const { algorithm, seed, meanReturn, episodes, steps, stepsPerSecond } = report;
  const outcome =
    episodes === 0
      ? "no episode ended, so there is no mean return"
      : `mean return ${inShort(meanReturn)} over the last ${Math.min(100, episodes)} of ${counted(episodes)} episodes`;
  return (
    `${algorithmTitle(algorithm)} on ${environmentTitle(config)}, seed ${seed}: ${outcome}\n` +
    `${counted(steps)} steps at ${counted(stepsPerSecond)} a second (${report.executor})` +
    `${report.interrupted ? ", interrupted" : ""}` +
    `${report.oracle === undefined ? "" : `\n${oracleLine(report.oracle.figures)}`}`
  );
}
