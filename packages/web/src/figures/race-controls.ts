/** What the race can be set to, and the keys that play it. */
import { temperatures } from "../controls/temperatures.js";
import type { RaceGame } from "./race.js";

/** A game as the figure shows it. */
export interface ShownGame extends RaceGame {
  /** In the address. */
  readonly key: string;
  /** The names of its actions. */
  readonly actions: readonly string[];
  /** The action of each key that plays it. */
  readonly keys: Readonly<Record<string, number>>;
  /** The action of a person who presses nothing, after their last one. */
  readonly idle: (last: number) => number;
  /** Steps in a second that a person plays. */
  readonly manualPace: number;
}

export const games: readonly ShownGame[] = [
  {
    key: "cartpole",
    name: "CartPole",
    environment: "CartPole-v1",
    learningRate: 0.0007,
    goal: 500,
    logEvery: 2000,
    mostSteps: 50_000_000,
    tau: 0.05,
    pace: 60,
    snapshots: 40,
    actions: ["← push", "push →"],
    keys: { ArrowLeft: 0, ArrowRight: 1 },
    // It has no action that does nothing: pushes to and fro cancel out.
    idle: (last) => 1 - last,
    manualPace: 25,
  },
  {
    key: "breakout",
    name: "MinAtar Breakout",
    environment: "MinAtar/Breakout-v1",
    learningRate: 0.002,
    goal: 10,
    logEvery: 5000,
    mostSteps: 100_000_000,
    tau: 0.01,
    pace: 15,
    snapshots: 12,
    actions: ["wait", "←", "↑", "→", "↓", "fire"],
    keys: { ArrowLeft: 1, ArrowUp: 2, ArrowRight: 3, ArrowDown: 4, " ": 5 },
    idle: () => 0,
    manualPace: 8,
  },
];

export const RACE_TAUS = temperatures(0.001, 1);

/** Steps after which the race pauses; Infinity for never. */
export const intervals: readonly number[] = [1000, 10_000, 50_000, Number.POSITIVE_INFINITY];

/** Steps of each agent in a second, at most. */
export const speeds: readonly number[] = [1000, 10_000, Number.POSITIVE_INFINITY];

/** The keys that are held down on an agent's screen, while a person has the controls. */
export class HeldKeys {
  /** Whether a person plays. */
  isTaken = false;
  readonly #held: string[] = [];
  #last = 0;

  /**
   * Listens on a screen: a key of the game takes the controls over, Escape or leaving gives them back.
   * @param onChange called when the controls change hands
   */
  constructor(screen: HTMLElement, game: () => ShownGame, onChange: () => void) {
    screen.tabIndex = 0;
    const release = () => {
      this.#held.length = 0;
      if (!this.isTaken) return;
      this.isTaken = false;
      onChange();
    };
    screen.addEventListener("keydown", (event) => {
      if (event.key === "Escape") release();
      if (!(event.key in game().keys) || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      if (!this.#held.includes(event.key)) this.#held.push(event.key);
      if (this.isTaken) return;
      this.isTaken = true;
      onChange();
    });
    screen.addEventListener("keyup", ({ key }) => {
      const at = this.#held.indexOf(key);
      if (at >= 0) this.#held.splice(at, 1);
    });
    screen.addEventListener("blur", release);
  }

  /** The action of the person; null where the policy plays. */
  action(game: ShownGame): number | null {
    if (!this.isTaken) return null;
    const key = this.#held.at(-1);
    this.#last = key === undefined ? game.idle(this.#last) : game.keys[key];
    return this.#last;
  }
}
