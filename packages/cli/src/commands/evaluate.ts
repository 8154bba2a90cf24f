import { algorithmTitle, type EvaluationResult, evaluate, type TrainConfig, version } from "softrl";
import { integerOption, modeOption, type OptionValues } from "../options/config-options.js";
import { type Assembly, assembleUnlessInterrupted } from "../runs/assemble.js";
import { adoptTheta, readRunCheckpoint } from "../runs/run-checkpoint.js";
import { environmentPlayed, environmentTitle } from "../runs/run-report.js";
import { INTERRUPTED, listenForInterrupt } from "../terminal/interrupt.js";
import { clock, inShort, pause, type Terminal, writeJson } from "../terminal/terminal.js";

/** `softrl evaluate <run-folder>`: plays whole episodes with what a run has learned. */
export async function evaluateCommand(
  runFolder: string,
  options: OptionValues,
  terminal: Terminal,
): Promise<number> {
  const episodes = integerOption("--episodes", options.episodes, 1);
  const seed = integerOption("--seed", options.seed, 0);
  const mode = modeOption(options.mode);
  const { path, config, snapshot } = readRunCheckpoint(runFolder);
  const interrupt = listenForInterrupt(terminal.err);
  let assembly: Assembly | null = null;
  try {
    assembly = await assembleUnlessInterrupted(interrupt, { ...config, seed }, false, { where: path });
    interrupt.now("playing");
    const result = assembly === null ? nothingPlayed : await play(assembly);
    if (options.json === true) {
      writeJson(terminal.out, {
        algorithm: config.algorithm,
        ...environmentPlayed(config),
        seed,
        mode,
        episodes: result.returns.length,
        ...result,
        executor: assembly?.executor.name ?? null,
        version,
        runFolder,
      });
    } else {
      terminal.out.write(inWords(config, mode, result));
    }
    return result.interrupted ? INTERRUPTED : 0;
  } finally {
    interrupt.dispose();
    await assembly?.environment.close();
  }

  async function play({ environment, algorithm }: Assembly): Promise<EvaluationResult> {
    adoptTheta(path, algorithm, snapshot);
    const { signal } = interrupt;
    return evaluate({ algorithm, environment, episodes, mode: mode, seed, clock, pause, signal });
  }
}

const nothingPlayed: EvaluationResult = {
  returns: [],
  lengths: [],
  meanReturn: null,
  standardDeviation: null,
  interrupted: true,
};

function inWords(
  config: TrainConfig,
  mode: "sample" | "mode",
  { returns, meanReturn, standardDeviation, interrupted }: EvaluationResult,
): string {
  const played = `${returns.length} episode${returns.length === 1 ? "" : "s"}`;
  return (
    `${algorithmTitle(config.algorithm)} on ${environmentTitle(config)}, ${played}${interrupted ? ", interrupted" : ""}, ` +
    `${mode === "mode" ? "most likely" : "sampled"} actions: mean return ${inShort(meanReturn)}, ` +
    `standard deviation ${inShort(standardDeviation)}\n`
  );
}
