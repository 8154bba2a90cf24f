import { fire, Game, type GameKind, left, over, right, side } from "./game.js";

// Indices into the state: single numbers first, then three grids with one number per row; bit x is column x.
const cannon = 1;
const direction = 2;
const moveInterval = 3;
const moveTimer = 4;
const shotTimer = 5;
const cooldown = 6;
const rampIndex = 7;
const aliens = 8;
const friendly = aliens + side;
const enemy = friendly + side;

const lastRow = side - 1;
const alienRows = 4;
/** Columns 2 to 7. */
const alienRow = 0b0011111100;
const leftEdge = 1;
const rightEdge = 1 << (side - 1);

const slowestMove = 12;
const fastestInterval = 6;
const enemyPause = 10;
const cannonPause = 5;

/** SpaceInvaders: shoot the aliens before they land. They speed up as they get fewer, and each wave starts faster. */
export const spaceInvaders: GameKind = {
  name: "SpaceInvaders",
  channels: [
    ["cannon", 0x4f9dff],
    ["alien", 0x6fd36f],
    ["going left", 0x3f8f3f],
    ["going right", 0x3f8f3f],
    ["own bullet", 0xffffff],
    ["alien bullet", 0xff5a4f],
  ],
  stateLength: enemy + side,
  make: (parts) => new SpaceInvaders(parts),
};

class SpaceInvaders extends Game {
  begin(): void {
    const s = this.state;
    s[cannon] = 5;
    s[direction] = -1;
    s[moveInterval] = s[moveTimer] = slowestMove;
    s[shotTimer] = enemyPause;
    this.#refill();
  }

  #refill(): void {
    for (let y = 0; y < alienRows; y++) this.state[aliens + y] = alienRow;
  }

  advance(action: number): number {
    const s = this.state;
    if (action === fire) {
      if (s[cooldown] === 0) {
        s[friendly + lastRow] |= 1 << s[cannon];
        s[cooldown] = cannonPause;
      }
    } else if (action === left) {
      s[cannon] = Math.max(0, s[cannon] - 1);
    } else if (action === right) {
      s[cannon] = Math.min(lastRow, s[cannon] + 1);
    }
    this.#flyBullets();
    this.#touch(enemy);
    this.#touch(aliens);
    if (s[moveTimer] === 0) this.#march();
    if (s[shotTimer] === 0) {
      s[shotTimer] = enemyPause;
      this.#shoot();
    }
    const reward = this.#hit();
    if (s[cooldown] > 0) s[cooldown]--;
    s[moveTimer]--;
    s[shotTimer]--;
    // The last alien can only disappear by a hit.
    if (reward > 0 && this.#alienColumns() === 0) {
      if (this.ramping && s[moveInterval] > fastestInterval) {
        s[moveInterval]--;
        s[rampIndex]++;
      }
      this.#refill();
      this.showLasting();
    }
    return reward;
  }

  #flyBullets(): void {
    const s = this.state;
    for (let y = 0; y < lastRow; y++) s[friendly + y] = s[friendly + y + 1];
    s[friendly + lastRow] = 0;
    for (let y = lastRow; y > 0; y--) s[enemy + y] = s[enemy + y - 1];
    s[enemy] = 0;
  }

  /** Ends the game if this grid has something on the cannon's cell. */
  #touch(grid: number): void {
    const s = this.state;
    if ((s[grid + lastRow] & (1 << s[cannon])) !== 0) s[over] = 1;
  }

  #march(): void {
    const s = this.state;
    this.#setAliens(0);
    s[moveTimer] = Math.min(this.#alienCount(), s[moveInterval]);
    if ((this.#alienColumns() & (s[direction] < 0 ? leftEdge : rightEdge)) !== 0) {
      s[direction] = -s[direction];
      const lowest = s[aliens + lastRow];
      if (lowest !== 0) s[over] = 1;
      for (let y = lastRow; y > 0; y--) s[aliens + y] = s[aliens + y - 1];
      s[aliens] = lowest;
    } else if (s[direction] < 0) {
      for (let y = 0; y < side; y++) s[aliens + y] >>= 1;
    } else {
      for (let y = 0; y < side; y++) s[aliens + y] <<= 1;
    }
    this.#setAliens(1);
    this.#touch(aliens);
  }

  /** The lowest alien of the column nearest to the cannon shoots; of two equally near columns, the left one. */
  #shoot(): void {
    const s = this.state;
    const columns = this.#alienColumns();
    let nearest = -1;
    for (let distance = 0; distance < side && nearest < 0; distance++) {
      const lower = s[cannon] - distance;
      const upper = s[cannon] + distance;
      if (lower >= 0 && (columns & (1 << lower)) !== 0) nearest = lower;
      else if (upper < side && (columns & (1 << upper)) !== 0) nearest = upper;
    }
    if (nearest < 0) return;
    let y = lastRow;
    while ((s[aliens + y] & (1 << nearest)) === 0) y--;
    s[enemy + y] |= 1 << nearest;
  }

  #hit(): number {
    const s = this.state;
    let hits = 0;
    for (let y = 0; y < side; y++) {
      const both = s[aliens + y] & s[friendly + y];
      if (both === 0) continue;
      hits += bitCount(both);
      this.#setRow(y, both, 0);
      s[aliens + y] &= ~both;
      s[friendly + y] &= ~both;
    }
    return hits;
  }

  /** Bit x is set where column x has an alien. */
  #alienColumns(): number {
    const s = this.state;
    let columns = 0;
    for (let y = 0; y < side; y++) columns |= s[aliens + y];
    return columns;
  }

  #alienCount(): number {
    let count = 0;
    for (let y = 0; y < side; y++) count += bitCount(this.state[aliens + y]);
    return count;
  }

  show(): void {
    const s = this.state;
    this.board.paint(s[cannon], lastRow, 0);
    for (let y = 0; y < side; y++) {
      for (let bits = s[friendly + y]; bits !== 0; bits &= bits - 1) this.board.paint(lowestBit(bits), y, 4);
      for (let bits = s[enemy + y]; bits !== 0; bits &= bits - 1) this.board.paint(lowestBit(bits), y, 5);
    }
  }

  /** Draws the aliens, which do not move between marches. */
  override showLasting(): void {
    this.#setAliens(1);
  }

  #setAliens(value: 0 | 1): void {
    for (let y = 0; y < side; y++) this.#setRow(y, this.state[aliens + y], value);
  }

  /** Draws or clears these aliens of a row. */
  #setRow(y: number, row: number, value: 0 | 1): void {
    const facing = this.state[direction] < 0 ? 2 : 3;
    for (let bits = row; bits !== 0; bits &= bits - 1) {
      const x = lowestBit(bits);
      this.board.set(x, y, 1, value);
      this.board.set(x, y, facing, value);
    }
  }
}

/** The index of the lowest set bit. */
const lowestBit = (bits: number): number => 31 - Math.clz32(bits & -bits);

function bitCount(bits: number): number {
  let count = 0;
  for (let rest = bits; rest !== 0; rest &= rest - 1) count++;
  return count;
}
