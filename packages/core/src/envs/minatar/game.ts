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
  /** What it is seen on. */
  readonly board: Board;
  /** Whether the game gets harder. */
  readonly ramping: boolean;
}

/** What a game is called, and how large. */
export interface GameKind {
  /** As in the id `MinAtar/<name>-v1`. */
  readonly name: string;
  /** What each channel of the observation shows, with its colour (0xrrggbb) in a picture. */
  readonly channels: readonly (readonly [name: string, colour: number])[];
  /** Numbers in the state. */
  readonly stateLength: number;
  make(parts: GameParts): Game;
}

/**
 * One game of MinAtar (Young and Tian 2019), built from a description of its rules.
 *
 * Methods stand in the heirs alone: one that several games share would be compiled for none of them.
 */
export abstract class Game {
  protected readonly random: RandomState;
  protected readonly state: Int32Array;
  protected readonly board: Board;
  protected readonly ramping: boolean;

  constructor({ random, state, board, ramping }: GameParts) {
    this.random = random;
    this.state = state;
    this.board = board;
    this.ramping = ramping;
  }

  /** Sets up a new game in a state of zeros. */
  abstract begin(): void;
  /** Takes one step by the rules; the reward. */
  abstract advance(action: number): number;
  /** Paints the state on an erased board. */
  abstract show(): void;
  /** Sets what the game itself keeps up to date on the board from step to step; for most games nothing. */
  showLasting(): void {}
}

/**
 * The observation of one game: [10, 10, channels], bytes 0 or 1.
 *
 * Few of them are 1, so the board remembers which, and erases those alone.
 */
export class Board {
  readonly #cells: Uint8Array;
  readonly #channels: number;
  readonly #painted: Int32Array;
  #count = 0;

  /** @param cells the place of the observation; shared, not copied. */
  constructor(cells: Uint8Array) {
    this.#cells = cells;
    this.#channels = cells.length / (side * side);
    this.#painted = new Int32Array(cells.length);
  }

  /** Sets a cell of a channel until the board is erased. */
  paint(x: number, y: number, channel: number): void {
    const at = (y * side + x) * this.#channels + channel;
    this.#cells[at] = 1;
    this.#painted[this.#count++] = at;
  }

  /** Clears what was painted. */
  erase(): void {
    const cells = this.#cells;
    const painted = this.#painted;
    for (let k = this.#count - 1; k >= 0; k--) cells[painted[k]] = 0;
    this.#count = 0;
  }

  /** Sets or clears a cell that {@link erase} leaves alone. */
  set(x: number, y: number, channel: number, value: 0 | 1): void {
    this.#cells[(y * side + x) * this.#channels + channel] = value;
  }

  /** Clears all cells. */
  clear(): void {
    this.#cells.fill(0);
    this.#count = 0;
  }
}

/** Whether a column is on the board. */
export const onBoard = (x: number): boolean => x >= 0 && x < side;
