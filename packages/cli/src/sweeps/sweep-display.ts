import type { RunProgress } from "../terminal/supervisor.js";
import { columnsOf, counted, inShort, table } from "../terminal/terminal.js";
import type { RunState, SweepWatcher } from "./scheduler.js";
import type { PlannedRun, SweepCell } from "./sweep-plan.js";

const SECONDS_BETWEEN_LINES = 5;
const SECONDS_BETWEEN_DRAWINGS = 0.2;
const BAR_WIDTH = 16;
/** Lines of a table on a terminal whose height is not known. */
const LINES = 24;

interface ShownRun {
  state: RunState;
  step: number;
  meanReturn: number | null;
}

/**
 * Shows how a sweep stands: a table that is redrawn on a terminal, elsewhere a plain line for each run that ends and one
 * now and then for those that go on.
 */
export class SweepDisplay implements SweepWatcher {
  readonly #stream: NodeJS.WriteStream;
  readonly #clock: () => number;
  readonly #runs = new Map<PlannedRun, ShownRun>();
  readonly #began: number;
  /** Steps that were there when the sweep or a continued run began: they say nothing of its speed. */
  #before: number;
  /** The runs that have reported a step. */
  readonly #heard = new Set<PlannedRun>();
  /** Claims that were printed. */
  readonly #unseen = new Set<string>();
  #lines = 0;
  #last: number;

