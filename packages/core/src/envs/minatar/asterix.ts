import { down, Game, type GameKind, left, onBoard, over, right, side, up } from "./game.js";

// Indices into the state: single numbers first, then three numbers per slot.
const playerX = 1;
const playerY = 2;
const spawnInterval = 3;
const spawnTimer = 4;
const moveInterval = 5;
const moveTimer = 6;
const rampTimer = 7;
const rampIndex = 8;
const slots = 9;

const slotCount = 8;
const slotLength = 3;
/** Offsets within a slot: its kind (nothing, an enemy or gold), its column, and its direction, −1 or 1. */
const kind = 0;
const column = 1;
const direction = 2;
const nothing = 0;
const enemy = 1;
const gold = 2;

/**
 * Asterix: collect gold and avoid enemies. Slot k is row k + 1, which holds one entity at a time. Both kinds enter from
 * either side, faster as the game goes on.
 */
export const asterix: GameKind = {
  name: "Asterix",
  channels: [
    ["player", 0x4f9dff],
    ["enemy", 0xff5a4f],
    ["trail", 0x6b6f7a],
    ["gold", 0xffd24a],
  ],
  stateLength: slots + slotCount * slotLength,
  make: (parts) => new Asterix(parts),
};

class Asterix extends Game {
  begin(): void {
    const s = this.state;
    s[playerX] = 5;
    s[playerY] = 5;
    s[spawnInterval] = s[spawnTimer] = 10;
    s[moveInterval] = s[moveTimer] = 5;
    s[rampTimer] = 100;
  }

  advance(action: number): number {
    const s = this.state;
    if (s[spawnTimer] === 0) {
      this.#spawn();
      s[spawnTimer] = s[spawnInterval];
    }
    if (action === left) s[playerX] = Math.max(0, s[playerX] - 1);
    else if (action === right) s[playerX] = Math.min(side - 1, s[playerX] + 1);
    else if (action === up) s[playerY] = Math.max(1, s[playerY] - 1);
    else if (action === down) s[playerY] = Math.min(slotCount, s[playerY] + 1);
    let reward = this.#meet();
    if (s[moveTimer] === 0) {
      s[moveTimer] = s[moveInterval];
      for (let at = slots; at < slots + slotCount * slotLength; at += slotLength) {
        if (s[at + kind] === nothing) continue;
        s[at + column] += s[at + direction];
        if (!onBoard(s[at + column])) s[at + kind] = nothing;
      }
      reward += this.#meet();
    }
    s[spawnTimer]--;
    s[moveTimer]--;
    if (this.ramping && (s[spawnInterval] > 1 || s[moveInterval] > 1)) this.#ramp();
    return reward;
  }

  #spawn(): void {
    const s = this.state;
    const fromLeft = this.random.float() < 1 / 2;
    const golden = this.random.float() < 1 / 3;
    let free = 0;
    for (let k = 0; k < slotCount; k++) if (s[slots + k * slotLength + kind] === nothing) free++;
    if (free === 0) return;
    let chosen = this.random.integer(0, free);
    let at = slots;
    while (s[at + kind] !== nothing || chosen-- > 0) at += slotLength;
    s[at + kind] = golden ? gold : enemy;
    s[at + column] = fromLeft ? 0 : side - 1;
    s[at + direction] = fromLeft ? 1 : -1;
  }

  /** Handles a collision with the entity in the player's row, the only one that can be on the player's cell. */
  #meet(): number {
    const s = this.state;
    const at = slots + (s[playerY] - 1) * slotLength;
    if (s[at + kind] === nothing || s[at + column] !== s[playerX]) return 0;
    if (s[at + kind] === gold) {
      s[at + kind] = nothing;
      return 1;
    }
    s[over] = 1;
    return 0;
  }

  #ramp(): void {
    const s = this.state;
    if (s[rampTimer] >= 0) {
      s[rampTimer]--;
      return;
    }
    if (s[moveInterval] > 1 && s[rampIndex] % 2 === 1) s[moveInterval]--;
    if (s[spawnInterval] > 1) s[spawnInterval]--;
    s[rampIndex]++;
    s[rampTimer] = 100;
  }

  show(): void {
    const s = this.state;
    this.board.paint(s[playerX], s[playerY], 0);
    for (let k = 0; k < slotCount; k++) {
      const at = slots + k * slotLength;
      if (s[at + kind] === nothing) continue;
      this.board.paint(s[at + column], k + 1, s[at + kind] === gold ? 3 : 1);
      const behind = s[at + column] - s[at + direction];
      if (onBoard(behind)) this.board.paint(behind, k + 1, 2);
    }
  }
}
