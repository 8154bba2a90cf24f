import { iterateTogether, type Trainer, type TrainProgress } from "softrl";
import type { OptionValues } from "../options/plain-options.js";
import { INTERRUPTED, listenForInterrupt } from "../terminal/interrupt.js";
import { ProgressDisplay } from "../terminal/progress.js";
import { isSupervised, SupervisedDisplay } from "../terminal/supervisor.js";
import { clock, pause, type Terminal, writeJson } from "../terminal/terminal.js";
import { assemble, closeEnvironments, unlessInterrupted } from "./assemble.js";
import { endFailed } from "./failed-run.js";
import { LateStore } from "./late-store.js";
import { WarningLines } from "./learning-warning.js";
import { reportRun } from "./report-run.js";
import type { RunFolder } from "./run-folder.js";
import type { RunPlan } from "./run-plan.js";
import { notStarted, reportedRun } from "./run-report.js";

/** What differs between `train` and `resume`. */
export interface Beginning {
  /** Opens the run's folder, once environment and algorithm are made. */
  readonly open: () => RunFolder;
  /** Brings the trainer to its first iteration: from the seed, or from a checkpoint. */
  readonly begin: (trainer: Trainer, folder: RunFolder) => Promise<void>;
}

/** What a training prints and draws at its end. */
export interface TrainingOutput {
  /** Whether the result is one line of JSON. */
  readonly json: boolean;
  readonly pictures: boolean;
}

/** What the options of `train` and `resume` choose of it. */
export const outputOf = (options: OptionValues): TrainingOutput => ({
  json: options.json === true,
  pictures: options.chart !== false,
});

/** Trains to the last step or to Ctrl-C, and reports; returns the exit code. */
export async function runTraining(
  plan: RunPlan,
  { open, begin }: Beginning,
  { json, pictures }: TrainingOutput,
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
    warnUnlessResumable([trainer], terminal);
    warnUnlessReproducible([trainer], terminal);
    const display = isSupervised() ? new SupervisedDisplay(clock) : new ProgressDisplay(terminal.err, clock);
    const warnings = new WarningLines([{ trainer, plan }]);
    const { signal } = interrupt;
    const onProgress = (runs: readonly TrainProgress[]) => {
      warnings.show(terminal, () => display.end());
      display.show(runs);
    };
    await iterateTogether([trainer], { clock, pause, signal, onProgress }).finally(() => display.end());

    const result = await trainer.finish();
    const { curve, measurements, evaluations } = trainer;
    const outcome = { result, curve, measurements, evaluations };
    const { canResume } = trainer;
    await reportRun(folder, { ...reportedRun(plan), canResume, pictures }, outcome, json, terminal);
    return result.interrupted ? INTERRUPTED : 0;
  } catch (error) {
    throw endFailed(store.opened === null ? [] : [store.opened], error, trainer?.canResume);
  } finally {
    interrupt.dispose();
    store.opened?.close();
    if (trainer !== null) await closeEnvironments(trainer);
  }
}

/** Warns of runs whose environment cannot save its state: once they have started, it is known. */
export function warnUnlessResumable(trainers: readonly Trainer[], { err }: Terminal): void {
  const stuck = trainers.find(({ canResume }) => !canResume);
  if (stuck === undefined) return;
  const what =
    trainers.length === 1
      ? "this run cannot be resumed once it has stopped"
      : "these runs cannot be resumed once they have stopped";
  err.write(`softrl: ${stuck.environment.id} cannot save its state: ${what}\n`);
}

/** Reports runs whose workers update without locks. */
export function warnUnlessReproducible(trainers: readonly Trainer[], { err }: Terminal): void {
  const varying = trainers.filter(({ algorithm }) => algorithm.isReproducible === false);
  for (const name of new Set(varying.map(({ config }) => config.algorithm.name))) {
    err.write(
      `softrl: ${name} with several workers is not reproducible: the same seed gives other numbers\n`,
    );
  }
}
