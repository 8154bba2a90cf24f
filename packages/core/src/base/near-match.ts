/** No name is longer, so a longer word is no mistyped name. */
const longestWord = 64;

/**
 * The candidate that a mistyped word most likely meant, or null when none is near. A word of more than 64 characters
 * is near none.
 *
 * Near means: at most a third of the word's letters inserted, deleted, replaced or swapped with their neighbour
 * (case ignored), or one of the two contains the other.
 */
export function nearMatch(word: string, candidates: readonly string[]): string | null {
  if (word.length > longestWord) return null;
  const wanted = word.toLowerCase();
  let best: string | null = null;
  let bestDistance = Math.max(1, Math.floor(wanted.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(wanted, candidate.toLowerCase(), bestDistance - 1);
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  if (best !== null || wanted.length < 3) return best;
  return (
    candidates.find((candidate) => {
      const name = candidate.toLowerCase();
      return name.includes(wanted) || (name.length >= 3 && wanted.includes(name));
    }) ?? null
  );
}

/** The remedy of an error about an unknown name: the near match if there is one, else the whole list. */
export function suggestion(word: string, candidates: readonly string[]): string {
  const near = nearMatch(word, candidates);
  return near === null ? `choose one of ${candidates.join(", ")}` : `did you mean ${near}?`;
}

/**
 * Optimal string alignment distance: insertions, deletions, replacements and swaps of neighbours. Any number above
 * `most` stands for a distance above `most`, so that only cells within `most` of the diagonal are computed: a cell
 * farther away takes more than `most` insertions or deletions.
 */
function editDistance(a: string, b: string, most: number): number {
  if (Math.abs(a.length - b.length) > most) return most + 1;
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = new Array<number>(b.length + 1).fill(most + 1);
    row[0] = i;
    for (let j = Math.max(1, i - most); j <= Math.min(b.length, i + most); j++) {
      const replace = last[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      let distance = Math.min(replace, last[j] + 1, row[j - 1] + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        distance = Math.min(distance, beforeLast[j - 2] + 1);
      }
      row[j] = distance;
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length];
}
