import {
  algorithmTitle,
  type Comparison,
  compare,
  type TrainConfig,
  Trainer,
  type TrainProgress,
  faces as theFaces,
  version,
} from "softrl";
import { chosenConfig, type OptionValues } from "../options/config-options.js";
import { type Assembly, assembleUnlessInterrupted } from "../runs/assemble.js";
import { endFailed } from "../runs/failed-run.js";
import { type RunFolder, runFiles } from "../runs/run-folder.js";
import {
  environmentTitle,
  named,
  notStarted,
  openRunFolder,
  type RunReport,
  writeChart,
  writeConfig,
  writeReport,
  writeResult,
} from "../runs/run-report.js";
import { INTERRUPTED, listenForInterrupt } from "../terminal/interrupt.js";
import { ProgressDisplay } from "../terminal/progress.js";
import { clock, counted, inShort, pause, type Terminal, table, writeJson } from "../terminal/terminal.js";
import { terminalPlot } from "../terminal/terminal-plot.js";

/** `softrl compare`: both faces with one seed and the same settings, an iteration of each in turn. */
export async function compareCommand(options: OptionValues, terminal: Terminal): Promise<number> {
  const gap = options.subtractGap === true ? "subtracted" : "kept";
  const configs = theFaces.map((algorithm) => chosenConfig(options, { algorithm }));
  const assemblies: Assembly[] = [];
  const folders: RunFolder[] = [];
  const interrupt = listenForInterrupt(terminal.err);
  try {
    for (const config of configs) {
      const assembly = await assembleUnlessInterrupted(interrupt, config, true, { gap });
      if (assembly === null) {
        const report = { faces: configs.map(notStarted), interrupted: true, version, runFolder: null };
        if (options.json === true) writeJson(terminal.out, report);
        return INTERRUPTED;
      }
      assemblies.push(assembly);
    }
    const folder = openRunFolder(options, configs[0], "compare");
    folders.push(folder);
    interrupt.now("training");
    const runs = configs.map((config, i) => {
      const inner = folder.inner(config.algorithm);
      folders.unshift(inner);
      writeConfig(inner, config);
      const { environment, algorithm, executor } = assemblies[i];
      const trainer = new Trainer(config, { environment, algorithm, store: inner, clock });
      return { config, inner, trainer, executor };
    });

    const display = new ProgressDisplay(terminal.err, clock);
    const onProgress = (progress: readonly TrainProgress[]) => display.show(progress);
    const comparison = await compare(
      runs.map(({ trainer }) => trainer),
      { clock, pause, signal: interrupt.signal, onProgress },
      { watchParameters: gap === "subtracted" },
    ).finally(() => display.end());
    const { faces, theorem, parameterDistance, interrupted } = comparison;

    const reports: RunReport[] = [];
    for (const [i, { config, inner, executor, trainer }] of runs.entries()) {
      const { curve: _, ...result } = faces[i];
      reports.push(await writeReport(inner, config, executor.name, result, trainer));
    }
    const curves = faces.map(({ curve }, i) => named(configs[i].algorithm, curve));
    await writeChart(folder, configs[0], curves);
    const report = { faces: reports, theorem, parameterDistance, interrupted, version };
    writeResult(folder, report);
    const chart = `${folder.path}/${runFiles.chart}`;
    if (options.json === true) writeJson(terminal.out, { ...report, chart, runFolder: folder.path });
    else terminal.out.write(inWords(configs[0], reports, terminalPlot(curves), comparison, chart));
    if (interrupted) return INTERRUPTED;
    return theorem.holds ? 0 : 1;
  } catch (error) {
    throw endFailed(folders, error);
  } finally {
    interrupt.dispose();
    for (const folder of folders) folder.close();
    for (const { environment } of assemblies) await environment.close();
  }
}

function inWords(
  config: TrainConfig,
  reports: readonly RunReport[],
  plot: string,
  { theorem, parameterDistance }: Comparison,
  chart: string,
): string {
  const rows = reports.map((report) => [
    algorithmTitle(report.algorithm),
    inShort(report.meanReturn),
    counted(report.episodes),
    counted(report.steps),
    counted(report.stepsPerSecond),
  ]);
  return [
    `${environmentTitle(config)}, seed ${config.seed}: mean return of the last 100 training episodes`,
    "",
    ...(plot === "" ? [] : [plot, ""]),
    table(["", "mean return", "episodes", "steps", "steps/s"], rows),
    "",
    `the theorem (§4, §6.3) at the networks that were learned, on traced gradients in float64:`,
    `  per sample, ∇soft-Q = ∇A2C + gap   relative residual ${theorem.perSample.toExponential(1)}`,
    `  over actions, E ∇soft-Q = E ∇A2C   relative residual ${theorem.expected.toExponential(1)}`,
    `  bound ${theorem.bound.toExponential(0)}: ${theorem.holds ? "holds" : "DOES NOT HOLD"}`,
    ...distanceInWords(parameterDistance),
    "",
    `chart: ${chart}`,
    "",
  ].join("\n");
}

function distanceInWords(distance: Comparison["parameterDistance"]): string[] {
  if (distance === null) return [];
  const { updates, largest } = distance;
  return [
    "",
    "soft Q-learning descended its loss less the gap: its parameters are A2C's,",
    `  ${largest.toExponential(1)} apart at most, relative, after each of ${counted(updates)} updates`,
  ];
}
