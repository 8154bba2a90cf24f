import {
  type AlgorithmKind,
  a2c,
  type ChosenSettings,
  type Comparison,
  compare,
  type RunConfig,
  SoftrlError,
  softQLearning,
  type Trainer,
  type TrainProgress,
  version,
} from "softrl";
import type { OptionValues } from "../options/plain-options.js";
import { assemble, closeEnvironments, unlessInterrupted } from "../runs/assemble.js";
import { endFailed } from "../runs/failed-run.js";
import { LateStore } from "../runs/late-store.js";
import { learningWarningText, WarningLines } from "../runs/learning-warning.js";
import { replacementText, without } from "../runs/replaced-parts.js";
import { pictureWarning } from "../runs/report-run.js";
import { type RunFolder, runFiles } from "../runs/run-folder.js";
import { draftRun, planRun, type RunDraft, type RunPlan } from "../runs/run-plan.js";
import {
  environmentTitle,
  errorOf,
  named,
  notStarted,
  openRunFolder,
  type RunReport,
  reportedRun,
  writeChart,
  writeConfig,
  writeReport,
  writeResult,
} from "../runs/run-report.js";
import { tensorBoardFollower } from "../runs/tensorboard-follower.js";
import { warnUnlessResumable } from "../runs/training.js";
import { marked } from "../runs/trusted-run.js";
import { INTERRUPTED, listenForInterrupt } from "../terminal/interrupt.js";
import { ProgressDisplay } from "../terminal/progress.js";
import {
  clock,
  columnsOf,
  counted,
  inShort,
  pause,
  type Terminal,
  table,
  writeJson,
} from "../terminal/terminal.js";
import { terminalPlot } from "../terminal/terminal-plot.js";

const algorithms: readonly AlgorithmKind[] = [a2c, softQLearning];

/** The drafts of both runs. */
export async function draftComparison(args: readonly string[]): Promise<readonly RunDraft[]> {
  const drafts = [];
  for (const { name } of algorithms) {
    const algorithm = { name, where: "compare", folder: "." };
    const draft = await draftRun(args, { algorithm });
    requireCompared(draft);
    drafts.push(draft);
  }
  const leftOut = leftOutOf(drafts);
  return drafts.map((draft) => commonSettings(draft, leftOut));
}

/** @throws SoftrlError for a file of settings that names another algorithm. */
function requireCompared({ file }: RunDraft): void {
  if (file === null) return;
  const { algorithm: name } = file.names;
  const { algorithm: module } = file.modules;
  const isCompared = name === undefined || algorithms.some((algorithm) => algorithm.name === name);
  if (isCompared && module === undefined) return;
  throw new SoftrlError(`${file.path}: algorithm.name`, "compare trains a2c and soft-q only", {
    expected: algorithms.map((algorithm) => algorithm.name).join(" or "),
    got: JSON.stringify(name ?? module),
    remedy: "train another algorithm with softrl train --config",
  });
}

/** The settings of the file's algorithm that one of the two does not have: both do without. */
function leftOutOf(drafts: readonly RunDraft[]): readonly string[] {
  const names = drafts.flatMap(({ replacements }) =>
    replacements.filter(({ section }) => section === "algorithm").flatMap(({ leftOut }) => leftOut),
  );
  return [...new Set(names)];
}

function commonSettings(draft: RunDraft, leftOut: readonly string[]): RunDraft {
  const { file } = draft;
  if (file === null) return draft;
  const algorithm = without(file.chosen.algorithm ?? {}, leftOut);
  return { ...draft, file: { ...file, chosen: { ...file.chosen, algorithm } } };
}

/** One line for each part of the file that the runs do without, or of which they leave out settings. */
function noticesOf(drafts: readonly RunDraft[]): readonly string[] {
  const lines = drafts.flatMap(({ replacements }) =>
    replacements.filter(({ section }) => section !== "algorithm").map(replacementText),
  );
  const leftOut = leftOutOf(drafts);
  if (leftOut.length > 0) {
    lines.unshift(`compare uses the settings that a2c and soft-q share; left out: ${leftOut.join(", ")}`);
  }
  return [...new Set(lines)];
}

