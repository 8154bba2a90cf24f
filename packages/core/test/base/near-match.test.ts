import { expect, test } from "vitest";
import { nearMatch, suggestion } from "../../src/base/near-match.js";
import { RandomStreams } from "../../src/base/random.js";

const names = ["CartPole-v1", "GridWorld-v0", "a2c", "soft-q"];

test("finds the name behind a typing mistake", () => {
  expect(nearMatch("CartPole-v0", names)).toBe("CartPole-v1");
  expect(nearMatch("cartpole", names)).toBe("CartPole-v1");
  expect(nearMatch("softq", names)).toBe("soft-q");
  expect(nearMatch("ac2", names)).toBe("a2c");
});

test("says nothing when nothing is near", () => {
  expect(nearMatch("ppo-lstm", names)).toBeNull();
  expect(nearMatch("", names)).toBeNull();
  expect(suggestion("ppo-lstm", names)).toBe("choose one of CartPole-v1, GridWorld-v0, a2c, soft-q");
});

test("a word of more than 64 characters is compared with no candidate", () => {
  const untouched = new Proxy<string[]>([], {
    get: () => {
      throw new Error("a candidate was looked at");
    },
  });
  expect(nearMatch("a".repeat(65), untouched)).toBeNull();
  expect(nearMatch("a".repeat(100_000), untouched)).toBeNull();
  expect(() => nearMatch("a".repeat(64), untouched)).toThrow(/was looked at/);
  expect(suggestion("CartPole-v1".repeat(10_000), names)).toMatch(/^choose one of /);
});

test("short words get the match that the whole table of distances gives", () => {
  const random = new RandomStreams(5).stream("words");
  const word = (longest: number) =>
    Array.from({ length: random.integer(longest + 1) }, () => "abAB-"[random.integer(5)]).join("");
  let matches = 0;
  for (let i = 0; i < 3000; i++) {
    const longest = [4, 8, 20, 64][i % 4];
    const candidates = Array.from({ length: 1 + random.integer(5) }, () => word(longest));
    const wanted = word(longest);
    const expected = nearMatchByWholeTable(wanted, candidates);
    expect(nearMatch(wanted, candidates), JSON.stringify({ wanted, candidates })).toBe(expected);
    if (expected !== null) matches++;
  }
  expect(matches).toBeGreaterThan(500);
  expect(matches).toBeLessThan(2500);
});

/** The definition of a near match, with every distance computed in full. */
function nearMatchByWholeTable(word: string, candidates: readonly string[]): string | null {
  const wanted = word.toLowerCase();
  let best: string | null = null;
  let bestDistance = Math.max(1, Math.floor(wanted.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = alignmentDistance(wanted, candidate.toLowerCase());
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  if (best !== null || wanted.length < 3) return best;
  const contains = (name: string) => name.includes(wanted) || (name.length >= 3 && wanted.includes(name));
  return candidates.find((candidate) => contains(candidate.toLowerCase())) ?? null;
}

/** Optimal string alignment distance. */
function alignmentDistance(a: string, b: string): number {
  const table = Array.from({ length: a.length + 1 }, (_, i) =>
    Array.from({ length: b.length + 1 }, (_, j) => (i === 0 ? j : i)),
  );
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      table[i][j] = Math.min(table[i - 1][j - 1] + same, table[i - 1][j] + 1, table[i][j - 1] + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        table[i][j] = Math.min(table[i][j], table[i - 2][j - 2] + 1);
      }
    }
  }
  return table[a.length][b.length];
}