  /** @param done the runs that have their results already */
  constructor(
    stream: NodeJS.WriteStream,
    clock: () => number,
    runs: readonly PlannedRun[],
    done: ReadonlySet<PlannedRun>,
  ) {
    this.#stream = stream;
    this.#clock = clock;
    for (const run of runs) {
      const isDone = done.has(run);
      this.#runs.set(run, {
        state: isDone ? "done" : "left",
        step: isDone ? run.steps : 0,
        meanReturn: null,
      });
    }
    this.#before = this.#stepsDone();
    this.#began = clock();
    this.#last = this.#began;
  }

  changed(run: PlannedRun, state: RunState): void {
    const shown = this.#runs.get(run);
    if (shown === undefined || shown.state === state) return;
    shown.state = state;
    if (state === "done") shown.step = run.steps;
    if (this.#stream.isTTY) this.#draw(true);
    else if (state === "done" || state === "failed") this.#stream.write(`${this.#lineOf(run, state)}\n`);
  }

  progress(run: PlannedRun, { step, meanReturn }: RunProgress): void {
    const shown = this.#runs.get(run);
    if (shown === undefined) return;
    // The first report comes a tenth of a second after a run has begun: what it has then comes from its checkpoint.
    if (shown.state === "running" && step < run.steps && !this.#heard.has(run)) {
      this.#heard.add(run);
      this.#before += step;
    }
    shown.step = step;
    shown.meanReturn = meanReturn;
    this.#draw(false);
  }

  /** Prints each unseen claim once, and where there is no table a line now and then. */
  waiting(count: number, unseen: readonly string[]): void {
    const found = unseen.filter((claim) => !this.#unseen.has(claim));
    if (found.length > 0) this.end();
    for (const claim of found) {
      this.#unseen.add(claim);
      this.#stream.write(`softrl: waiting for a run: ${claim}\n`);
    }
    if (this.#stream.isTTY || this.#clock() - this.#last < SECONDS_BETWEEN_LINES) return;
    this.#last = this.#clock();
    this.#stream.write(`waiting for ${counted(count)} run${count === 1 ? "" : "s"} of another process\n`);
  }

  /** Draws the next table anew: another line stands below the last one. */
  restart(): void {
    this.#lines = 0;
  }

  /** Leaves the last table, so that the next line stands alone. */
  end(): void {
    if (this.#stream.isTTY && this.#lines > 0) this.#draw(true);
    this.#lines = 0;
  }

  #draw(always: boolean): void {
    const now = this.#clock();
    const pause = this.#stream.isTTY ? SECONDS_BETWEEN_DRAWINGS : SECONDS_BETWEEN_LINES;
    if (!always && now - this.#last < pause) return;
    this.#last = now;
    if (!this.#stream.isTTY) {
      this.#stream.write(`${this.summary(false)}\n`);
      return;
    }
    const room = Math.max(20, columnsOf(this.#stream));
    const height = Math.max(3, (this.#stream.rows > 0 ? this.#stream.rows : LINES) - 2);
    // On a narrow terminal the numbers say more than the bar.
    const first = [this.summary(true), this.summary(false)].find((line) => [...line].length < room);
    const lines = [first ?? this.summary(false), ...this.#table(room, height - 2)];
    const up = this.#lines > 0 ? `\u001b[${this.#lines}A` : "";
    const text = lines.map((line) => `\r\u001b[2K${[...line].slice(0, room - 1).join("")}\n`).join("");
    this.#stream.write(`${up}${text}\u001b[J`);
    this.#lines = lines.length;
  }

  /** `▕████        ▏ 33 %  20 of 60 runs  1 failed  12 min left`, without the bar elsewhere. */
  summary(bar: boolean): string {
    const total = [...this.#runs.keys()].reduce((sum, { steps }) => sum + steps, 0);
    const share = total === 0 ? 1 : this.#stepsDone() / total;
    const count = (wanted: RunState) =>
      [...this.#runs.values()].filter(({ state }) => state === wanted).length;
    const filled = Math.floor(share * BAR_WIDTH);
    const left = this.#secondsLeft(total);
    return [
      ...(bar ? [`▕${"█".repeat(filled)}${" ".repeat(BAR_WIDTH - filled)}▏`] : []),
      `${Math.floor(share * 100)} %`,
      `${counted(count("done"))} of ${counted(this.#runs.size)} runs`,
      ...(count("failed") === 0 ? [] : [`${count("failed")} failed`]),
      ...(count("elsewhere") === 0 ? [] : [`${count("elsewhere")} elsewhere`]),
      ...(left === null ? [] : [`${durationText(left)} left`]),
    ].join("  ");
  }

  /** A row for each variant, those with running ones first where not all fit. */
  #table(room: number, most: number): readonly string[] {
    const variants = new Map<string, Record<RunState, number>>();
    for (const [{ cells }, { state }] of this.#runs) {
      const [{ variant }] = cells;
      const own = variants.get(variant) ?? { done: 0, running: 0, failed: 0, left: 0, elsewhere: 0 };
      own[state]++;
      variants.set(variant, own);
    }
    const numbers = ["done", "running", "failed", "left"] as const;
    const widest = room - 2 - numbers.reduce((sum, name) => sum + 2 + name.length, 0);
    const all = [...variants];
    const shown =
      all.length <= most
        ? all
        : [
            ...all.filter(([, { running }]) => running > 0),
            ...all.filter(([, { running }]) => running === 0),
          ];
    const rows = shown
      .slice(0, Math.max(1, most))
      .map(([name, own]) => [
        shortened(name, widest),
        ...numbers.map((state) => String(own[state] + (state === "left" ? own.elsewhere : 0))),
      ]);
    return table(["", ...numbers], rows).split("\n");
  }

  #lineOf(run: PlannedRun, state: RunState): string {
    const ended = [...this.#runs.values()].filter(
      ({ state }) => state === "done" || state === "failed",
    ).length;
    const [cell] = run.cells;
    const mean = this.#runs.get(run)?.meanReturn ?? null;
    const result = state === "failed" ? ": failed" : mean === null ? "" : `: ${inShort(mean)}`;
    return `${counted(ended)} of ${counted(this.#runs.size)}: ${titleOfCell(cell)}${result}`;
  }

  #stepsDone(): number {
    return [...this.#runs].reduce(
      (sum, [{ steps }, { state, step }]) => sum + (state === "failed" ? steps : step),
      0,
    );
  }

  /** By the steps that are left and those since the sweep began; null before there are any. */
  #secondsLeft(total: number): number | null {
    const done = this.#stepsDone();
    const seconds = this.#clock() - this.#began;
    if (done <= this.#before || seconds < 1 || done >= total) return null;
    return ((total - done) * seconds) / (done - this.#before);
  }
}

/** `A2C, CartPole-v1, seed 1` */
export const titleOfCell = ({ variant, environment, seed }: SweepCell): string =>
  `${variant}, ${environment}, seed ${seed}`;

/** `40 s`, `12 min`, `3 h 20 min` */
export function durationText(seconds: number): string {
  if (seconds < 59.5) return `${Math.max(1, Math.round(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

function shortened(text: string, columns: number): string {
  const letters = [...text];
  return letters.length <= columns ? text : `${letters.slice(0, Math.max(1, columns - 1)).join("")}…`;
}
