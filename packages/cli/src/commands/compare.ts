import {
  type AlgorithmName,
  algorithmNames,
  algorithmTitle,
  iterateTogether,
  measureTheorem,
  type TrainConfig,
  Trainer,
  trainConfig,
  type VectorEnvironment,
  version,
} from "softrl";
import { assemble } from "../assemble.js";
import { learningCurveSvg } from "../chart.js";
import { chosenSettings, type OptionValues } from "../config-options.js";
import { INTERRUPTED, type Interrupt, listenForInterrupt } from "../interrupt.js";
import { ProgressDisplay } from "../progress.js";
import { type RunFolder, runFiles } from "../run-folder.js";
import { clock, counted, inShort, pause, type Terminal, table, writeJson } from "../terminal.js";
import { terminalPlot } from "../terminal-plot.js";
import { chartText, openRunFolder, runName } from "./train.js";

/** Enough for both faces to solve CartPole, and short enough to watch. */
const STEPS = 200_000;

/** `softrl compare`: both faces with one seed and the same hyper-parameters, an iteration of each in turn. */
export async function compareCommand(options: OptionValues, terminal: Terminal): Promise<number> {
  const chosen = { steps: STEPS, ...chosenSettings(options) };
  const configs = algorithmNames.map((algorithm) => trainConfig({ ...chosen, algorithm }));
  const environments: VectorEnvironment[] = [];
  const folders: RunFolder[] = [];
  let interrupt: Interrupt | null = null;
  try {
    const assemblies = [];
    for (const config of configs) {
      const assembly = await assemble(config, true);
      environments.push(assembly.environment);
      assemblies.push(assembly);
    }
    const folder = openRunFolder(options, `${runName(configs[0])}-compare`);
    folders.push(folder);
    interrupt = listenForInterrupt(terminal.err);

    const trainers: Trainer[] = [];
    for (const [index, config] of configs.entries()) {
      const inner = folder.inner(config.algorithm);
      folders.unshift(inner);
      inner.write(runFiles.config, `${JSON.stringify(config, null, 2)}\n`);
      const { environment, algorithm } = assemblies[index];
      const trainer = new Trainer(config, { environment, algorithm, store: inner, clock });
      await trainer.start();
      trainers.push(trainer);
    }
    const display = new ProgressDisplay(terminal.err, clock);
    const { signal } = interrupt;
    try {
      await iterateTogether(trainers, { clock, pause, signal, onProgress: (runs) => display.show(runs) });
    } finally {
      display.end();
    }

    const faces = [];
    for (const trainer of trainers) {
      const { algorithm } = trainer.config;
      faces.push({ algorithm, ...(await trainer.finish()), curve: trainer.curve });
    }
    const curves = faces.map(({ algorithm, curve }) => ({ name: algorithmTitle(algorithm), ...curve }));
    const theorem = measureTheorem();
    const svg = learningCurveSvg(curves, chartText(configs[0]));
    folder.write(runFiles.chart, svg);
    const report = {
      environment: configs[0].environment,
      seed: configs[0].seed,
      faces: faces.map(({ curve: _, ...face }) => face),
      theorem,
      interrupted: faces.some((face) => face.interrupted),
      executor: assemblies[0].executor.name,
      version,
    };
    folder.write(runFiles.result, `${JSON.stringify(report, null, 2)}\n`);
    const chart = `${folder.path}/${runFiles.chart}`;

    if (options.json === true) {
      writeJson(terminal.out, { ...report, chart, runFolder: folder.path });
    } else {
      terminal.out.write(`${comparison(configs[0], faces, terminalPlot(curves))}\n\n`);
      terminal.out.write(
        `the theorem (§4), in float64: ∇E½(Q − y)² − [τ policy gradient + value gradient] = ` +
          `${theorem.residual.toExponential(1)} of its size (bound ${theorem.bound.toExponential(0)})\n` +
          `chart: ${chart}\n`,
      );
    }
    return report.interrupted ? INTERRUPTED : 0;
  } finally {
    interrupt?.dispose();
    for (const folder of folders) folder.close();
    for (const environment of environments) await environment.close();
  }
}

interface Face {
  readonly algorithm: AlgorithmName;
  readonly meanReturn: number | null;
  readonly episodes: number;
  readonly steps: number;
  readonly stepsPerSecond: number;
}

function comparison(config: TrainConfig, faces: readonly Face[], plot: string): string {
  const rows = faces.map((face) => [
    algorithmTitle(face.algorithm),
    inShort(face.meanReturn),
    counted(face.episodes),
    counted(face.steps),
    counted(face.stepsPerSecond),
  ]);
  return [
    `${config.environment}, seed ${config.seed}: mean return of the last 100 training episodes`,
    "",
    ...(plot === "" ? [] : [plot, ""]),
    table(["", "mean return", "episodes", "steps", "steps/s"], rows),
  ].join("\n");
}
