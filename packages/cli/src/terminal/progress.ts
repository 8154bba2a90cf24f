import type { EvaluationProgress, TrainProgress } from "softrl";
import { counted, inShort } from "./terminal.js";

const BAR_WIDTH = 24;
const SECONDS_BETWEEN_LINES = 5;

/** Shows how a run stands: a bar that is redrawn on a terminal, a plain line now and then elsewhere. */
export class ProgressDisplay {
  readonly #stream: NodeJS.WriteStream;
  readonly #clock: () => number;
  #lastLine: number;
  #drawn = false;

  constructor(stream: NodeJS.WriteStream, clock: () => number) {
    this.#stream = stream;
    this.#clock = clock;
    this.#lastLine = clock();
  }

  /** Takes the newest state of the runs that go on together. */
  show(runs: readonly TrainProgress[]): void {
    this.#draw((bar) => progressLine(runs, bar));
  }

  /** Takes the newest state of an evaluation. */
  showEvaluation(progress: EvaluationProgress): void {
    this.#draw((bar) => evaluationLine(progress, bar));
  }

  #draw(text: (bar: boolean) => string): void {
    if (this.#stream.isTTY) {
      const room = (this.#stream.columns ?? 80) - 1;
      const whole = text(true);
      // On a narrow terminal the numbers say more than the bar.
      const line = (whole.length <= room ? whole : text(false)).slice(0, room);
      this.#stream.write(`\r\u001b[2K${line}`);
      this.#drawn = true;
    } else if (this.#clock() - this.#lastLine >= SECONDS_BETWEEN_LINES) {
      this.#lastLine = this.#clock();
      this.#stream.write(`${text(false)}\n`);
    }
  }

  /** Ends the bar, so that the next line stands alone. */
  end(): void {
    if (this.#drawn) this.#stream.write("\n");
    this.#drawn = false;
  }
}

/** `▕████████        ▏ 33 %  165 000 / 500 000 steps  a2c 212  48 000 steps/s` */
export function progressLine(runs: readonly TrainProgress[], bar: boolean): string {
  const step = runs.reduce((sum, run) => sum + Math.min(run.step, run.steps), 0);
  const steps = runs.reduce((sum, run) => sum + run.steps, 0);
  const share = steps > 0 ? step / steps : 1;
  const parts = [
    percentage(share),
    `${counted(step)} / ${counted(steps)} steps`,
    ...runs.map((run) => `${run.algorithm} ${inShort(run.meanReturn)}`),
    // Runs side by side share the time, so that together they are as fast as their harmonic mean.
    `${counted(runs.length / runs.reduce((sum, run) => sum + 1 / Math.max(run.stepsPerSecond, 1e-9), 0))} steps/s`,
  ];
  if (bar) parts.unshift(barOf(share));
  return parts.join("  ");
}

/** `▕████████        ▏ 33 %  33 / 100 episodes  mean return 212  48 000 steps/s` */
export function evaluationLine(progress: EvaluationProgress, bar: boolean): string {
  const { played, episodes, meanReturn, stepsPerSecond } = progress;
  const share = played / episodes;
  const parts = [
    percentage(share),
    `${counted(played)} / ${counted(episodes)} episodes`,
    `mean return ${inShort(meanReturn)}`,
    `${counted(stepsPerSecond)} steps/s`,
  ];
  if (bar) parts.unshift(barOf(share));
  return parts.join("  ");
}

const percentage = (share: number): string =>
  `${Math.floor(share * 100)
    .toString()
    .padStart(3)} %`;

function barOf(share: number): string {
  const filled = Math.floor(share * BAR_WIDTH);
  return `▕${"█".repeat(filled)}${" ".repeat(BAR_WIDTH - filled)}▏`;
}
