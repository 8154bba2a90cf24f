import { builtInAlgorithms, oneLine, runSettings, savedOutcome, sectionValues } from "softrl";
import type { OptionValues } from "../options/plain-options.js";
import type { RunOrigin } from "../runs/event-file.js";
import { type PrintedRun, reportRun } from "../runs/report-run.js";
import { RunFolder } from "../runs/run-folder.js";
import { savedEnvironment } from "../runs/saved-policy.js";
import { canResume, currentRun, openSavedRun, placeOf, readingOf, type SavedRun } from "../runs/saved-run.js";
import type { Terminal } from "../terminal/terminal.js";

/**
 * `softrl report <run-folder>`: writes a run's result and pictures again, from its checkpoint and its events. It needs
 * neither the environment nor the executor, and loads no code that the run names.
 */
export async function reportCommand(
  runFolder: string,
  options: OptionValues,
  terminal: Terminal,
): Promise<number> {
  const opened = openSavedRun(runFolder);
  const folder = RunFolder.reopen(runFolder);
  try {
    // Another process may have gone on with the run until the folder was locked.
    const run = currentRun(opened);
    const kept = folder.keepEvents(placeOf(run));
    const { outcome, reported } = readingOf(run, () => {
      const settings = sectionValues(`${run.path}: run`, runSettings, run.config.chosen.run ?? {});
      const outcome = savedOutcome(run.path, run.snapshot, settings, kept.stepsPerSecond);
      return { outcome, reported: reportedOf(run, settings.seed, kept.origin ?? savedOrigin(run)) };
    });
    if (!outcome.result.interrupted && !kept.finished) folder.append({ event: "finished", step: run.step });
    const { pictureError } = await reportRun(folder, reported, outcome, options.json === true, terminal);
    return pictureError === null ? 0 : 1;
  } finally {
    folder.close();
  }
}

function reportedOf(run: SavedRun, seed: number, origin: RunOrigin): PrintedRun {
  const { names, modules, chosen } = run.config;
  const { algorithm: name = "" } = names;
  const builtIn =
    modules.algorithm === undefined ? builtInAlgorithms.find((kind) => kind.name === name) : undefined;
  const section = chosen.algorithm ?? {};
  const settings =
    builtIn === undefined
      ? Object.fromEntries(Object.entries(section).filter(([, value]) => typeof value === "number"))
      : sectionValues(`${run.path}: algorithm`, builtIn.settings, section);
  const config = { run: { seed }, environment: savedEnvironment(run), algorithm: { ...settings, name } };
  return { config, title: builtIn?.title ?? oneLine(name, 100), origin, canResume: canResume(run) };
}

/** What the checkpoint holds of its origin, where the events do not. */
function savedOrigin({ config, snapshot }: SavedRun): RunOrigin {
  const { executor = "unknown", precision: saved, ...others } = config.executor;
  const precision = saved === "float64" ? saved : "float32";
  return { executor, precision, ...others, version: String(snapshot.version) };
}
