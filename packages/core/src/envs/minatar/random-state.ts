import { fail } from "../../base/errors.js";

const words = 624;
const shift = 397;

/**
 * NumPy's `RandomState(seed)` for a 32-bit seed: the Mersenne Twister MT19937 (Matsumoto and Nishimura 1998), bit for
 * bit. Only MinAtar uses it; everything else in this library uses `Random`.
 */
export class RandomState {
  /** The 624 words of the generator, then the number of words already used. */
  readonly #state: Uint32Array;

  /** @param state [625], the memory of the state; shared, not copied. */
  constructor(state: Uint32Array) {
    if (state.length !== RandomState.length) {
      fail("RandomState", "the state has the wrong length", {
        expected: String(RandomState.length),
        got: String(state.length),
      });
    }
    this.#state = state;
  }

  /** The length of a state in words. */
  static readonly length = words + 1;

  /** Seeds the generator like `RandomState(seed)`; seed is an integer in [0, 2³²). */
  seed(seed: number): void {
    const state = this.#state;
    state[0] = seed;
    for (let i = 1; i < words; i++) {
      const last = state[i - 1];
      state[i] = Math.imul(1812433253, last ^ (last >>> 30)) + i;
    }
    state[words] = words;
  }

  /** A uniform number in [0, 1) with 53 random bits: NumPy's `random_sample()`. */
  float(): number {
    const high = this.#word() >>> 5;
    const low = this.#word() >>> 6;
    return (high * 67108864 + low) / 9007199254740992;
  }

  /** A uniform integer in [low, high): NumPy's `randint(low, high)`, by masking and rejection. */
  integer(low: number, high: number): number {
    const range = high - 1 - low;
    if (range === 0) return low;
    const mask = -1 >>> Math.clz32(range);
    let draw = this.#word() & mask;
    while (draw > range) draw = this.#word() & mask;
    return low + draw;
  }

  /** 32 random bits, as a signed integer. */
  #word(): number {
    const state = this.#state;
    let next = state[words];
    if (next === words) {
      this.#refill();
      next = 0;
    }
    state[words] = next + 1;
    let y = state[next] | 0;
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return y ^ (y >>> 18);
  }

  #refill(): void {
    const state = this.#state;
    for (let i = 0; i < words - shift; i++) state[i] = twist(state[i], state[i + 1], state[i + shift]);
    for (let i = words - shift; i < words - 1; i++) {
      state[i] = twist(state[i], state[i + 1], state[i + shift - words]);
    }
    state[words - 1] = twist(state[words - 1], state[0], state[shift - 1]);
  }
}

function twist(high: number, low: number, far: number): number {
  const y = (high & 0x80000000) | (low & 0x7fffffff);
  // A mask instead of a branch, because the branch would be unpredictable.
  return far ^ (y >>> 1) ^ (-(y & 1) & 0x9908b0df);
}
