import type { RandomState } from "./random-state.js";

/** Cells per side of the board. */
export const side = 10;

/** The actions; 0 does nothing. */
export const left = 1;
export const up = 2;
export const right = 3;
export const down = 4;
export const fire = 5;

/** Index into every game's state: the entry is 1 once the game is over. */
export const over = 0;

/** The memory and the random generator that a game uses. */
export interface GameParts {
  readonly random: RandomState;
  /** The game's whole state; a copy of it saves the game. */
  readonly state: Int32Array;
  /** The board that the game is drawn on. */
  readonly board: Board;
  /** Whether the difficulty increases over time. */
  readonly ramping: boolean;
}

/** The name, sizes and constructor of a game. */
export interface GameKind {
  /** The name in the id `MinAtar/<name>-v1`. */
  readonly name: string;
  /** The meaning of each channel of the observation and its colour (0xrrggbb) in a picture. */
  readonly channels: readonly (readonly [name: string, colour: number])[];
  /** The length of the state. */
  readonly stateLength: number;
  make(parts: GameParts): Game;
}

/**
 * One game of MinAtar (Young and Tian 2019), reimplemented from a description of its rules.
 *
 * Only the subclasses implement methods: the JavaScript engine would not specialise a method that several games share.
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

  /** Sets up a new game in a state filled with zeros. */
  abstract begin(): void;
  /** Takes one step and returns its reward. */
  abstract advance(action: number): number;
  /** Paints the state on an erased board. */
  abstract show(): void;
  /** Draws the cells that the game keeps up to date itself from step to step; most games have none. */
  showLasting(): void {}
}

/**
 * The observation of one game: [10, 10, channels], bytes 0 or 1.
 *
 * Few of the bytes are 1, so the board records their indices and erases only those.
 */
export class Board {
  readonly #cells: Uint8Array;
  readonly #channels: number;
  readonly #painted: Int32Array;
  #count = 0;

  /** @param cells the memory of the observation; shared, not copied. */
  constructor(cells: Uint8Array) {
    this.#cells = cells;
    this.#channels = cells.length / (side * side);
    this.#painted = new Int32Array(cells.length);
  }

  /** Sets a cell of a channel to 1 until {@link erase} is called. */
  paint(x: number, y: number, channel: number): void {
    const at = (y * side + x) * this.#channels + channel;
    this.#cells[at] = 1;
    this.#painted[this.#count++] = at;
  }

  /** Clears the cells that {@link paint} has set. */
  erase(): void {
    const cells = this.#cells;
    const painted = this.#painted;
    for (let k = this.#count - 1; k >= 0; k--) cells[painted[k]] = 0;
    this.#count = 0;
  }

  /** Sets or clears a cell; {@link erase} does not change it. */
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
