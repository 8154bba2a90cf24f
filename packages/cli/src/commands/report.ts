import { builtInAlgorithms, oneLine, runSettings, SoftrlError, savedOutcome, sectionValues } from "softrl";
import { requireFree, writeOut } from "../files/out-file.js";
import { outFault } from "../files/write-fault.js";
import { type OptionValues, textOption } from "../options/plain-options.js";
import { holdsRuns } from "../reports/report-paths.js";
import type { RunOrigin } from "../runs/event-file.js";
import { type PrintedRun, reportRun } from "../runs/report-run.js";
import { RunFolder } from "../runs/run-folder.js";
import { savedEnvironment } from "../runs/saved-policy.js";
import { canResume, currentRun, openSavedRun, placeOf, readingOf, type SavedRun } from "../runs/saved-run.js";
import { shownPath } from "../terminal/shown-path.js";
import { type Terminal, writeJson } from "../terminal/terminal.js";

/**
 * `softrl report <runs>`: of a single run folder its result and pictures again; of anything else, or with --out, a page.
 * It needs neither the environment nor the executor, and loads no code that a run names.
 */
export async function reportCommand(
  paths: readonly string[],
  options: OptionValues,
  terminal: Terminal,
): Promise<number> {
  const [path] = paths;
  const isSingle = paths.length === 1 && !holdsRuns(path);
  if (isSingle && textOption(options, "out") === undefined) return reportAgain(path, options, terminal);
  return reportAsPage(paths, options, terminal);
}

const STANDARD_PAGE = "report.html";

/** Writes a page about runs. */
async function reportAsPage(
  paths: readonly string[],
  options: OptionValues,
  terminal: Terminal,
): Promise<number> {
  const out = textOption(options, "out") ?? STANDARD_PAGE;
  const overwrite = options.overwrite === true;
  requireFreePage(out, overwrite);
  // Loaded here: drawing takes longer to load than all the rest of the command.
  const { readReportSource } = await import("../reports/report-source.js");
  const { reportPage } = await import("../reports/report-page.js");
  const source = await readReportSource(paths);
  const page = reportPage(source);
  try {
    writeOut(out, overwrite, page);
  } catch (error) {
    throw outFault(out, error);
  }
  const { length: runs } = source.runs;
  if (options.json === true) writeJson(terminal.out, { out, runs });
  else terminal.out.write(`${shownPath(out)}: ${runs} run${runs === 1 ? "" : "s"}\n`);
  return 0;
}

/** @throws SoftrlError where the page has no name of a page, or is there. */
function requireFreePage(out: string, overwrite: boolean): void {
  if (!/\.html?$/i.test(out)) {
    throw new SoftrlError("--out", `${out} cannot be written`, {
      expected: "a file that ends in .html",
      got: JSON.stringify(out),
    });
  }
  requireFree(out, overwrite);
}

/** Writes the result and the pictures of a run again, from its checkpoint and its events. */
async function reportAgain(runFolder: string, options: OptionValues, terminal: Terminal): Promise<number> {
  if (options.overwrite === true) {
    throw new SoftrlError("--overwrite", "only a page is overwritten on request", {
      remedy: "leave it out, or name a page with --out",
    });
  }
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
