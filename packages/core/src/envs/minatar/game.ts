import type { RandomState } from "./random-state.js";

/** Cells a side. */
export const side = 10;

/** The six actions. */
export const left = 1;
export const up = 2;
export const right = 3;
export const down = 4;
export const fire = 5;

/** The place in every game's state that becomes 1 when the game is over. */
export const over = 0;

/** Where a game lives, and what it draws from. */
export interface GameParts {
  readonly random: RandomState;
  /** All that the game is, so that copying it saves the game. */
  readonly state: Int32Array;
  /** [10, 10, channels], bytes 0 or 1; the game alone writes it. */
  readonly observation: Uint8Array;
  /** Whether the game gets harder. */
  readonly ramping: boolean;
}

/** What a game is called, and how large. */
export interface GameKind {
  /** As in the id `MinAtar/<name>-v1`. */
  readonly name: string;
  /** What each channel of the observation shows, with its colour (red, green, blue) in a picture. */
  readonly channels: readonly (readonly [name: string, colour: number])[];
  /** Numbers in the state. */
  readonly stateLength: number;
  make(parts: GameParts): Game;
}

/**
 * One game of MinAtar (Young and Tian 2019), built from a description of its rules.
 *
 * Few of an observation's numbers are 1, so a game remembers which, and clears those alone.
 */
export abstract class Game {
  protected readonly random: RandomState;
  protected readonly state: Int32Array;
  protected readonly observation: Uint8Array;
  protected readonly ramping: boolean;
  readonly #channels: number;
  readonly #painted: Int32Array;
  #paintedCount = 0;

  constructor(parts: GameParts) {
    this.random = parts.random;
    this.state = parts.state;
    this.observation = parts.observation;
    this.ramping = parts.ramping;
    this.#channels = parts.observation.length / (side * side);
    this.#painted = new Int32Array(parts.observation.length);
  }

  /** Starts a game and shows it. */
  start(): void {
    this.state.fill(0);
    this.begin();
    this.showAll();
  }

  /** Takes one step and shows what came of it; the reward. */
  play(action: number): number {
    const reward = this.advance(action);
    this.erase();
    this.show();
    return reward;
  }

  /** Whether the game is over: no step may follow. */
  get over(): boolean {
    return this.state[over] === 1;
  }

  /** Shows the state from an empty observation on. */
  showAll(): void {
    this.observation.fill(0);
    this.#paintedCount = 0;
    this.showLasting();
    this.show();
  }

  /** Sets up a new game in a state of zeros. */
  protected abstract begin(): void;
  /** The rules; the reward. */
  protected abstract advance(action: number): number;
  /** Paints everything that {@link erase} clears. */
  protected abstract show(): void;
  /** Paints what the game itself clears. */
  protected showLasting(): void {}

  /** Sets a cell of a channel until the next step; more than once does no harm. */
  protected paint(x: number, y: number, channel: number): void {
    const at = (y * side + x) * this.#channels + channel;
    this.observation[at] = 1;
    this.#painted[this.#paintedCount++] = at;
  }

  /** Clears what {@link paint} has set. */
  protected erase(): void {
    const painted = this.#painted;
    const observation = this.observation;
    for (let k = this.#paintedCount - 1; k >= 0; k--) observation[painted[k]] = 0;
    this.#paintedCount = 0;
  }
}

/** Whether a column is on the board. */
export const onBoard = (x: number): boolean => x >= 0 && x < side;
