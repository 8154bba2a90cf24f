import {
  encodeCheckpoint,
  oneLine,
  requireChangeEffects,
  runConfig,
  type Snapshot,
  SoftrlError,
  savedOutcome,
  savedPieceFiles,
  stepSettings,
  type Trainer,
} from "softrl";
import { partsOfOptions, scanArguments } from "../options/part-options.js";
import type { OptionValues } from "../options/plain-options.js";
import {
  foreignOptions,
  refuseForeign,
  type SettingOption,
  settingOptions,
  textOf,
} from "../options/setting-options.js";
import { findParts, type RunParts } from "../parts/run-parts.js";
import { makeExecutor } from "../runs/executor.js";
import { reportRun } from "../runs/report-run.js";
import { RunFolder } from "../runs/run-folder.js";
import type { RunPlan } from "../runs/run-plan.js";
import { hasReport, reportedRun, writeConfig } from "../runs/run-report.js";
import {
  canResume,
  currentRun,
  openSavedRun,
  placeOf,
  readingOf,
  requireSavedSettings,
  type SavedRun,
  savedExecutor,
  savedParts,
  type TrustedRun,
  uneditedConfig,
  withModules,
} from "../runs/saved-run.js";
import { tensorBoardFollower } from "../runs/tensorboard-follower.js";
import { outputOf, runTraining } from "../runs/training.js";
import { marked, requireTrust } from "../runs/trusted-run.js";
import { eventLogNumbers } from "../tensorboard/event-log-names.js";
import { pathArgument } from "../terminal/shown-path.js";
import type { Terminal } from "../terminal/terminal.js";

/** A run and its parts. */
interface OpenedRun {
  readonly run: TrustedRun;
  readonly parts: RunParts;
}

/** A run that `resume` names, and its parts. */
export interface ResumeDraft {
  readonly run: TrustedRun | null;
  readonly parts: RunParts;
}

/** Finds the run folder among the arguments, and the parts of its run; those of a default run where there is none. */
export async function draftResume(args: readonly string[]): Promise<ResumeDraft> {
  const folder = args.find((argument) => !argument.startsWith("-") && RunFolder.hasCheckpoint(argument));
  if (folder === undefined) return { run: null, parts: await findParts({}) };
  return draftOf(openSavedRun(folder), scanArguments(args));
}

/** @param options those that name a part, which only a moved file needs, and `--trust` */
async function draftOf(opened: SavedRun, options: OptionValues): Promise<OpenedRun> {
  const named = partsOfOptions(options);
  const trust = options.trust === true;
  const run = requireTrust(opened, { named, restores: true, trust });
  return { run, parts: await readingOf(run, () => findParts(savedParts(run, named))) };
}

/** The options of a run that may change while it is stopped: its length, and its live settings. */
export function liveOptions(parts: RunParts): readonly SettingOption[] {
  return settingOptions(parts).filter(({ section, name, setting }) => {
    if (section === "run") return name === "steps";
    return setting.live && (section === "algorithm" || (section === "optimiser" && name in stepSettings));
  });
}

/**
 * `softrl resume <run-folder>`: continues a run from its checkpoint, as if it had never stopped. A run at its last step
 * gets what a kill or an error has cost it: its last events, its result and its pictures.
 */
export async function resumeCommand(
  folder: string,
  options: OptionValues,
  draft: ResumeDraft,
  terminal: Terminal,
): Promise<number> {
  const opened = draft.run?.folder === folder ? draft.run : openSavedRun(folder);
  const store = RunFolder.reopen(folder);
  try {
    // Another process may have gone on with the run since the arguments were read.
    const run = currentRun(opened);
    const current = run === draft.run ? { run: draft.run, parts: draft.parts } : await draftOf(run, options);
    return await resumeIn(store, current, options, terminal);
  } finally {
    store.close();
  }
}

