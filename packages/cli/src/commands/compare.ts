import {
  type AlgorithmKind,
  a2c,
  type ChosenSettings,
  type Comparison,
  compare,
  meanInterval,
  type RunConfig,
  SoftrlError,
  softQLearning,
  type Trainer,
  type TrainProgress,
  version,
} from "softrl";
import type { NamedCurve } from "../figures/curve.js";
import { scanArguments } from "../options/part-options.js";
import type { OptionValues } from "../options/plain-options.js";
import { curveAcrossSeeds } from "../plots/across-seeds.js";
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
import { bootstrapStreams } from "../runs/run-statistics.js";
import { tensorBoardFollower } from "../runs/tensorboard-follower.js";
import { warnUnlessReproducible, warnUnlessResumable } from "../runs/training.js";
import { marked } from "../runs/trusted-run.js";
import { seedList } from "../sweeps/seed-list.js";
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

/** What is compared unless `--algorithms` names others. */
const standardAlgorithms: readonly AlgorithmKind[] = [a2c, softQLearning];

/** The drafts of the algorithms, in their order. */
export async function draftComparison(args: readonly string[]): Promise<readonly RunDraft[]> {
  const drafts = [];
  const names = algorithmNames(scanArguments(args).algorithms);
  for (const name of names) {
    const algorithm = { name, where: "--algorithms", folder: process.cwd() };
    const draft = await draftRun(args, { algorithm });
    requireCompared(draft, names);
    drafts.push(draft);
  }
  requireOwnNames(names, drafts);
  const leftOut = leftOutOf(drafts);
  return drafts.map((draft) => commonSettings(draft, leftOut));
}

/** @throws SoftrlError for no names, and for one that stands twice. */
function algorithmNames(text: unknown): readonly string[] {
  if (typeof text !== "string") return standardAlgorithms.map(({ name }) => name);
  const names = text.split(",").map((name) => name.trim());
  if (!names.includes("") && new Set(names).size === names.length) return names;
  throw new SoftrlError("--algorithms", "invalid value", {
    expected: "distinct names or files, such as a2c,soft-q,ppo",
    got: JSON.stringify(text),
  });
}

/** @throws SoftrlError for two files whose algorithms have one name, which is that of their run folder and their curve. */
function requireOwnNames(given: readonly string[], drafts: readonly RunDraft[]): void {
  const own = drafts.map(({ parts }) => parts.kinds.algorithm.name);
  const second = own.findIndex((name, i) => own.indexOf(name) < i);
  if (second === -1) return;
  const first = own.indexOf(own[second]);
  throw new SoftrlError("--algorithms", "two algorithms have the same name", {
    expected: "a name of its own for each: it names the run folder and the curve",
    got: `${JSON.stringify(own[second])} in ${given[first]} and in ${given[second]}`,
    remedy: "change the name that one of the files exports",
  });
}

/** @throws SoftrlError for a file of settings that names another algorithm. */
function requireCompared({ file }: RunDraft, names: readonly string[]): void {
  if (file === null) return;
  const { algorithm: name } = file.names;
  const { algorithm: module } = file.modules;
  const isCompared = name === undefined || names.includes(name);
  if (isCompared && module === undefined) return;
  throw new SoftrlError(`${file.path}: algorithm.name`, `compare trains ${names.join(" and ")} only`, {
    expected: names.join(" or "),
    got: JSON.stringify(name ?? module),
    remedy: "name it in --algorithms, or train it with softrl train --config",
  });
}

/** The settings of the file's algorithm that one of the others does not have: all do without. */
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
    const names = drafts.map(({ parts }) => parts.kinds.algorithm.name).join(" and ");
    lines.unshift(`compare uses the settings that ${names} share; left out: ${leftOut.join(", ")}`);
  }
  return [...new Set(lines)];
}

