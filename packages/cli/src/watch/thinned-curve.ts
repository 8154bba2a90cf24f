/** A value at a step. */
export interface CurvePoint {
  readonly step: number;
  readonly value: number;
}

/**
 * A curve that takes any number of points and keeps at most `most` of them: every one, then every second, every fourth, …,
 * and always the latest. The same points give the same curve.
 */
export class ThinnedCurve {
  readonly #most: number;
  #kept: CurvePoint[] = [];
  #every = 1;
  #seen = 0;
  #latest: CurvePoint | null = null;

  constructor(most: number) {
    this.#most = most;
  }

  get latest(): CurvePoint | null {
    return this.#latest;
  }

  add(step: number, value: number): void {
    this.#latest = { step, value };
    if (this.#seen % this.#every === 0) this.#kept.push(this.#latest);
    this.#seen++;
    if (this.#kept.length < this.#most) return;
    this.#kept = this.#kept.filter((_, i) => i % 2 === 0);
    this.#every *= 2;
  }

  /** At most `most` points, evenly, with the first and the latest. */
  points(most: number): readonly CurvePoint[] {
    const kept = this.#kept.at(-1);
    const all = this.#latest === null || this.#latest === kept ? this.#kept : [...this.#kept, this.#latest];
    if (all.length <= most) return all;
    return Array.from({ length: most }, (_, i) => all[Math.round((i * (all.length - 1)) / (most - 1))]);
  }
}
