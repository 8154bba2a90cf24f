/**
 * The candidate that a mistyped word most likely meant, or null when none is near.
 *
 * Near means: at most a third of the word's letters inserted, deleted, replaced or swapped with their neighbour
 * (case ignored), or one of the two contains the other.
 */
export function nearMatch(word: string, candidates: readonly string[]): string | null {
  const wanted = word.toLowerCase();
  let best: string | null = null;
  let bestDistance = Math.max(1, Math.floor(wanted.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(wanted, candidate.toLowerCase());
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

/** Optimal string alignment distance: insertions, deletions, replacements and swaps of neighbours. */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replace = (last[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      let distance = Math.min(replace, (last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        distance = Math.min(distance, (beforeLast[j - 2] ?? 0) + 1);
      }
      row.push(distance);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? 0;
}