/** `softrl compare`: each algorithm with each seed and the same settings, an iteration of each run in turn. */
export async function compareCommand(
  options: OptionValues,
  drafts: readonly RunDraft[],
  terminal: Terminal,
): Promise<number> {
  const subtractsGap = options.subtractGap === true;
  const seeds = options.seeds === undefined ? null : seedList("--seeds", options.seeds);
  requireTogether(options, drafts);
  const plans: RunPlan[] = [];
  // Seed by seed: what there is at any time compares all algorithms.
  for (const seed of seeds ?? [null]) {
    for (const draft of drafts) plans.push(await planOne(options, draft, subtractsGap, seed));
  }
  const folderOf = ({ algorithm, run }: RunConfig) =>
    seeds === null ? algorithm.name : `${algorithm.name}-seed-${run.seed}`;
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
      ({ config, parts }) => new LateStore(() => follow(marked(outer.store.inner(folderOf(config)), parts))),
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
      { onStarted: () => warnOf(trainers, terminal), watchParameters: subtractsGap },
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
    const curves = curvesOf(plans, runs);
    const report = { runs: reports, theorem, parameterDistance, interrupted, version };
    writeResult(folder, report);
    pictureErrors.push(await errorOf(() => writeChart(folder, first, curves)));
    const chart = `${folder.path}/${runFiles.chart}`;
    if (options.json === true) writeJson(terminal.out, { ...report, chart, runFolder: folder.path });
    else {
      const plot = terminalPlot(curves, columnsOf(terminal.out));
      terminal.out.write(summaryOf(plans, reports, plot, comparison, chart));
    }
    const pictureError = pictureErrors.find((error) => error !== null);
    if (pictureError !== undefined) terminal.err.write(`softrl: ${pictureWarning(folder, pictureError)}\n`);
    if (interrupted) return INTERRUPTED;
    return theorem === null || theorem.holds ? 0 : 1;
  } catch (error) {
    throw endFailed(folders, error);
  } finally {
    interrupt.dispose();
    for (const folder of folders) folder.close();
    await closeAll(trainers);
  }
}

function warnOf(trainers: readonly Trainer[], terminal: Terminal): void {
  warnUnlessResumable(trainers, terminal);
  warnUnlessReproducible(trainers, terminal);
}

/** Closes the environments of all runs; the first error is thrown once all have been asked to close. */
async function closeAll(trainers: readonly Trainer[]): Promise<void> {
  const closed = await Promise.allSettled(trainers.map(closeEnvironments));
  for (const each of closed) if (each.status === "rejected") throw each.reason;
}

/** @throws SoftrlError for options that cannot be combined. */
function requireTogether({ seed, seeds, subtractGap }: OptionValues, drafts: readonly RunDraft[]): void {
  if (seeds !== undefined && seed !== undefined) {
    throw new SoftrlError("--seed", "--seeds names the seeds", { remedy: "leave --seed out" });
  }
  if (subtractGap !== true) return;
  const kinds = drafts.map(({ parts }) => parts.kinds.algorithm);
  const isPair = kinds.length === 2 && kinds.every((kind, i) => kind === standardAlgorithms[i]);
  if (isPair && seeds === undefined) return;
  throw new SoftrlError("--subtract-gap", "this compares a2c and soft-q with one seed", {
    remedy: "leave out --algorithms and --seeds",
  });
}

function planOne(
  options: OptionValues,
  draft: RunDraft,
  subtractsGap: boolean,
  seed: number | null,
): Promise<RunPlan> {
  const isSoftQ = draft.parts.kinds.algorithm === softQLearning;
  const imposed: ChosenSettings = {
    ...(seed === null ? {} : { run: { seed } }),
    ...(subtractsGap && isSoftQ ? { algorithm: { gap: "subtracted" } } : {}),
  };
  // Only float64 shows that parameters are equal up to rounding.
  const standard = subtractsGap ? { name: "reference", where: "--subtract-gap" } : null;
  return planRun(options, draft, imposed, standard);
}

