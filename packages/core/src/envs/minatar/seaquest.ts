import { down, fire, Game, type GameKind, left, onBoard, over, right, side, up } from "./game.js";

// Indices into the state: single numbers first, then the lists.
const playerX = 1;
const playerY = 2;
/** The submarine's direction, −1 or 1. */
const facing = 3;
const oxygen = 4;
const aboard = 5;
const spawnInterval = 6;
const spawnTimer = 7;
const diverTimer = 8;
const moveInterval = 9;
const cooldown = 10;
const rampIndex = 11;
/** 1 from surfacing until the next dive. */
const surfaced = 12;

/**
 * A list is its length followed by its members, oldest first. Under the rules no list reaches 64 members: at most one
 * enemy enters per step and, at that rate, each leaves the board within 30 steps.
 */
const capacity = 64;
const memberLength = 5;
const listLength = 1 + capacity * memberLength;
/** Offsets within a member: column, row, direction, and the timers of its next move and its next shot. */
const column = 0;
const row = 1;
const direction = 2;
const moveTimer = 3;
const shotTimer = 4;

const bullets = 13;
const divers = bullets + listLength;
const enemyBullets = divers + listLength;
const fish = enemyBullets + listLength;
const subs = fish + listLength;

const fullOxygen = 200;
const fullBoat = 6;
const diverInterval = 30;
const diverPause = 5;
const cannonPause = 5;
const enemyPause = 10;
const fastestMove = 2;
const lastRow = side - 1;

/**
 * Seaquest: shoot fish and submarines, rescue divers, and surface before the oxygen runs out. Surfacing without a diver
 * ends the game; surfacing with six gives a reward that grows with the remaining oxygen.
 */
export const seaquest: GameKind = {
  name: "Seaquest",
  channels: [
    ["front", 0x4f9dff],
    ["back", 0x2f6fc0],
    ["own bullet", 0xffffff],
    ["trail", 0x6b6f7a],
    ["enemy bullet", 0xff8a4f],
    ["fish", 0xff5a4f],
    ["submarine", 0xc04fff],
    ["oxygen", 0x9fe8ff],
    ["diver aboard", 0xffd24a],
    ["diver", 0xffd24a],
  ],
  stateLength: subs + listLength,
  make: (parts) => new Seaquest(parts),
};

class Seaquest extends Game {
  /** The number of oxygen cells currently drawn on the board. */
  #gauge = 0;

  begin(): void {
    const s = this.state;
    s[playerX] = 5;
    s[facing] = -1;
    s[oxygen] = fullOxygen;
    s[spawnInterval] = s[spawnTimer] = 20;
    s[diverTimer] = diverInterval;
    s[moveInterval] = 5;
    s[surfaced] = 1;
  }

  advance(action: number): number {
    const s = this.state;
    if (s[spawnTimer] === 0) {
      this.#spawnEnemy();
      s[spawnTimer] = s[spawnInterval];
    }
    if (s[diverTimer] === 0) {
      const way = this.random.float() < 1 / 2 ? 1 : -1;
      this.#append(divers, way > 0 ? 0 : side - 1, this.random.integer(1, lastRow), way, diverPause, 0);
      s[diverTimer] = diverInterval;
    }
    this.#steer(action);
    let reward = this.#flyBullets();
    this.#swimDivers();
    reward += this.#swimEnemies(subs, true);
    this.#flyEnemyBullets();
    reward += this.#swimEnemies(fish, false);
    if (s[spawnTimer] > 0) s[spawnTimer]--;
    if (s[diverTimer] > 0) s[diverTimer]--;
    if (s[cooldown] > 0) s[cooldown]--;
    if (s[oxygen] <= 0) s[over] = 1;
    if (s[playerY] > 0) {
      s[oxygen]--;
      s[surfaced] = 0;
    } else if (s[surfaced] === 0) {
      if (s[aboard] === 0) s[over] = 1;
      else reward += this.#surface();
    }
    return reward;
  }

