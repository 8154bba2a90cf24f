import { Random, RandomStreams } from "softrl";
import { describe, expect, it } from "vitest";

/** xoshiro128** as published by Blackman and Vigna, in integers of unlimited size: the reference. */
function* xoshiro128StarStar(state: readonly number[]): Generator<number> {
  const word = (x: bigint) => BigInt.asUintN(32, x);
  const rotate = (x: bigint, k: bigint) => word(x << k) | (x >> (32n - k));
  let [a, b, c, d] = state.map(BigInt);
  while (true) {
    yield Number(word(rotate(word(b * 5n), 7n) * 9n));
    const t = word(b << 9n);
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= t;
    d = rotate(d, 11n);
  }
}

const draws = (random: Random, count: number) => Array.from({ length: count }, () => random.uint32());

describe("Random", () => {
  it("is xoshiro128**: the first numbers from state 1, 2, 3, 4", () => {
    expect(draws(new Random(Uint32Array.of(1, 2, 3, 4)), 10)).toEqual([
      11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597, 4258142804,
    ]);
  });

  it("is xoshiro128**: 10,000 numbers of the published algorithm", () => {
    const state = [0x89abcdef, 0xffffffff, 0, 0x80000001];
    const specification = xoshiro128StarStar(state);
    const expected = Array.from({ length: 10_000 }, () => specification.next().value);
    expect(draws(new Random(Uint32Array.from(state)), 10_000)).toEqual(expected);
  });

  it("makes a float with 53 bits from two words", () => {
    const [high, low] = draws(new Random(Uint32Array.of(5, 6, 7, 8)), 2);
    const float = new Random(Uint32Array.of(5, 6, 7, 8)).float();
    expect(float).toBe((Math.floor(high / 32) * 2 ** 26 + Math.floor(low / 64)) / 2 ** 53);
  });

  it("is uniform: chi-square over 64 cells, for the high bits and for the low bits", () => {
    const random = new RandomStreams(1).stream("test");
    const float = new Float64Array(64);
    const integer = new Float64Array(64);
    const low = new Float64Array(64);
    const n = 64_000;
    for (let i = 0; i < n; i++) {
      float[Math.floor(random.float() * 64)]++;
      integer[random.integer(64)]++;
      low[random.uint32() & 63]++;
    }
    for (const counts of [float, integer, low]) {
      const chiSquare = counts.reduce((sum, count) => sum + (count - n / 64) ** 2 / (n / 64), 0);
      // 63 degrees of freedom: mean 63, standard deviation 11.2; both tails at five standard deviations.
      expect(Math.abs(chiSquare - 63)).toBeLessThan(56);
    }
  });

  it("draws integers without bias if n does not divide 2^32", () => {
    // With n = 3 · 2^30 a plain remainder would be in the lowest third twice as often.
    const random = new RandomStreams(2).stream("test");
    let lowest = 0;
    for (let i = 0; i < 30_000; i++) if (random.integer(3 * 2 ** 30) < 2 ** 30) lowest++;
    expect(Math.abs(lowest - 10_000)).toBeLessThan(5 * Math.sqrt(30_000 * (2 / 9)));
    expect(random.integer(1)).toBe(0);
    expect(random.integer(2 ** 32)).toBeGreaterThanOrEqual(0);
  });

  it("stays within the bounds of uniform", () => {
    const random = new RandomStreams(3).stream("test");
    const numbers = Array.from({ length: 1000 }, () => random.uniform(-2, 5));
    expect(Math.min(...numbers)).toBeGreaterThanOrEqual(-2);
    expect(Math.max(...numbers)).toBeLessThan(5);
    expect(Math.min(...numbers)).toBeLessThan(-1.9);
    expect(Math.max(...numbers)).toBeGreaterThan(4.9);
  });

  it("continues from a saved state, which later draws do not change", () => {
    const random = new RandomStreams(4).stream("test");
    draws(random, 17);
    const state = random.save();
    const future = draws(random, 100);
    expect(draws(new Random(state), 100)).toEqual(future);
    random.restore(state);
    expect(draws(random, 100)).toEqual(future);
  });

  it("refuses invalid states and sizes", () => {
    expect(() => new Random(new Uint32Array(4))).toThrow(/not all zero/);
    expect(() => new Random(Uint32Array.of(1, 2, 3))).toThrow(/four words.*got \[1, 2, 3\]/);
    const random = new Random(Uint32Array.of(1, 2, 3, 4));
    for (const n of [0, -1, 1.5, Number.NaN, 2 ** 32 + 1]) {
      expect(() => random.integer(n)).toThrow(/n is out of range/);
    }
  });
});

describe("RandomStreams", () => {
  it("gives the same stream for the same name, in any order of calls", () => {
    const streams = new RandomStreams(7);
    const first = draws(streams.stream("environment", 0), 20);
    draws(streams.stream("policy"), 5);
    expect(draws(streams.stream("environment", 0), 20)).toEqual(first);
    const other = new RandomStreams(7);
    draws(other.stream("environment", 1), 3);
    expect(draws(other.stream("environment", 0), 20)).toEqual(first);
  });

  it("gives different names and different seeds different states", () => {
    const states = new Set<string>();
    let made = 0;
    for (const seed of [0, 1, 2, 2 ** 31, 2 ** 32, 2 ** 32 + 1, 2 ** 52, Number.MAX_SAFE_INTEGER]) {
      const streams = new RandomStreams(seed);
      for (let i = 0; i < 200; i++) {
        for (const name of [["environment", i], ["policy", i], [`${i}`], [i], ["a", "b", i], ["ab", i]]) {
          states.add(
            streams
              .stream(...name)
              .save()
              .join(),
          );
          made++;
        }
      }
    }
    expect(states.size).toBe(made);
  });

  it("gives uncorrelated streams, even for neighbouring names", () => {
    const n = 20_000;
    const streams = [1, 2].flatMap((seed) =>
      [0, 1, 2].map((i) => new RandomStreams(seed).stream("environment", i)),
    );
    const numbers = streams.map((stream) => Array.from({ length: n }, () => stream.float() - 0.5));
    for (let a = 0; a < numbers.length; a++) {
      for (let b = 0; b < a; b++) {
        const covariance = numbers[a].reduce((sum, x, i) => sum + x * numbers[b][i], 0) / n;
        // The product of two independent centred uniform numbers has standard deviation 1/12.
        expect(Math.abs(covariance)).toBeLessThan(5 / (12 * Math.sqrt(n)));
      }
    }
  });

  it("has first numbers that are uniform over names", () => {
    const counts = new Float64Array(16);
    for (let i = 0; i < 16_000; i++) counts[new RandomStreams(9).stream("environment", i).integer(16)]++;
    const chiSquare = counts.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
    // 15 degrees of freedom: mean 15, standard deviation 5.5.
    expect(chiSquare).toBeLessThan(15 + 5 * 5.5);
    expect(chiSquare).toBeGreaterThan(2);
  });

  it("refuses an invalid seed", () => {
    for (const seed of [-1, 0.5, Number.NaN, 2 ** 53]) expect(() => new RandomStreams(seed)).toThrow(/seed/);
  });
});
