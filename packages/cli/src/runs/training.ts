import {
  type AlgorithmKind,
  type EvaluationSummary,
  iterateTogether,
  type RunConfig,
  type Trainer,
  type TrainProgress,
  type VectorEnvironment,
} from "softrl";
import { oracleLine } from "../figures/oracle-report.js";
import { INTERRUPTED, listenForInterrupt } from "../terminal/interrupt.js";
import { ProgressDisplay } from "../terminal/progress.js";
import { clock, columnsOf, counted, inShort, pause, type Terminal, writeJson } from "../terminal/terminal.js";
import { terminalPlot } from "../terminal/terminal-plot.js";
import { assemble, closeEnvironments, unlessInterrupted } from "./assemble.js";
import { endFailed } from "./failed-run.js";
import { LateStore } from "./late-store.js";
import { learningWarningText, WarningLines } from "./learning-warning.js";
import type { RunFolder } from "./run-folder.js";
import type { RunPlan } from "./run-plan.js";
import {
  type Change,
  environmentTitle,
  named,
  notStarted,
  type RunReport,
  writeReport,
} from "./run-report.js";

/** What differs between `train` and `resume`. */
export interface Beginning {
  /** Opens the run's folder, once environment and algorithm are made. */
  readonly open: () => RunFolder;
  /** Brings the trainer to its first iteration: from the seed, or from a checkpoint. */
  readonly begin: (trainer: Trainer, folder: RunFolder) => Promise<void>;
}

/** Trains to the last step or to Ctrl-C, and reports; returns the exit code. */
export async function runTraining(
  plan: RunPlan,
  { open, begin }: Beginning,
  json: boolean,
  terminal: Terminal,
): Promise<number> {
  const interrupt = listenForInterrupt(terminal.err);
  const store = new LateStore(open);
  let trainer: Trainer | null = null;
  try {
    const make = () => assemble(plan, store, interrupt);
    trainer = await unlessInterrupted(interrupt, make, closeEnvironments);
    if (trainer === null) {
      if (json) writeJson(terminal.out, notStarted(plan.config));
      return INTERRUPTED;
    }
    const folder = store.store;
    interrupt.now("training");
    await begin(trainer, folder);
    const canResume = await warnUnlessSaved(trainer.environment, terminal.err);
    const display = new ProgressDisplay(terminal.err, clock);
    const warnings = new WarningLines([{ trainer, plan }]);
    const { signal } = interrupt;
    const onProgress = (runs: readonly TrainProgress[]) => {
      warnings.show(terminal, () => display.end());
      display.show(runs);
    };
    await iterateTogether([trainer], { clock, pause, signal, onProgress }).finally(() => display.end());

    const result = await trainer.finish();
    const report = await writeReport(folder, plan, result, trainer);
    if (json) {
      writeJson(terminal.out, { ...report, runFolder: folder.path });
    } else {
      const { algorithm } = plan.parts.kinds;
      const plot = terminalPlot([named(algorithm, trainer.curve)], columnsOf(terminal.out));
      const resume = report.interrupted && canResume ? `\nto continue: softrl resume ${folder.path}` : "";
      terminal.out.write(
        `${plot === "" ? "" : `${plot}\n\n`}${summary(plan.config, algorithm, report)}\n` +
          `run folder: ${folder.path}${resume}\n`,
      );
    }
    return report.interrupted ? INTERRUPTED : 0;
  } catch (error) {
    throw endFailed(store.opened === null ? [] : [store.opened], error);
  } finally {
    interrupt.dispose();
    store.opened?.close();
    if (trainer !== null) await closeEnvironments(trainer);
  }
}

/**
 * Prints at the start that a run cannot be resumed, where its environments cannot save their state.
 * @returns whether it can be resumed
 */
async function warnUnlessSaved(environment: VectorEnvironment, err: Terminal["err"]): Promise<boolean> {
  if ((await environment.save()) !== null) return true;
  err.write(
    `softrl: ${environment.id} cannot save its state: this run cannot be resumed once it has stopped\n`,
  );
  return false;
}

function summary(config: RunConfig, { title }: AlgorithmKind, report: RunReport): string {
  const { seed, meanReturn, episodes, steps, stepsPerSecond, changes = [] } = report;
  const outcome =
    episodes === 0
      ? "no episode ended, so there is no mean return"
      : `mean return ${inShort(meanReturn)} over the last ${Math.min(100, episodes)} of ${counted(episodes)} episodes`;
  return (
    `${title} on ${environmentTitle(config)}, seed ${seed}: ${outcome}\n` +
    `${counted(steps)} steps at ${counted(stepsPerSecond)} per second (${report.executor})` +
    `${report.interrupted ? ", interrupted" : ""}` +
    changes.map((change) => `\n${changeText(change)}`).join("") +
    `${report.evaluation === undefined ? "" : `\n${evaluationText(report.evaluation)}`}` +
    `${report.warning === undefined ? "" : `\nwarning: ${learningWarningText(report.warning)}`}` +
    `${report.oracle === undefined ? "" : `\n${oracleLine(report.oracle.figures)}`}`
  );
}

/** `evaluation at step 500 000: mean return 312 of 10 episodes, standard deviation 20; best 480 at step 400 000` */
function evaluationText({ last, best }: EvaluationSummary): string {
  const { step, episodes, meanReturn, standardDeviation, cut } = last;
  const spread = standardDeviation === null ? "" : `, standard deviation ${inShort(standardDeviation)}`;
  return (
    `evaluation at step ${counted(step)}: mean return ${inShort(meanReturn)} of ${counted(episodes)} ` +
    `episode${episodes === 1 ? "" : "s"}${spread}${cut === 0 ? "" : `, ${counted(cut)} cut`}; ` +
    `best ${inShort(best.meanReturn)} at step ${counted(best.step)}`
  );
}

/** `changed at step 4 000: tau 0.01, steps 80000` */
function changeText({ step, settings }: Change): string {
  const values = Object.entries(settings).map(([name, value]) => `${name} ${value}`);
  return `changed at step ${counted(step)}: ${values.join(", ")}`;
}
