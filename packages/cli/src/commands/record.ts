import { readFileSync } from "node:fs";
import { extname } from "node:path";
import {
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
import { shownPath } from "../terminal/shown-path.js";
import { clock, inShort, pause, type Terminal, writeJson } from "../terminal/terminal.js";

/** `softrl record <run-folder>`: films whole episodes of the policy of a run. */
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
  const policy = policyOption(options.policy);
  const named = partsOfOptions(options);
  const trust = options.trust === true;
  const run = requireTrust(openSavedRun(runFolder, policy), { named, restores: false, trust });
  const played = { environment: readingOf(run, () => savedEnvironment(run)) };
  const inTensorBoard = options.tensorboard === true;
  if (inTensorBoard) requireGif(out);
  const film = openFilm({ out, scale, fps, overwrite: options.overwrite === true });
  const interrupt = listenForInterrupt(terminal.err);
  let play: SavedPlay | null = null;
  try {
    const executor = textOption(options, "executor");
    const open = () => openSavedPlay(run, { seed, named, executor, size: 1, screens: true });
    play = await unlessInterrupted(
      interrupt,
      () => readingOf(run, open),
      ({ environment }) => environment.close(),
    );
    interrupt.now("recording");
    const result = play === null ? null : await playOut(play).catch(endFailed);
    await film.finish();
    if (inTensorBoard && film.frames > 0) await addToTensorBoard(runFolder, run.step, film, out);
    const interrupted = interrupt.signal.aborted;
    if (options.json === true) {
      writeJson(terminal.out, {
        algorithm: run.config.names.algorithm,
        ...environmentPlayed(played),
        seed,
        mode,
        policy,
        frames: film.frames,
        returns: result?.returns ?? [],
        lengths: result?.lengths ?? [],
        interrupted,
        executor: play?.executor.name ?? null,
        version,
        runFolder,
        out,
      });
    } else if (film.frames > 0) {
      const title = await savedTitle(run, named);
      terminal.out.write(
        `${title} on ${environmentTitle(played)}: ${film.frames} frames, ` +
          `${returnsText(result?.returns ?? [])}, in ${shownPath(out)}\n`,
      );
    }
    return interrupted ? INTERRUPTED : 0;
  } finally {
    interrupt.dispose();
    await play?.environment.close();
  }

  /** Keeps what was recorded before the error, and throws it. */
  async function endFailed(error: unknown): Promise<never> {
    if (film.frames === 0) throw error;
    const lost = await film.finish().then(
      () => null,
      (reason: unknown) => (reason instanceof Error ? reason.message : String(reason)),
    );
    const frames = `${film.frames} frame${film.frames === 1 ? "" : "s"}`;
    throw new FailedFilm(lost === null ? `The film so far is in ${shownPath(out)}, ${frames}.` : lost, error);
  }

  async function playOut({ environment, policy }: SavedPlay): Promise<EvaluationResult> {
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
    // The film's length is limited, not that of an episode.
    const maxSteps = Number.POSITIVE_INFINITY;
    return evaluate({ policy, environment, episodes, mode, seed, maxSteps, clock, pause, signal, watch });
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

/** @throws SoftrlError unless the film is a GIF, the one format that is a single file. */
function requireGif(out: string): void {
  if (extname(out).toLowerCase() === ".gif") return;
  throw new SoftrlError("--tensorboard", "TensorBoard shows a film as one animated image", {
    expected: "--out with a file that ends in .gif",
    got: JSON.stringify(out),
  });
}

async function addToTensorBoard(runFolder: string, step: number, film: Film, out: string): Promise<void> {
  const { size } = film;
  if (size === null) return;
  const { writeFilm } = await import("../tensorboard/event-log.js");
  writeFilm(runFolder, step, { tag: "film", ...size, bytes: readFileSync(out) });
}

function fpsOption(text: unknown): number {
  const fps = integerOption("--fps", text, 1);
  if (fps <= 50) return fps;
  throw new SoftrlError("--fps", "invalid value", {
    expected: "an integer in [1, 50]",
    got: JSON.stringify(text),
    remedy: "viewers slow down faster GIFs",
  });
}

function returnsText(returns: readonly number[]): string {
  if (returns.length === 0) return "no whole episode";
  const played = `${returns.length} whole episode${returns.length === 1 ? "" : "s"}`;
  return `${played} with a return of ${returns.map((value) => inShort(value)).join(", ")}`;
}