  #spawnEnemy(): void {
    const s = this.state;
    const way = this.random.float() < 1 / 2 ? 1 : -1;
    const isSub = this.random.float() < 1 / 3;
    const y = this.random.integer(1, lastRow);
    if (this.#opposes(fish, y, way) || this.#opposes(subs, y, way)) return;
    this.#append(isSub ? subs : fish, way > 0 ? 0 : side - 1, y, way, s[moveInterval], enemyPause);
  }

  /** Whether the list has a member in this row that moves in the opposite direction. */
  #opposes(list: number, y: number, way: number): boolean {
    const s = this.state;
    for (let at = list + 1, end = at + s[list] * memberLength; at < end; at += memberLength) {
      if (s[at + row] === y && s[at + direction] !== way) return true;
    }
    return false;
  }

  #steer(action: number): void {
    const s = this.state;
    if (action === fire) {
      if (s[cooldown] > 0) return;
      this.#append(bullets, s[playerX], s[playerY], s[facing], 0, 0);
      s[cooldown] = cannonPause;
    } else if (action === left) {
      s[playerX] = Math.max(0, s[playerX] - 1);
      s[facing] = -1;
    } else if (action === right) {
      s[playerX] = Math.min(side - 1, s[playerX] + 1);
      s[facing] = 1;
    } else if (action === up) {
      s[playerY] = Math.max(0, s[playerY] - 1);
    } else if (action === down) {
      s[playerY] = Math.min(lastRow - 1, s[playerY] + 1);
    }
  }

  #flyBullets(): number {
    const s = this.state;
    let reward = 0;
    for (let at = this.#last(bullets); at > bullets; at -= memberLength) {
      s[at + column] += s[at + direction];
      if (!onBoard(s[at + column])) {
        this.#remove(bullets, at);
        continue;
      }
      const list = this.#removeAt(fish, at) ? fish : this.#removeAt(subs, at) ? subs : 0;
      if (list === 0) continue;
      reward++;
      this.#remove(bullets, at);
    }
    return reward;
  }

  #swimDivers(): void {
    const s = this.state;
    for (let at = this.#last(divers); at > divers; at -= memberLength) {
      if (this.#takeAboard(at)) continue;
      if (s[at + moveTimer] > 0) {
        s[at + moveTimer]--;
        continue;
      }
      s[at + moveTimer] = diverPause;
      s[at + column] += s[at + direction];
      if (!onBoard(s[at + column])) this.#remove(divers, at);
      else this.#takeAboard(at);
    }
  }

  #takeAboard(at: number): boolean {
    const s = this.state;
    if (s[aboard] >= fullBoat || !this.#onPlayer(at)) return false;
    s[aboard]++;
    this.#remove(divers, at);
    return true;
  }

  /** Moves fish or submarines. Submarines also shoot, even in the step in which they leave the board. */
  #swimEnemies(list: number, shooting: boolean): number {
    const s = this.state;
    let reward = 0;
    for (let at = this.#last(list); at > list; at -= memberLength) {
      if (this.#onPlayer(at)) s[over] = 1;
      let gone = false;
      if (s[at + moveTimer] > 0) {
        s[at + moveTimer]--;
      } else {
        s[at + moveTimer] = s[moveInterval];
        s[at + column] += s[at + direction];
        if (!onBoard(s[at + column])) {
          gone = true;
        } else if (this.#onPlayer(at)) {
          s[over] = 1;
        } else if (this.#removeAt(bullets, at)) {
          reward++;
          gone = true;
        }
      }
      if (shooting) {
        if (s[at + shotTimer] > 0) {
          s[at + shotTimer]--;
        } else {
          s[at + shotTimer] = enemyPause;
          this.#append(enemyBullets, s[at + column], s[at + row], s[at + direction], 0, 0);
        }
      }
      if (gone) this.#remove(list, at);
    }
    return reward;
  }

  #flyEnemyBullets(): void {
    const s = this.state;
    for (let at = this.#last(enemyBullets); at > enemyBullets; at -= memberLength) {
      if (this.#onPlayer(at)) s[over] = 1;
      s[at + column] += s[at + direction];
      if (!onBoard(s[at + column])) this.#remove(enemyBullets, at);
      else if (this.#onPlayer(at)) s[over] = 1;
    }
  }

  #surface(): number {
    const s = this.state;
    let reward = 0;
    s[surfaced] = 1;
    if (s[aboard] === fullBoat) {
      s[aboard] = 0;
      reward = this.#oxygenCells();
    }
    s[oxygen] = fullOxygen;
    // After surfacing with six divers the count becomes −1, as in the original rules.
    s[aboard]--;
    if (this.ramping && (s[spawnInterval] > 1 || s[moveInterval] > fastestMove)) {
      if (s[moveInterval] > fastestMove && s[rampIndex] % 2 === 1) s[moveInterval]--;
      if (s[spawnInterval] > 1) s[spawnInterval]--;
      s[rampIndex]++;
    }
    return reward;
  }

  #oxygenCells(): number {
    return Math.floor((Math.max(0, this.state[oxygen]) * side) / fullOxygen);
  }

  #onPlayer(at: number): boolean {
    const s = this.state;
    return s[at + column] === s[playerX] && s[at + row] === s[playerY];
  }

  /** The index of the newest member; an index below that of the list itself if it is empty. */
  #last(list: number): number {
    return list + 1 + (this.state[list] - 1) * memberLength;
  }

  #append(list: number, x: number, y: number, way: number, untilMove: number, untilShot: number): void {
    const s = this.state;
    const at = list + 1 + s[list] * memberLength;
    s[at + column] = x;
    s[at + row] = y;
    s[at + direction] = way;
    s[at + moveTimer] = untilMove;
    s[at + shotTimer] = untilShot;
    s[list]++;
  }

  /** Removes the member at this index and shifts the newer ones down. */
  #remove(list: number, at: number): void {
    const s = this.state;
    const end = list + 1 + s[list] * memberLength;
    for (let to = at; to < end - memberLength; to++) s[to] = s[to + memberLength];
    s[list]--;
  }

  /** Removes the oldest member of the list on the cell of `other`; returns whether there was one. */
  #removeAt(list: number, other: number): boolean {
    const s = this.state;
    for (let at = list + 1, end = at + s[list] * memberLength; at < end; at += memberLength) {
      if (s[at + column] !== s[other + column] || s[at + row] !== s[other + row]) continue;
      this.#remove(list, at);
      return true;
    }
    return false;
  }

  show(): void {
    const s = this.state;
    this.board.paint(s[playerX], s[playerY], 0);
    const back = s[playerX] - s[facing];
    if (onBoard(back)) this.board.paint(back, s[playerY], 1);
    this.#showList(bullets, 2, false);
    this.#showList(enemyBullets, 4, false);
    this.#showList(fish, 5, true);
    this.#showList(subs, 6, true);
    this.#showList(divers, 9, true);
    if (this.#oxygenCells() !== this.#gauge) this.showLasting();
    for (let x = lastRow - s[aboard]; x < lastRow; x++) this.board.paint(x, lastRow, 8);
  }

  /** Draws the oxygen gauge, which changes every 20 steps. */
  override showLasting(): void {
    this.#gauge = this.#oxygenCells();
    for (let x = 0; x < side; x++) this.board.set(x, lastRow, 7, x < this.#gauge ? 1 : 0);
  }

  #showList(list: number, channel: number, trail: boolean): void {
    const s = this.state;
    for (let at = list + 1, end = at + s[list] * memberLength; at < end; at += memberLength) {
      this.board.paint(s[at + column], s[at + row], channel);
      const behind = s[at + column] - s[at + direction];
      if (trail && onBoard(behind)) this.board.paint(behind, s[at + row], 3);
    }
  }
}
