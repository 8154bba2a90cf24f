import {
  algorithmTitle,
  type EvaluationResult,
  evaluate,
  finalPicture,
  type Picture,
  picture,
  SoftrlError,
  type VectorEnvironment,
  version,
} from "softrl";
import { FailedFilm, type Film, openFilm } from "../figures/film.js";
import { integerOption, modeOption, type OptionValues } from "../options/config-options.js";
import { type Assembly, assembleUnlessInterrupted } from "../runs/assemble.js";
import { adoptTheta, readRunCheckpoint } from "../runs/run-checkpoint.js";
import { environmentPlayed, environmentTitle } from "../runs/run-report.js";
import { INTERRUPTED, listenForInterrupt } from "../terminal/interrupt.js";
import { clock, inShort, pause, type Terminal, writeJson } from "../terminal/terminal.js";

/** `softrl record <run-folder>`: films whole episodes of what a run has learned. */
export async function recordCommand(
  runFolder: string,
  options: OptionValues,
  terminal: Terminal,
): Promise<number> {
  const episodes = integerOption("--episodes", options.episodes, 1);
  const seed = integerOption("--seed", options.seed, 0);
  const mostSteps = integerOption("--max-steps", options.maxSteps, 1);
  const scale = integerOption("--scale", options.scale, 1);
  const fps = fpsOption(options.fps);
  const mode = modeOption(options.mode);
  const out = String(options.out);
  const { path, config, snapshot } = readRunCheckpoint(runFolder);
  const film = openFilm({ out, scale, fps, overwrite: options.overwrite === true });
  const interrupt = listenForInterrupt(terminal.err);
  let assembly: Assembly | null = null;
  try {
    // One environment is filmed; a policy does not depend on how many it was learned in.
    const alone = { ...config, seed, environments: 1 };
    assembly = await assembleUnlessInterrupted(interrupt, alone, false, { where: path, screens: true });
    interrupt.now("recording");
    const result = assembly === null ? null : await play(assembly).catch(endFailed);
    await film.finish();
    const interrupted = interrupt.signal.aborted;
    if (options.json === true) {
      writeJson(terminal.out, {
        algorithm: config.algorithm,
        ...environmentPlayed(config),
        seed,
        mode,
        frames: film.frames,
        returns: result?.returns ?? [],
        lengths: result?.lengths ?? [],
        interrupted,
        executor: assembly?.executor.name ?? null,
        version,
        runFolder,
        out,
      });
    } else if (film.frames > 0) {
      terminal.out.write(
        `${algorithmTitle(config.algorithm)} on ${environmentTitle(config)}: ${film.frames} frames, ` +
          `${inWords(result?.returns ?? [])}, in ${out}\n`,
      );
    }
    return interrupted ? INTERRUPTED : 0;
  } finally {
    interrupt.dispose();
    await assembly?.environment.close();
  }

  /** Keeps what was recorded before the error, and throws it. */
  async function endFailed(error: unknown): Promise<never> {
    if (film.frames === 0) throw error;
    const lost = await film.finish().then(
      () => null,
      (reason: unknown) => (reason instanceof Error ? reason.message : String(reason)),
    );
    const frames = `${film.frames} frame${film.frames === 1 ? "" : "s"}`;
    throw new FailedFilm(lost === null ? `What there is of the film is in ${out}, ${frames}.` : lost, error);
  }

  async function play({ environment, algorithm }: Assembly): Promise<EvaluationResult> {
    adoptTheta(path, algorithm, snapshot);
    const show = shower(environment, film, episodes);
    let steps = -1;
    const watch = () => {
      steps++;
      return show();
    };
    const signal = {
      get aborted() {
        return interrupt.signal.aborted || steps === mostSteps;
      },
    };
    return evaluate({ algorithm, environment, episodes, mode, seed, clock, pause, signal, watch });
  }
}

/** Adds environment 0 to the film at every call: the last state of an episode, and the first of the next. */
function shower(environment: VectorEnvironment, film: Film, episodes: number): () => Promise<void> {
  const { terminated, truncated, episodeEnded } = environment;
  let left = episodes;
  return async () => {
    const ended = terminated[0] === 1 || truncated[0] === 1;
    // A screen shows what is now; the last one of an episode is gone when its end is told.
    if (ended && environment.screen === undefined) await film.add(finalPicture(environment, 0));
    if (episodeEnded[0] === 1) left--;
    if (left > 0) await film.add(await shown(environment));
  };
}

const shown = (environment: VectorEnvironment): Picture | Promise<Picture> =>
  environment.screen?.(0) ?? picture(environment, 0);

function fpsOption(text: unknown): number {
  const fps = integerOption("--fps", text, 1);
  if (fps <= 50) return fps;
  throw new SoftrlError("--fps", "not a valid value", {
    expected: "an integer in [1, 50]",
    got: JSON.stringify(text),
    remedy: "viewers slow down faster GIFs",
  });
}

function inWords(returns: readonly number[]): string {
  if (returns.length === 0) return "no episode to its end";
  const played = `${returns.length} whole episode${returns.length === 1 ? "" : "s"}`;
  return `${played} with a return of ${returns.map((value) => inShort(value)).join(", ")}`;
}
