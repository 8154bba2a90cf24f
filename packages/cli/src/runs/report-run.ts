import { type EvaluationSummary, oneLine, type RunOutcome, SoftrlError } from "softrl";
import { oracleLine } from "../figures/oracle-report.js";
import { errorText } from "../parts/file-fault.js";
import { pathArgument, shownPath } from "../terminal/shown-path.js";
import { columnsOf, counted, inShort, type Terminal, writeJson } from "../terminal/terminal.js";
import { terminalPlot } from "../terminal/terminal-plot.js";
import type { Change } from "./event-file.js";
import { learningWarningText } from "./learning-warning.js";
import type { RunFolder } from "./run-folder.js";
import {
  environmentTitle,
  type ReportedRun,
  type RunReport,
  type WrittenReport,
  writeReport,
} from "./run-report.js";

/** A run whose report is printed, too. */
export interface PrintedRun extends ReportedRun {
  /** Whether it can be resumed once it was interrupted. */
  readonly canResume: boolean;
}

/** Writes and prints the report of a run. */
export async function reportRun(
  folder: RunFolder,
  run: PrintedRun,
  outcome: RunOutcome,
  json: boolean,
  terminal: Terminal,
): Promise<WrittenReport> {
  const written = await writeReport(folder, run, outcome);
  const { report, pictureError } = written;
  if (json) {
    writeJson(terminal.out, { ...report, runFolder: folder.path });
  } else {
    const plot = terminalPlot([{ name: run.title, ...outcome.curve }], columnsOf(terminal.out));
    const resume =
      report.interrupted && run.canResume ? `\nto continue: softrl resume ${pathArgument(folder.path)}` : "";
    terminal.out.write(
      `${plot === "" ? "" : `${plot}\n\n`}${summary(run, report)}\nrun folder: ${shownPath(folder.path)}${resume}\n`,
    );
  }
  if (pictureError !== null) terminal.err.write(`softrl: ${pictureWarning(folder, pictureError)}\n`);
  return written;
}

/** What is printed where a run has its result, but a picture could not be drawn. */
export function pictureWarning({ path }: Pick<RunFolder, "path">, error: unknown): string {
  const why = error instanceof SoftrlError ? error.message : `${errorText(error)}.`;
  return oneLine(`warning: a picture could not be drawn: ${why} The result is in ${path}/result.json.`, 1500);
}

function summary({ config, title }: ReportedRun, report: RunReport): string {
  const { seed, meanReturn, episodes, steps, stepsPerSecond, changes = [] } = report;
  const outcome =
    episodes === 0
      ? "no episode ended, so there is no mean return"
      : `mean return ${inShort(meanReturn)} over the last ${Math.min(100, episodes)} of ${counted(episodes)} episodes`;
  return (
    `${title} on ${oneLine(environmentTitle(config), 200)}, seed ${seed}: ${outcome}\n` +
    `${counted(steps)} steps at ${counted(stepsPerSecond)} per second (${oneLine(report.executor, 40)})` +
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
  return oneLine(`changed at step ${counted(step)}: ${values.join(", ")}`, 1000);
}
