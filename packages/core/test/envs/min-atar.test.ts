import { RandomStreams } from "softrl";
import { describe, expect, it } from "vitest";
import { MinAtar, type MinAtarGame } from "../../src/envs/minatar/min-atar.js";

/**
 * What the original's games do for seed 0 and the actions of {@link actionsOfTheRecord}: the hash of all that was
 * seen after 1, 100, 1000 and 6000 steps, the sum of rewards, and the number of episodes.
 */
const golden: readonly (readonly [MinAtarGame, readonly string[], number, number])[] = [
  ["Asterix", ["942d71ad", "7b737c62", "164a6529", "d0765b9f"], 39, 72],
  ["Breakout", ["236cb831", "8ac6aec8", "4d5a18d6", "13823a22"], 285, 515],
  ["Freeway", ["ac225b0d", "60f7642b", "7ed424ad", "63d26da6"], 1, 2],
  ["Seaquest", ["69d141ad", "33002290", "589e261e", "45e20c43"], 20, 198],
  ["SpaceInvaders", ["75ac74ed", "5df2b7a3", "733f04db", "cec24e8e"], 331, 130],
];

function* actionsOfTheRecord(): Generator<number, never> {
  for (let x = 0; ; ) {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
    yield (x >>> 16) % 6;
  }
}

/** FNV-1a, 32 bits. */
class Hash {
  #hash = 2166136261;

  add(byte: number): void {
    this.#hash = Math.imul(this.#hash ^ byte, 16777619);
  }

  /** Eight numbers a byte, the first one highest. */
  addBits(bits: Uint8Array): void {
    for (let at = 0; at < bits.length; at += 8) {
      let byte = 0;
      for (let k = 0; k < 8; k++) byte = byte * 2 + (bits[at + k] ?? 0);
      this.add(byte);
    }
  }

  toString(): string {
    return (this.#hash >>> 0).toString(16).padStart(8, "0");
  }
}

describe("MinAtar", () => {
  it.each(golden)("%s goes step for step as the original does", (game, hashes, total, episodes) => {
    const environment = new MinAtar(game, 1);
    const { observations, finalObservations, rewards, terminated } = environment;
    environment.reset(new RandomStreams(1));
    environment.seed(0, 0);
    const hash = new Hash();
    hash.addBits(observations);
    const seen = { hashes: [] as string[], total: 0, episodes: 0 };
    const actions = actionsOfTheRecord();
    for (let t = 1; t <= 6000; t++) {
      environment.step(Int32Array.of(actions.next().value));
      const over = terminated[0] === 1;
      hash.addBits(over ? finalObservations : observations);
      hash.add(rewards[0] & 255);
      hash.add(over ? 1 : 0);
      if (over) hash.addBits(observations);
      if (over) seen.episodes++;
      seen.total += rewards[0];
      if ([1, 100, 1000, 6000].includes(t)) seen.hashes.push(hash.toString());
    }
    expect(seen).toEqual({ hashes, total, episodes });
  });
});
