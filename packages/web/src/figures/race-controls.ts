/** What the race can be set to, and the keys that play it. */
import { temperatures } from "../controls/temperatures.js";
import type { RaceGame } from "./race.js";

/** A button that plays a game as long as it is held down. */
export interface PadButton {
  readonly text: string;
  readonly label: string;
  readonly action: number;
}

/** A game as the figure shows it. */
export interface ShownGame extends RaceGame {
  /** In the address. */
  readonly key: string;
  /** The names of its actions. */
  readonly actions: readonly string[];
  /** The action of each key that plays it. */
  readonly keys: Readonly<Record<string, number>>;
  /** The buttons below its screen. */
  readonly pad: readonly PadButton[];
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
    pad: [
      { text: "←", label: "Push left", action: 0 },
      { text: "→", label: "Push right", action: 1 },
    ],
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
    pad: [
      { text: "←", label: "Move left", action: 1 },
      { text: "→", label: "Move right", action: 3 },
    ],
    idle: () => 0,
    manualPace: 8,
  },
];

export const RACE_TAUS = temperatures(0.001, 1);

/** Steps after which the race pauses; Infinity for never. */
export const intervals: readonly number[] = [1000, 10_000, 50_000, Number.POSITIVE_INFINITY];

/** Steps of each agent in a second, at most. */
export const speeds: readonly number[] = [1000, 10_000, Number.POSITIVE_INFINITY];

/** Where a person takes over an agent's controls. */
export interface PersonPlaces {
  /** The screen, which takes the keys of the game. */
  readonly screen: HTMLElement;
  /** Filled with the game's buttons, and one that hands the controls back. */
  readonly pad: HTMLElement;
  /** Around both: whoever leaves it hands the controls back. */
  readonly around: HTMLElement;
}

/**
 * A person at an agent's controls. A key of the game on the screen or a button below it takes them over; Escape, the button
 * "Hand back" or leaving with the keyboard's focus hands them back.
 */
export class Person {
  /** Whether a person plays. */
  isTaken = false;
  readonly #pad: HTMLElement;
  readonly #onChange: () => void;
  /** The actions of the keys and buttons that are held down, the newest last. */
  readonly #held = new Map<string, number>();
  #buttons: readonly HTMLButtonElement[] = [];
  #handBack: HTMLButtonElement | null = null;
  #last = 0;

  /** @param onChange called when the controls change hands */
  constructor({ screen, pad, around }: PersonPlaces, game: () => ShownGame, onChange: () => void) {
    this.#pad = pad;
    this.#onChange = onChange;
    screen.tabIndex = 0;
    around.addEventListener("keydown", ({ key }) => {
      if (key === "Escape") this.#release();
    });
    around.addEventListener("focusout", ({ relatedTarget }) => {
      if (!(relatedTarget instanceof Node && around.contains(relatedTarget))) this.#release();
    });
    screen.addEventListener("keydown", (event) => {
      const action = game().keys[event.key];
      if (action === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      if (!event.repeat) this.#hold(event.key, action);
    });
    screen.addEventListener("keyup", ({ key }) => this.#held.delete(key));
  }

  /** Shows the buttons of a game; none can be used before there is an agent. */
  showPad({ pad, key }: ShownGame, isUsable: boolean): void {
    if (this.#pad.dataset.game !== key) {
      this.#pad.dataset.game = key;
      this.#buttons = pad.map((one) => this.#padButton(one));
      this.#handBack = this.#pad.ownerDocument.createElement("button");
      Object.assign(this.#handBack, { type: "button", textContent: "Hand back" });
      this.#handBack.addEventListener("click", () => this.#release());
      this.#pad.replaceChildren(...this.#buttons, this.#handBack);
    }
    for (const button of this.#buttons) button.disabled = !isUsable;
    this.#showHandBack();
  }

  /** The action of the person; null where the policy plays. */
  action(game: ShownGame): number | null {
    if (!this.isTaken) return null;
    const held = [...this.#held.values()].at(-1);
    this.#last = held ?? game.idle(this.#last);
    return this.#last;
  }

  #padButton({ text, label, action }: PadButton): HTMLButtonElement {
    const button = this.#pad.ownerDocument.createElement("button");
    Object.assign(button, { type: "button", textContent: text, ariaLabel: label });
    const hold = () => this.#hold(label, action);
    const letGo = () => this.#held.delete(label);
    button.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || button.disabled) return;
      // The finger may slide off while it is down.
      button.setPointerCapture(event.pointerId);
      hold();
    });
    for (const end of ["pointerup", "pointercancel", "lostpointercapture", "blur"]) {
      button.addEventListener(end, letGo);
    }
    button.addEventListener("keydown", ({ key, repeat }) => {
      if ((key === " " || key === "Enter") && !repeat) hold();
    });
    button.addEventListener("keyup", letGo);
    // A long press would open the menu of a browser.
    button.addEventListener("contextmenu", (event) => event.preventDefault());
    return button;
  }

  #hold(name: string, action: number): void {
    this.#held.delete(name);
    this.#held.set(name, action);
    if (this.isTaken) return;
    this.isTaken = true;
    this.#showHandBack();
    this.#onChange();
  }

  #release(): void {
    this.#held.clear();
    if (!this.isTaken) return;
    this.isTaken = false;
    this.#showHandBack();
    this.#onChange();
  }

  #showHandBack(): void {
    if (this.#handBack !== null) this.#handBack.disabled = !this.isTaken;
  }
}