async function resumeIn(
  store: RunFolder,
  { run, parts }: OpenedRun,
  options: OptionValues,
  terminal: Terminal,
): Promise<number> {
  const folder = store.path;
  marked(store, parts);
  const isLogged = options.tensorboard === true || eventLogNumbers(folder).length > 0;
  const follow = await tensorBoardFollower(isLogged);
  follow(store);
  const shown = uneditedConfig(run);
  const changes = changesOf(options, parts, run);
  const withoutReplay = options.withoutReplay === true;
  if (withoutReplay) requireReplay(run);
  const executor = await makeExecutor(savedExecutor(run));
  const { kinds, environment, modules, known } = parts;
  const { chosen } = run.config;
  const choice = { kinds, modules, environment, executor, chosen, known };
  const config = readingOf(run, () => {
    const complete = runConfig(choice, run.where);
    requireSavedSettings(run, complete);
    return complete;
  });
  const live = liveOptions(parts);
  const flagOf = (changed: string) => live.find(({ name }) => name === changed)?.flag ?? changed;
  requireChangeEffects(flagOf, kinds.algorithm, config.algorithm, changes);
  const kept = store.keepEvents(placeOf(run));
  const outcome = savedOutcome(run.path, run.snapshot, config.run, kept.stepsPerSecond);
  const plan: RunPlan = { config, parts, executor, where: run.where, restores: true };
  requireLonger(run, changes.steps);
  const hasEnded = !outcome.result.interrupted && changes.steps === undefined;
  const isComplete = kept.finished && hasReport(store, outcome);
  if (hasEnded && !isComplete && Object.keys(changes).length === 0) {
    const reported = { ...reportedRun(plan), ...(kept.origin === null ? {} : { origin: kept.origin }) };
    store.pieces.keepOnly(readingOf(run, () => savedPieceFiles(run.path, run.snapshot)));
    if (!kept.finished) store.append({ event: "finished", step: run.step });
    await reportRun(
      store,
      { ...reported, canResume: canResume(run), pictures: outputOf(options).pictures },
      outcome,
      options.json === true,
      terminal,
    );
    return 0;
  }
  requireState(run);
  if (hasEnded) {
    throw new SoftrlError(folder, "the run is already finished", { remedy: "pass --steps to extend it" });
  }
  const snapshot = { ...run.snapshot, config: JSON.stringify(withModules(run.json, modules)) };
  const begin = async (trainer: Trainer) => {
    const lost = await trainer.restore(snapshot, { withoutReplay });
    if (lost !== null) terminal.err.write(`softrl: ${lostText(lost)}\n`);
    // A kill may have come between the writing of the two files.
    const isShown = shown === null || JSON.stringify(withModules(shown, modules)) === JSON.stringify(shown);
    if (snapshot.config !== run.snapshot.config || !isShown) keepModules(store, plan, snapshot);
    if (Object.keys(changes).length > 0) await trainer.set(changes);
  };
  return runTraining(plan, { open: () => store, begin }, outputOf(options), terminal);
}

/** What is printed where the checkpoint or `--without-replay` leaves out a part of the run. */
const lostText = (lost: string): string =>
  oneLine(`${lost}: the result differs from that of a run that never stopped`, 500);

/** Writes where the files of a run's parts are now. */
function keepModules(folder: RunFolder, { config }: RunPlan, snapshot: Snapshot): void {
  folder.writeCheckpoint(encodeCheckpoint(snapshot));
  writeConfig(folder, config);
}

/** The live settings that options change, checked. */
function changesOf(options: OptionValues, parts: RunParts, run: SavedRun): Readonly<Record<string, number>> {
  const all = settingOptions(parts);
  refuseForeign(options, foreignOptions(parts, all), parts);
  const live = liveOptions(parts);
  const flags = new Set(live.map(({ flag }) => flag));
  const fixed = all.find((option) => !flags.has(option.flag) && textOf(options, option) !== undefined);
  if (fixed !== undefined) {
    throw new SoftrlError(fixed.flag, "this cannot change during a run", {
      expected: [...flags].join(", "),
      got: fixed.flag,
      remedy: `start a new run: softrl train --config ${pathArgument(`${run.folder}/config.json`)} ${fixed.flag} …`,
    });
  }
  const changes = live.flatMap((option) => {
    const text = textOf(options, option);
    return text === undefined ? [] : [[option.name, liveNumber(option, text)]];
  });
  return Object.fromEntries(changes);
}

function liveNumber({ flag, setting }: SettingOption, text: string): number {
  const value = setting.check(flag, setting.fromText(text));
  if (typeof value === "number") return value;
  throw new SoftrlError(flag, "invalid value", {
    expected: "a number",
    got: JSON.stringify(text),
    remedy: "a resumed run cannot start a new schedule",
  });
}

/** @throws SoftrlError for a run whose environments cannot save their state. */
function requireState(run: SavedRun): void {
  if (canResume(run)) return;
  throw new SoftrlError(run.path, `${run.config.names.environment} cannot save its state`, {
    expected: "a checkpoint with the state of the environments",
    remedy: "this run cannot be continued; evaluate and record play its policy",
  });
}

/** @throws SoftrlError for a run whose checkpoint has no replay to leave out. */
function requireReplay({ path, snapshot }: SavedRun): void {
  if (snapshot.pieceFiles !== undefined) return;
  throw new SoftrlError("--without-replay", `${path} has no replay`, { remedy: "leave the option out" });
}

/** @throws SoftrlError for a length of the run that has been reached. */
function requireLonger({ step }: SavedRun, chosen?: number): void {
  if (chosen === undefined || step < chosen) return;
  const taken = chosen < step ? `is below the ${step} steps already taken` : "steps are already taken";
  throw new SoftrlError("--steps", `${chosen} ${taken}`, { remedy: "name more, to extend the run" });
}