/** `softrl compare`: both algorithms with one seed and the same settings, an iteration of each in turn. */
export async function compareCommand(
  options: OptionValues,
  drafts: readonly RunDraft[],
  terminal: Terminal,
): Promise<number> {
  const subtractsGap = options.subtractGap === true;
  const plans: RunPlan[] = [];
  for (const draft of drafts) plans.push(await planOne(options, draft, subtractsGap));
  for (const line of noticesOf(drafts)) terminal.err.write(`softrl: ${line}\n`);
  const [{ config: first }] = plans;
  const follow = await tensorBoardFollower(options.tensorboard === true);
  const trainers: Trainer[] = [];
  const folders: RunFolder[] = [];
  const interrupt = listenForInterrupt(terminal.err);
  try {
    const outer = new LateStore(() => {
      const folder = openRunFolder(options, first, "compare");
      folders.push(folder);
      return folder;
    });
    const stores = plans.map(
      ({ config, parts }) =>
        new LateStore(() => follow(marked(outer.store.inner(config.algorithm.name), parts))),
    );
    for (const [i, plan] of plans.entries()) {
      const make = () => assemble(plan, stores[i], interrupt);
      const trainer = await unlessInterrupted(interrupt, make, closeEnvironments);
      if (trainer === null) {
        const runs = plans.map(({ config }) => notStarted(config));
        if (options.json === true)
          writeJson(terminal.out, { runs, interrupted: true, version, runFolder: null });
        return INTERRUPTED;
      }
      trainers.push(trainer);
    }
    const folder = outer.store;
    interrupt.now("training");
    for (const [i, { config }] of plans.entries()) {
      folders.unshift(stores[i].store);
      writeConfig(stores[i].store, config);
    }
    const display = new ProgressDisplay(terminal.err, clock);
    const warnings = new WarningLines(trainers.map((trainer, i) => ({ trainer, plan: plans[i] })));
    const onProgress = (progress: readonly TrainProgress[]) => {
      warnings.show(terminal, () => display.end());
      display.show(progress);
    };
    const comparison = await compare(
      trainers,
      { clock, pause, signal: interrupt.signal, onProgress },
      { onStarted: () => warnUnlessResumable(trainers, terminal), watchParameters: subtractsGap },
    ).finally(() => display.end());
    const { runs, theorem, parameterDistance, interrupted } = comparison;

    const reports: RunReport[] = [];
    const pictureErrors: unknown[] = [];
    for (const [i, plan] of plans.entries()) {
      const { curve, ...result } = runs[i];
      const { measurements, evaluations } = trainers[i];
      const outcome = { result, curve, measurements, evaluations };
      const written = await writeReport(stores[i].store, reportedRun(plan), outcome);
      reports.push(written.report);
      pictureErrors.push(written.pictureError);
    }
    const curves = runs.map(({ curve }, i) => named(algorithms[i], curve));
    const report = { runs: reports, theorem, parameterDistance, interrupted, version };
    writeResult(folder, report);
    pictureErrors.push(await errorOf(() => writeChart(folder, first, curves)));
    const chart = `${folder.path}/${runFiles.chart}`;
    if (options.json === true) writeJson(terminal.out, { ...report, chart, runFolder: folder.path });
    else {
      const plot = terminalPlot(curves, columnsOf(terminal.out));
      terminal.out.write(summaryOf(first, reports, plot, comparison, chart));
    }
    const pictureError = pictureErrors.find((error) => error !== null);
    if (pictureError !== undefined) terminal.err.write(`softrl: ${pictureWarning(folder, pictureError)}\n`);
    if (interrupted) return INTERRUPTED;
    return theorem.holds ? 0 : 1;
  } catch (error) {
    throw endFailed(folders, error);
  } finally {
    interrupt.dispose();
    for (const folder of folders) folder.close();
    for (const trainer of trainers) await closeEnvironments(trainer);
  }
}

function planOne(options: OptionValues, draft: RunDraft, subtractsGap: boolean): Promise<RunPlan> {
  const isSoftQ = draft.parts.kinds.algorithm === softQLearning;
  const imposed: ChosenSettings = subtractsGap && isSoftQ ? { algorithm: { gap: "subtracted" } } : {};
  // Only float64 shows that parameters are equal up to rounding.
  const standard = subtractsGap ? { name: "reference", where: "--subtract-gap" } : null;
  return planRun(options, draft, imposed, standard);
}

function summaryOf(
  config: RunConfig,
  reports: readonly RunReport[],
  plot: string,
  { theorem, parameterDistance }: Comparison,
  chart: string,
): string {
  const rows = reports.map((report, i) => [
    algorithms[i].title,
    inShort(report.meanReturn),
    counted(report.episodes),
    counted(report.steps),
    counted(report.stepsPerSecond),
  ]);
  return [
    `${environmentTitle(config)}, seed ${config.run.seed}`,
    "mean return of the last 100 training episodes",
    "",
    ...(plot === "" ? [] : [plot, ""]),
    table(["", "mean return", "episodes", "steps", "steps/s"], rows),
    "",
    "the theorem (§4, §6.3) at the learned networks,",
    "on traced gradients in float64, relative residuals:",
    `  per sample, ∇soft-Q = ∇A2C + gap   ${theorem.perSample.toExponential(1)}`,
    `  over actions, E ∇soft-Q = E ∇A2C   ${theorem.expected.toExponential(1)}`,
    `  bound ${theorem.bound.toExponential(0)}: ${theorem.holds ? "holds" : "DOES NOT HOLD"}`,
    ...distanceInWords(parameterDistance),
    ...warningsInWords(reports),
    "",
    `chart: ${chart}`,
    "",
  ].join("\n");
}

function warningsInWords(reports: readonly RunReport[]): string[] {
  const lines = reports.flatMap(({ warning }, i) =>
    warning === undefined ? [] : [`warning: ${algorithms[i].title}: ${learningWarningText(warning)}`],
  );
  return lines.length === 0 ? [] : ["", ...lines];
}

function distanceInWords(distance: Comparison["parameterDistance"]): string[] {
  if (distance === null) return [];
  const { updates, largest } = distance;
  return [
    "",
    "soft Q-learning descended its loss minus the gap; the",
    "largest relative distance of its parameters from A2C's",
    `  after any of ${counted(updates)} updates: ${largest.toExponential(1)}`,
  ];
}
