import { type EvaluationResult, evaluate, version } from "softrl";
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
import { openSavedRun } from "../runs/saved-run.js";
import { INTERRUPTED, listenForInterrupt } from "../terminal/interrupt.js";
import { clock, inShort, pause, type Terminal, writeJson } from "../terminal/terminal.js";

/** `softrl evaluate <run-folder>`: plays whole episodes with the policy of a run. */
export async function evaluateCommand(
  runFolder: string,
  options: OptionValues,
  terminal: Terminal,
): Promise<number> {
  const episodes = integerOption("--episodes", options.episodes, 1);
  const seed = integerOption("--seed", options.seed, 0);
  const mode = modeOption(options.mode);
  const policy = policyOption(options.policy);
  const run = openSavedRun(runFolder, policy);
  const played = { environment: savedEnvironment(run) };
  const named = partsOfOptions(options);
  const interrupt = listenForInterrupt(terminal.err);
  let play: SavedPlay | null = null;
  try {
    const open = () => openSavedPlay(run, { seed, named, executor: textOption(options, "executor") });
    play = await unlessInterrupted(interrupt, open, ({ environment }) => environment.close());
    interrupt.now("playing");
    const { signal } = interrupt;
    const result =
      play === null ? nothingPlayed : await evaluate({ ...play, episodes, mode, seed, clock, pause, signal });
    if (options.json === true) {
      writeJson(terminal.out, {
        algorithm: run.config.names.algorithm,
        ...environmentPlayed(played),
        seed,
        mode,
        policy,
        episodes: result.returns.length,
        ...result,
        executor: play?.executor.name ?? null,
        version,
        runFolder,
      });
    } else {
      const title = await savedTitle(run, named);
      terminal.out.write(summaryOf(`${title} on ${environmentTitle(played)}`, mode, result));
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
  meanReturn: null,
  standardDeviation: null,
  cut: 0,
  interrupted: true,
};

function summaryOf(
  title: string,
  mode: "sample" | "mode",
  { returns, meanReturn, standardDeviation, interrupted }: EvaluationResult,
): string {
  const played = `${returns.length} episode${returns.length === 1 ? "" : "s"}`;
  return (
    `${title}, ${played}${interrupted ? ", interrupted" : ""}, ` +
    `${mode === "mode" ? "most likely" : "sampled"} actions: mean return ${inShort(meanReturn)}, ` +
    `standard deviation ${inShort(standardDeviation)}\n`
  );
}
