import { fail, requireInteger } from "./errors.js";

/**
 * A seeded random stream: xoshiro128** (Blackman and Vigna 2018), with 128 bits of state and period 2¹²⁸ − 1.
 *
 * {@link RandomStreams} creates the streams, never from a clock: the same seed and name give the same numbers
 * on every machine.
 */
export class Random {
  readonly #state: Uint32Array;

  /** @param state four words, not all zero; copied. */
  constructor(state: Uint32Array) {
    this.#state = new Uint32Array(4);
    this.restore(state);
  }

  /** A uniform 32-bit integer. */
  uint32(): number {
    return this.#word() >>> 0;
  }

  /** A uniform number in [0, 1) with 53 random bits. */
  float(): number {
    const high = this.#word() >>> 5;
    const low = this.#word() >>> 6;
    return (high * 67108864 + low) / 9007199254740992;
  }

  /** A uniform number in [low, high). */
  uniform(low: number, high: number): number {
    if (!(low <= high)) {
      fail("Random.uniform", "invalid bounds", {
        expected: "low ≤ high",
        got: `${low} and ${high}`,
      });
    }
    return low + (high - low) * this.float();
  }

  /** A uniform integer in [0, n), without bias, for 1 ≤ n ≤ 2³². */
  integer(n: number): number {
    if (!(Number.isInteger(n) && n >= 1 && n <= 4294967296)) {
      fail("Random.integer", "n is out of range", { expected: "an integer in [1, 2^32]", got: String(n) });
    }
    const limit = 4294967296 - (4294967296 % n);
    let draw = this.uint32();
    while (draw >= limit) draw = this.uint32();
    return draw % n;
  }

  /** A copy of the four words of state. */
  save(): Uint32Array {
    return this.#state.slice();
  }

  /** Continues from a saved state. */
  restore(state: Uint32Array): void {
    if (state.length !== 4 || !(state[0] | state[1] | state[2] | state[3])) {
      fail("Random.restore", "invalid state", {
        expected: "four words, not all zero",
        got: `[${Array.from(state).join(", ")}]`,
      });
    }
    this.#state.set(state);
  }

  /**
   * 32 random bits as a signed integer. A JavaScript engine stores such a number in place, but may allocate
   * memory for one beyond 2³¹.
   */
  #word(): number {
    const s = this.#state;
    const a = s[0];
    const b = s[1];
    const c = s[2] ^ a;
    const d = s[3] ^ b;
    const product = Math.imul(b, 5);
    const result = Math.imul((product << 7) | (product >>> 25), 9);
    s[2] = c ^ (b << 9);
    s[3] = (d << 11) | (d >>> 21);
    s[1] = b ^ c;
    s[0] = a ^ d;
    return result;
  }
}

/**
 * Independent named streams from one seed: `streams.stream("environment", 3)`.
 *
 * The name is hashed together with the seed, so adding a stream never changes another one.
 */
export class RandomStreams {
  readonly seed: number;

  /** @param seed an integer in [0, 2⁵³). */
  constructor(seed: number) {
    requireInteger("RandomStreams", "seed", seed, 0);
    this.seed = seed;
  }

  /** The stream with this name, from its start. */
  stream(...name: readonly (string | number)[]): Random {
    const text = name.map((part) => (typeof part === "number" ? `#${part}` : part)).join("/");
    const low = this.seed >>> 0;
    const high = Math.floor(this.seed / 4294967296) >>> 0;
    const state = new Uint32Array(4);
    for (let word = 0; word < 4; word++) {
      let hash = mix(low ^ Math.imul(word + 1, 0x9e3779b9));
      hash = mix(hash ^ high);
      for (let i = 0; i < text.length; i++) hash = mix(hash ^ text.charCodeAt(i));
      state[word] = hash;
    }
    if (!(state[0] | state[1] | state[2] | state[3])) state[0] = 1;
    return new Random(state);
  }
}

/** The finaliser of MurmurHash3: a bijection on 32 bits in which every input bit reaches every output bit. */
function mix(word: number): number {
  let h = (word + 0x6d2b79f5) | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