/** A curve for each algorithm, the mean of its seeds at steps that all of them reached. */
function curvesOf(plans: readonly RunPlan[], runs: Comparison["runs"]): readonly NamedCurve[] {
  return kindsOf(plans).map((kind) => {
    const own = runs.flatMap(({ curve }, i) => (plans[i].parts.kinds.algorithm === kind ? [curve] : []));
    if (own.length === 1) return named(kind, own[0]);
    const whole = own.filter(({ steps }) => steps.length > 0);
    const random = bootstrapStreams().stream(kind.name);
    const points = whole.length === 0 ? [] : curveAcrossSeeds(whole, "mean", random);
    return named(kind, {
      steps: points.map(({ x }) => x),
      meanReturns: points.map(({ estimate }) => estimate),
    });
  });
}

const kindsOf = (plans: readonly RunPlan[]): readonly AlgorithmKind[] => [
  ...new Set(plans.map(({ parts }) => parts.kinds.algorithm)),
];

function summaryOf(
  plans: readonly RunPlan[],
  reports: readonly RunReport[],
  plot: string,
  { theorem, parameterDistance }: Comparison,
  chart: string,
): string {
  const [{ config }] = plans;
  const seeds = [...new Set(plans.map(({ config }) => config.run.seed))];
  const titles = plans.map(({ config, parts }) =>
    seeds.length === 1
      ? parts.kinds.algorithm.title
      : `${parts.kinds.algorithm.title}, seed ${config.run.seed}`,
  );
  const rows = reports.map((report, i) => [
    titles[i],
    inShort(report.meanReturn),
    counted(report.episodes),
    counted(report.steps),
    counted(report.stepsPerSecond),
  ]);
  return [
    `${environmentTitle(config)}, seed${seeds.length === 1 ? "" : "s"} ${seeds.join(", ")}`,
    "mean return of the last 100 training episodes",
    "",
    ...(plot === "" ? [] : [plot, ""]),
    table(["", "mean return", "episodes", "steps", "steps/s"], rows),
    ...(seeds.length === 1 ? [] : acrossSeedsInWords(plans, reports)),
    ...theoremInWords(theorem),
    ...distanceInWords(parameterDistance),
    ...warningsInWords(titles, reports),
    "",
    `chart: ${chart}`,
    "",
  ].join("\n");
}

/** The mean of each algorithm's seeds, with its 95 % bootstrap interval. */
function acrossSeedsInWords(plans: readonly RunPlan[], reports: readonly RunReport[]): readonly string[] {
  const rows = kindsOf(plans).map((kind) => {
    const scores = reports.flatMap(({ meanReturn }, i) =>
      plans[i].parts.kinds.algorithm === kind && meanReturn !== null ? [meanReturn] : [],
    );
    if (scores.length < 2) return [kind.title, inShort(scores[0] ?? null), "–", String(scores.length)];
    const random = bootstrapStreams().stream(kind.name);
    const { estimate, low, high } = meanInterval(scores, { random });
    return [kind.title, inShort(estimate), `${inShort(low)} to ${inShort(high)}`, String(scores.length)];
  });
  return ["", table(["across seeds", "mean", "95 % interval", "runs"], rows)];
}

function theoremInWords(theorem: Comparison["theorem"]): readonly string[] {
  if (theorem === null) return [];
  return [
    "",
    "the theorem (§4, §6.3) at the learned networks,",
    "on traced gradients in float64, relative residuals:",
    `  per sample, ∇soft-Q = ∇A2C + gap   ${theorem.perSample.toExponential(1)}`,
    `  over actions, E ∇soft-Q = E ∇A2C   ${theorem.expected.toExponential(1)}`,
    `  bound ${theorem.bound.toExponential(0)}: ${theorem.holds ? "holds" : "DOES NOT HOLD"}`,
  ];
}

function warningsInWords(titles: readonly string[], reports: readonly RunReport[]): string[] {
  const lines = reports.flatMap(({ warning }, i) =>
    warning === undefined ? [] : [`warning: ${titles[i]}: ${learningWarningText(warning)}`],
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
