import { basename } from "node:path";
import { algorithmTitle, iterateTogether, type TrainConfig, Trainer, trainConfig, version } from "softrl";
import { assemble } from "../assemble.js";
import { learningCurveSvg } from "../chart.js";
import { chosenSettings, type OptionValues } from "../config-options.js";
import { INTERRUPTED, type Interrupt, listenForInterrupt } from "../interrupt.js";
import { ProgressDisplay } from "../progress.js";
import { RunFolder, runFiles } from "../run-folder.js";
import { clock, counted, inShort, pause, type Terminal, writeJson } from "../terminal.js";
import { terminalPlot } from "../terminal-plot.js";

/** `softrl train`: one run into one folder. */
export async function trainCommand(options: OptionValues, terminal: Terminal): Promise<number> {
  const config = trainConfig(chosenSettings(options));
  const { environment, algorithm, executor } = await assemble(config, true);
  let interrupt: Interrupt | null = null;
  let folder: RunFolder | null = null;
  try {
    folder = openRunFolder(options, `${runName(config)}-${config.algorithm}`);
    interrupt = listenForInterrupt(terminal.err);
    folder.write(runFiles.config, `${JSON.stringify(config, null, 2)}\n`);
    const trainer = new Trainer(config, { environment, algorithm, store: folder, clock });
    const display = new ProgressDisplay(terminal.err, clock);
    await trainer.start();
    const { signal } = interrupt;
    try {
      await iterateTogether([trainer], { clock, pause, signal, onProgress: (runs) => display.show(runs) });
    } finally {
      display.end();
    }
    const result = await trainer.finish();
    const curve = { name: algorithmTitle(config.algorithm), ...trainer.curve };
    folder.write(runFiles.chart, learningCurveSvg([curve], chartText(config)));
    const report = {
      algorithm: config.algorithm,
      environment: config.environment,
      seed: config.seed,
      ...result,
      executor: executor.name,
      version,
    };
    folder.write(runFiles.result, `${JSON.stringify(report, null, 2)}\n`);

    if (options.json === true) {
      writeJson(terminal.out, { ...report, runFolder: folder.path });
    } else {
      const plot = terminalPlot([curve]);
      if (plot !== "") terminal.out.write(`${plot}\n\n`);
      terminal.out.write(
        `${curve.name} on ${config.environment}, seed ${config.seed}: mean return ${inShort(result.meanReturn)} ` +
          `over the last 100 of ${counted(result.episodes)} episodes\n` +
          `${counted(result.steps)} steps at ${counted(result.stepsPerSecond)} a second (${executor.name})` +
          `${result.interrupted ? ", interrupted" : ""}\n` +
          `run folder: ${folder.path}\n`,
      );
    }
    return result.interrupted ? INTERRUPTED : 0;
  } finally {
    interrupt?.dispose();
    folder?.close();
    await environment.close();
  }
}

/** The folder that `--run-folder` names, or the next free one below `runs/`. */
export function openRunFolder(options: OptionValues, name: string): RunFolder {
  return typeof options.runFolder === "string"
    ? RunFolder.create(options.runFolder)
    : RunFolder.createNumbered(`runs/${name}`);
}

/** A folder's name for a run: `Pong-v5-seed1`. */
export function runName(config: TrainConfig): string {
  const id = basename(config.environment).replaceAll(/[^\w.-]/g, "_");
  return `${id}-seed${config.seed}`;
}

/** What a run's chart says above its curves. */
export function chartText(config: TrainConfig): { title: string; subtitle: string } {
  const { environment, seed, environments, horizon, tau, gamma } = config;
  return {
    title: environment,
    subtitle: `seed ${seed}, ${environments} environments, n = ${horizon}, τ = ${tau}, γ = ${gamma}; softrl ${version}`,
  };
}
