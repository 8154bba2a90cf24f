import { Game, type GameKind, left, onBoard, over, right, side } from "./game.js";

const paddle = 1;
const ballX = 2;
const ballY = 3;
const direction = 4;
const trailX = 5;
const trailY = 6;
const strike = 7;
/** One number for each of the rows 1, 2 and 3: bit x is set while the brick in column x exists. */
const bricks = 8;

const brickRows = 3;
const fullRow = (1 << side) - 1;

/** The directions 0 to 3: up-left, up-right, down-right, down-left. */
const stepX = Int8Array.of(-1, 1, 1, -1);
const stepY = Int8Array.of(-1, -1, 1, 1);
const turnedSideways = Int8Array.of(1, 0, 3, 2);
const turnedUpDown = Int8Array.of(3, 2, 1, 0);
const turnedBack = Int8Array.of(2, 3, 0, 1);

/** Breakout: bounce the ball off the paddle into three rows of bricks; cleared bricks are replaced by new rows. */
export const breakout: GameKind = {
  name: "Breakout",
  channels: [
    ["paddle", 0x4f9dff],
    ["ball", 0xffffff],
    ["trail", 0x6b6f7a],
    ["brick", 0xff8a4f],
  ],
  stateLength: bricks + brickRows,
  make: (parts) => new Breakout(parts),
};

class Breakout extends Game {
  begin(): void {
    const s = this.state;
    const fromRight = this.random.integer(0, 2) === 1;
    s[paddle] = 4;
    s[ballX] = s[trailX] = fromRight ? side - 1 : 0;
    s[ballY] = s[trailY] = 3;
    s[direction] = fromRight ? 3 : 2;
    for (let row = 0; row < brickRows; row++) s[bricks + row] = fullRow;
  }

  advance(action: number): number {
    const s = this.state;
    if (action === left) s[paddle] = Math.max(0, s[paddle] - 1);
    else if (action === right) s[paddle] = Math.min(side - 1, s[paddle] + 1);
    const oldX = s[ballX];
    const oldY = s[ballY];
    s[trailX] = oldX;
    s[trailY] = oldY;
    let x = oldX + stepX[s[direction]];
    let y = oldY + stepY[s[direction]];
    let reward = 0;
    let inBrick = false;
    if (!onBoard(x)) {
      x = x < 0 ? 0 : side - 1;
      s[direction] = turnedSideways[s[direction]];
    }
    if (y < 0) {
      y = 0;
      s[direction] = turnedUpDown[s[direction]];
    } else if (y >= 1 && y <= brickRows && (s[bricks + y - 1] & (1 << x)) !== 0) {
      inBrick = true;
      // A ball that has just struck a brick passes through further bricks until it has left them.
      if (s[strike] === 0) {
        reward = 1;
        s[strike] = 1;
        this.#removeBrick(x, y);
        y = oldY;
        s[direction] = turnedUpDown[s[direction]];
      }
    } else if (y === side - 1) {
      if ((s[bricks] | s[bricks + 1] | s[bricks + 2]) === 0) this.#refill();
      if (oldX === s[paddle]) {
        s[direction] = turnedUpDown[s[direction]];
        y = oldY;
      } else if (x === s[paddle]) {
        s[direction] = turnedBack[s[direction]];
        y = oldY;
      } else {
        s[over] = 1;
      }
    }
    if (!inBrick) s[strike] = 0;
    s[ballX] = x;
    s[ballY] = y;
    return reward;
  }

  #removeBrick(x: number, y: number): void {
    this.state[bricks + y - 1] &= ~(1 << x);
    this.board.set(x, y, 3, 0);
  }

  #refill(): void {
    for (let row = 0; row < brickRows; row++) this.state[bricks + row] = fullRow;
    this.showLasting();
  }

  override showLasting(): void {
    for (let y = 1; y <= brickRows; y++) {
      for (let x = 0; x < side; x++) {
        this.board.set(x, y, 3, (this.state[bricks + y - 1] & (1 << x)) === 0 ? 0 : 1);
      }
    }
  }

  show(): void {
    const s = this.state;
    this.board.paint(s[paddle], side - 1, 0);
    this.board.paint(s[ballX], s[ballY], 1);
    this.board.paint(s[trailX], s[trailY], 2);
  }
}
