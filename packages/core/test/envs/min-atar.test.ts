import { MinAtar, type MinAtarGame, RandomStreams } from "softrl";
import { describe, expect, it } from "vitest";
import { RandomState } from "../../src/envs/minatar/random-state.js";

/**
 * Results of the original games with seed 0 and the actions of {@link recordedActions}: the hash of all observations,
 * rewards and endings after 1, 100, 1000 and 6000 steps, the sum of rewards, and the number of episodes.
 */
const golden: readonly (readonly [MinAtarGame, readonly string[], number, number])[] = [
  ["Asterix", ["942d71ad", "7b737c62", "164a6529", "d0765b9f"], 39, 72],
  ["Breakout", ["236cb831", "8ac6aec8", "4d5a18d6", "13823a22"], 285, 515],
  ["Freeway", ["ac225b0d", "60f7642b", "7ed424ad", "63d26da6"], 1, 2],
  ["Seaquest", ["69d141ad", "33002290", "589e261e", "45e20c43"], 20, 198],
  ["SpaceInvaders", ["75ac74ed", "5df2b7a3", "733f04db", "cec24e8e"], 331, 130],
];

function* recordedActions(): Generator<number, never> {
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

  /** Packs eight numbers into each byte, the first in the highest bit. */
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
  it.each(golden)("%s reproduces 6000 steps of the original", (game, hashes, total, episodes) => {
    const environment = new MinAtar(game, 1);
    const { observations, finalObservations, rewards, terminated } = environment;
    environment.reset(new RandomStreams(1));
    environment.seed(0, 0);
    const hash = new Hash();
    hash.addBits(observations);
    const seen = { hashes: [] as string[], total: 0, episodes: 0 };
    const actions = recordedActions();
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

  it("repeats the last action in one step of ten, also across the end of a game", () => {
    // The actions alternate between right and left, so a step in the same direction as the one before was sticky.
    const environment = new MinAtar("SpaceInvaders", 50);
    environment.reset(new RandomStreams(3));
    let sticky = 0;
    const steps = 200;
    const cannons = () =>
      Array.from({ length: 50 }, (_, i) =>
        Array.from({ length: 10 }, (_, x) => environment.observations[i * 600 + (90 + x) * 6]).indexOf(1),
      );
    let before = cannons();
    for (let t = 0; t < steps; t++) {
      environment.step(new Int32Array(50).fill(t % 2 === 0 ? 3 : 1));
      const after = cannons();
      after.forEach((x, i) => {
        if (environment.terminated[i] === 0 && x - before[i] !== (t % 2 === 0 ? 1 : -1)) sticky++;
      });
      before = after;
    }
    const trials = 50 * steps;
    expect(Math.abs(sticky - trials * 0.1)).toBeLessThan(5 * Math.sqrt(trials * 0.1 * 0.9));
  });

  it("takes every action as given if stickyProbability is 0", () => {
    const environment = new MinAtar("Asterix", 1, { stickyProbability: 0 });
    environment.reset(new RandomStreams(1));
    const column = () =>
      environment.observations.findIndex((value, at) => at % 4 === 0 && value === 1) / 4 - 50;
    expect(column()).toBe(5);
    for (const [action, expected] of [
      [3, 6],
      [1, 5],
      [1, 4],
      [0, 4],
      [5, 4],
    ]) {
      environment.step(Int32Array.of(action));
      expect(column()).toBe(expected);
    }
  });

  it("plays differently without ramping", () => {
    const play = (ramping: boolean) => {
      const environment = new MinAtar("Asterix", 64, { ramping });
      environment.reset(new RandomStreams(4));
      let episodes = 0;
      for (let t = 0; t < 3000; t++) {
        environment.step(new Int32Array(64).fill(2 + 2 * (t % 2)));
        episodes += environment.episodeEnded.reduce((sum, ended) => sum + ended, 0);
      }
      return episodes;
    };
    const [ramped, level] = [play(true), play(false)];
    expect(ramped).not.toBe(level);
  });

  it("truncates at maxEpisodeSteps", () => {
    const environment = new MinAtar("Freeway", 1, { maxEpisodeSteps: 7 });
    environment.reset(new RandomStreams(1));
    for (let t = 1; t <= 7; t++) {
      environment.step(Int32Array.of(0));
      expect([environment.truncated[0], environment.terminated[0]]).toEqual([t === 7 ? 1 : 0, 0]);
    }
  });

  it("seeds game i from the stream of environment i", () => {
    const seedOf = (i: number) => new RandomStreams(9).stream("environment", i).uint32();
    const environment = new MinAtar("Breakout", 8);
    environment.reset(new RandomStreams(9));
    const seeded = new MinAtar("Breakout", 8);
    seeded.reset(new RandomStreams(1));
    for (let i = 0; i < 8; i++) seeded.seed(i, seedOf(i));
    for (let t = 0; t < 100; t++) {
      expect(environment.observations).toEqual(seeded.observations);
      environment.step(new Int32Array(8).fill(t % 6));
      seeded.step(new Int32Array(8).fill(t % 6));
    }
  });

  it("refuses invalid seeds, environments and options", () => {
    const environment = new MinAtar("Breakout", 1);
    expect(() => environment.seed(0, 0)).toThrow(/reset/);
    environment.reset(new RandomStreams(1));
    expect(() => environment.seed(0, 2 ** 32)).toThrow(/seed is out of range, expected an integer below 2³²/);
    expect(() => environment.seed(1, 0)).toThrow(/no such environment/);
    expect(() => new MinAtar("Breakout", 1, { stickyProbability: 1.5 })).toThrow(/stickyProbability/);
    expect(() => new MinAtar("Breakout", 1, { maxEpisodeSteps: 0 })).toThrow(/maxEpisodeSteps/);
  });
});

describe("RandomState, beside NumPy's", () => {
  const seeded = (seed: number) => {
    const state = new RandomState(new Uint32Array(RandomState.length));
    state.seed(seed);
    return state;
  };

  it("draws the same numbers, also after the first 624 words", () => {
    // The first, second and thousandth value of numpy.random.RandomState(s).random_sample().
    for (const [seed, ...expected] of [
      [0, 0.5488135039273248, 0.7151893663724195, 0.6771411441114241],
      [4294967295, 0.0976320289940138, 0.9123828453026218, 0.556626859384112],
    ]) {
      const state = seeded(seed);
      const drawn = Array.from({ length: 1000 }, () => state.float());
      expect([drawn[0], drawn[1], drawn[999]]).toEqual(expected);
    }
  });

  it("draws the same integers", () => {
    // Twelve values of numpy.random.RandomState(7).randint(1, 6) after one random_sample().
    const state = seeded(7);
    state.float();
    expect(Array.from({ length: 12 }, () => state.integer(1, 6))).toEqual([
      2, 4, 4, 5, 2, 1, 2, 3, 3, 1, 5, 1,
    ]);
  });

  it("draws nothing if there is only one choice", () => {
    const state = seeded(3);
    expect(state.integer(4, 5)).toBe(4);
    expect(state.float()).toBe(seeded(3).float());
  });
});
