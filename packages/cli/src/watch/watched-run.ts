import { join } from "node:path";
import { isRecord, oneLine } from "softrl";
import { environmentLabel } from "../plots/trained-run.js";
import { eventOf, type SavedEvent } from "../runs/event-file.js";
import { runFiles } from "../runs/run-folder.js";
import { type Cell, settingsIn } from "../runs/run-settings.js";
import { EventTail, type TailRead } from "./event-tail.js";
import { ThinnedCurve } from "./thinned-curve.js";

/** Points kept of a run's curve: more than a screen shows. */
const MOST_POINTS = 600;
/** A run that writes nothing for so long may have been killed. */
const QUIET_MILLISECONDS = 120_000;
const LONGEST_SETTING = 200;
const MOST_SETTINGS = 400;

/** How a run stands. `quiet`: it has not ended, and has written nothing for two minutes. */
export type RunState = "starting" | "running" | "quiet" | "finished" | "interrupted" | "failed";

/** A run folder that is watched: what its events say so far, in memory that does not grow with their number. */
export class WatchedRun {
  /** In addresses; it is never given to another run. */
  readonly id: number;
  readonly folder: string;
  /** Below the folder that was named. */
  name: string;
  /** Files of the folder that are films. The place in this list is used in addresses: names are only appended. */
  readonly films: string[] = [];
  /** What keeps the events from being read; null where nothing does. */
  problem: string | null = null;
  settings: Readonly<Record<string, Cell>> = {};
  algorithm = "";
  environment = "";
  seed = "";
  /** Mean return of the last 100 training episodes. */
  curve = new ThinnedCurve(MOST_POINTS);
  step = 0;
  /** Steps that the run is meant to take; 0 where it is not known. */
  steps = 0;
  stepsPerSecond: number | null = null;
  /** Lines that are not events. */
  damagedLines = 0;
  readonly #tail: EventTail;
  #began = 0;
  #ending: "finished" | "interrupted" | "failed" | null = null;

  constructor(id: number, name: string, folder: string) {
    this.id = id;
    this.name = name;
    this.folder = folder;
    this.#tail = new EventTail(join(folder, runFiles.events), {
      line: (text) => this.#take(text),
      skipped: () => {
        this.damagedLines++;
      },
      restarted: () => this.#forget(),
    });
  }

  /** Reads what the run has written, at most `most` bytes. */
  read(chunk: Buffer, most: number): Promise<TailRead> {
    return this.#tail.read(chunk, most);
  }

  stateAt(milliseconds: number): RunState {
    if (this.#ending !== null) return this.#ending;
    if (this.algorithm === "") return "starting";
    return milliseconds - this.#tail.written > QUIET_MILLISECONDS ? "quiet" : "running";
  }

  #forget(): void {
    this.curve = new ThinnedCurve(MOST_POINTS);
    [this.step, this.damagedLines, this.#began] = [0, 0, 0];
    [this.#ending, this.stepsPerSecond] = [null, null];
  }

  #take(line: string): void {
    const event = eventOf(line);
    if (event === null) {
      this.damagedLines++;
      return;
    }
    const { step } = event;
    if (typeof step === "number" && step >= 0) this.step = step;
    switch (event.event) {
      case "started":
        this.#configure(event);
        break;
      case "resumed":
        this.#ending = null;
        this.#began = this.step;
        break;
      case "set":
        this.#changeSteps(event.settings);
        break;
      case "update":
        this.#update(event);
        break;
      case "finished":
      case "interrupted":
      case "failed":
        this.#ending = event.event;
        break;
    }
  }

  #configure({ config }: SavedEvent): void {
    const settings = settingsIn(config);
    const { "environment.id": environment, "algorithm.name": algorithm, "run.seed": seed } = settings;
    this.settings = Object.fromEntries(
      Object.entries(settings)
        .slice(0, MOST_SETTINGS)
        .map(([name, value]) => [
          oneLine(name, LONGEST_SETTING),
          typeof value === "string" ? oneLine(value, LONGEST_SETTING) : value,
        ]),
    );
    this.algorithm = oneLine(String(algorithm ?? "unknown"), 100);
    this.environment = environmentLabel(String(environment ?? "unknown"));
    this.seed = oneLine(String(seed ?? ""), 40);
    const { "run.steps": steps } = settings;
    this.steps = isNumber(steps) ? steps : 0;
    this.#ending = null;
  }

  #changeSteps(settings: unknown): void {
    if (isRecord(settings) && isNumber(settings.steps)) this.steps = settings.steps;
  }

  #update({ meanReturn, seconds }: SavedEvent): void {
    this.#ending = null;
    if (isNumber(meanReturn)) this.curve.add(this.step, meanReturn);
    if (isNumber(seconds) && seconds > 0) {
      this.stepsPerSecond = (this.step - this.#began) / seconds;
    }
  }
}

/** Whether it is a number that JSON has: 1e999 is read as Infinity. */
const isNumber = (value: unknown): value is number => Number.isFinite(value);
