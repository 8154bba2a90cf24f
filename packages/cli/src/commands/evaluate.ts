import { type EvaluationProgress, type EvaluationResult, evaluate, version } from "softrl";
import { partsOfOptions } from "../options/part-options.js";
import {
  integerOption,
  modeOption,
  type OptionValues,
  policyOption,
  textOption,
} from "../options/plain-options.js";
import { unlessInterrupted } from "../runs/assemble.js";
import { environmentPlayed, environmentTitle } from "../runs/run-report.js";
import { openSavedPlay, type SavedPlay, savedEnvironment, savedTitle } from "../runs/saved-policy.js";
import { openSavedRun, readingOf } from "../runs/saved-run.js";
import { requireTrust } from "../runs/trusted-run.js";
import { INTERRUPTED, listenForInterrupt } from "../terminal/interrupt.js";
import { ProgressDisplay } from "../terminal/progress.js";
import { clock, counted, inShort, pause, type Terminal, writeJson } from "../terminal/terminal.js";

/** `softrl evaluate <run-folder>`: plays whole episodes with the policy of a run. */
export async function evaluateCommand(
  runFolder: string,
  options: OptionValues,
  terminal: Terminal,
): Promise<number> {
  const episodes = integerOption("--episodes", options.episodes, 1);
  const seed = integerOption("--seed", options.seed, 0);
  const maxSteps = integerOption("--max-steps", options.maxSteps, 1);
  const mode = modeOption(options.mode);
  const policy = policyOption(options.policy);
  const named = partsOfOptions(options);
  const trust = options.trust === true;
  const run = requireTrust(openSavedRun(runFolder, policy), { named, restores: false, trust });
  const played = { environment: readingOf(run, () => savedEnvironment(run)) };
  const interrupt = listenForInterrupt(terminal.err);
  let play: SavedPlay | null = null;
  try {
    const open = () => openSavedPlay(run, { seed, named, executor: textOption(options, "executor") });
    play = await unlessInterrupted(
      interrupt,
      () => readingOf(run, open),
      ({ environment }) => environment.close(),
    );
    interrupt.now("playing");
    const { signal } = interrupt;
    const display = new ProgressDisplay(terminal.err, clock);
    const onProgress = (progress: EvaluationProgress) => display.showEvaluation(progress);
    const how = { episodes, mode, seed, maxSteps, clock, pause, signal, onProgress };
    const result =
      play === null ? nothingPlayed : await evaluate({ ...play, ...how }).finally(() => display.end());
    if (options.json === true) {
      writeJson(terminal.out, {
        algorithm: run.config.names.algorithm,
        ...environmentPlayed(played),
        seed,
        mode,
        policy,
        maxSteps,
        episodes: result.returns.length,
        ...result,
        executor: play?.executor.name ?? null,
        version,
        runFolder,
      });
    } else {
      const title = await savedTitle(run, named);
      terminal.out.write(summaryOf(`${title} on ${environmentTitle(played)}`, mode, maxSteps, result));
    }
    return result.interrupted ? INTERRUPTED : 0;
  } finally {
    interrupt.dispose();
    await play?.environment.close();
  }
}

const nothingPlayed: EvaluationResult = {
  returns: [],
  lengths: [],
  wasCut: [],
  cut: 0,
  meanReturn: null,
  standardDeviation: null,
  interrupted: true,
};

function summaryOf(
  title: string,
  mode: "sample" | "mode",
  maxSteps: number,
  { returns, cut, meanReturn, standardDeviation, interrupted }: EvaluationResult,
): string {
  const played = `${returns.length} episode${returns.length === 1 ? "" : "s"}`;
  return (
    `${title}, ${played}${interrupted ? ", interrupted" : ""}, ` +
    `${mode === "mode" ? "most likely" : "sampled"} actions: mean return ${inShort(meanReturn)}, ` +
    `standard deviation ${inShort(standardDeviation)}\n${cutText(cut, mode, maxSteps)}`
  );
}

/** What a summary adds if episodes were cut. */
function cutText(cut: number, mode: "sample" | "mode", maxSteps: number): string {
  if (cut === 0) return "";
  const what = cut === 1 ? "1 episode was" : `${cut} episodes were`;
  const hint =
    mode === "mode"
      ? "the most likely actions may loop: --mode sample draws from the policy, --max-steps sets the limit"
      : "--max-steps sets the limit";
  return `${what} cut after ${counted(maxSteps)} steps and ${cut === 1 ? "counts" : "count"} with the return so far; ${hint}\n`;
}
