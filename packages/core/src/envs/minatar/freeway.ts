import { down, Game, type GameKind, over, side, up } from "./game.js";

// Indices into the state: single numbers first, then three numbers per car.
const chicken = 1;
const moveTimer = 2;
const timeLeft = 3;
const cars = 4;

const carCount = 8;
const carLength = 3;
/** Offsets within a car: its column; the steps that it waits between moves, 1 to 5, signed by direction; its timer. */
const column = 0;
const speed = 1;
const timer = 2;

const chickenColumn = 4;
const lastRow = side - 1;
const movePause = 3;
const timeLimit = 2500;

/** Freeway: lead the chicken across eight lanes as often as possible in 2501 steps. Car k drives along row k + 1. */
export const freeway: GameKind = {
  name: "Freeway",
  channels: [
    ["chicken", 0xffffff],
    ["car", 0xff5a4f],
    ["fastest", 0xffd24a],
    ["fast", 0xd9b84a],
    ["medium", 0xa8934a],
    ["slow", 0x7d7247],
    ["slowest", 0x565244],
  ],
  stateLength: cars + carCount * carLength,
  make: (parts) => new Freeway(parts),
};

class Freeway extends Game {
  begin(): void {
    const s = this.state;
    this.#drawSpeeds();
    s[chicken] = lastRow;
    s[moveTimer] = movePause;
    s[timeLeft] = timeLimit;
  }

  #drawSpeeds(): void {
    const s = this.state;
    const end = cars + carCount * carLength;
    for (let at = cars; at < end; at += carLength) s[at + timer] = this.random.integer(1, 6);
    for (let at = cars; at < end; at += carLength) {
      s[at + speed] = s[at + timer] * Math.sign(this.random.float() - 0.5);
    }
  }

  advance(action: number): number {
    const s = this.state;
    let reward = 0;
    if (s[moveTimer] === 0 && (action === up || action === down)) {
      s[moveTimer] = movePause;
      s[chicken] = action === up ? Math.max(0, s[chicken] - 1) : Math.min(lastRow, s[chicken] + 1);
    }
    if (s[chicken] === 0) {
      reward = 1;
      this.#setCars(0);
      this.#drawSpeeds();
      this.#setCars(1);
      s[chicken] = lastRow;
    }
    for (let k = 0, at = cars; k < carCount; k++, at += carLength) {
      if (s[at + column] === chickenColumn && s[chicken] === k + 1) s[chicken] = lastRow;
      if (s[at + timer] > 0) {
        s[at + timer]--;
        continue;
      }
      s[at + timer] = Math.abs(s[at + speed]);
      this.#setCar(k, 0);
      s[at + column] = wrapped(s[at + column] + (s[at + speed] > 0 ? 1 : -1));
      this.#setCar(k, 1);
      if (s[at + column] === chickenColumn && s[chicken] === k + 1) s[chicken] = lastRow;
    }
    if (s[moveTimer] > 0) s[moveTimer]--;
    if (--s[timeLeft] < 0) s[over] = 1;
    return reward;
  }

  show(): void {
    this.board.paint(chickenColumn, this.state[chicken], 0);
  }

  /** Draws the cars, few of which move in any one step. */
  override showLasting(): void {
    this.#setCars(1);
  }

  #setCars(value: 0 | 1): void {
    for (let k = 0; k < carCount; k++) this.#setCar(k, value);
  }

  /** Sets car k and its trail on the board, or clears them. */
  #setCar(k: number, value: 0 | 1): void {
    const s = this.state;
    const at = cars + k * carLength;
    const behind = wrapped(s[at + column] - (s[at + speed] > 0 ? 1 : -1));
    this.board.set(s[at + column], k + 1, 1, value);
    this.board.set(behind, k + 1, 1 + Math.abs(s[at + speed]), value);
  }
}

/** Wraps a column that is one beyond an edge around to the opposite edge. */
function wrapped(x: number): number {
  if (x < 0) return side - 1;
  return x > side - 1 ? 0 : x;
}
