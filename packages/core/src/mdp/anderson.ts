import { solve } from "../math/linear-algebra.js";

/** Differences that are kept. */
const memory = 5;
/** Relative, on the diagonal of their products: near their dependence the shortest combination is taken. */
const damping = 1e-12;
/** A change so many times the least, or so many sweeps that do not bring it down by γ, and the least has its turn. */
const worst = 10;
const patience = 10;

/**
 * Anderson's extrapolation (1965) for V ← T V, guarded: the V to sweep from next is the combination of the last six
 * images whose combined change T V − V is least in the 2-norm, as if T were linear.
 *
 * T is not, so that a combination may be worse, or better by next to nothing. Whenever eleven have not brought the least
 * change down by γ, the image of the least has its turn as it is, and a sweep from there changes at most γ times as much:
 * the least change falls by γ or more every twelve sweeps, whatever the combinations do.
 *
 * Takes 2 · 5 + 4 vectors of [S]; twenty passes over one each time.
 */
export class AndersonExtrapolation {
  /** [S] what the last sweep began from. */
  readonly #before: Float64Array;
  readonly #bestImage: Float64Array;
  readonly #lastChange: Float64Array;
  readonly #lastImage: Float64Array;
  /** Rings of differences between neighbours: of changes, and of images. */
  readonly #changes: readonly Float64Array[];
  readonly #images: readonly Float64Array[];
  /** [m, m] products of the changes' differences. */
  readonly #products = new Float64Array(memory * memory);
  readonly #gamma: number;
  #best = Number.POSITIVE_INFINITY;
  /** The change that the least must come γ below, in so many sweeps. */
  #mark = Number.POSITIVE_INFINITY;
  #idle = 0;
  /** Sweeps since the ring was empty. */
  #seen = 0;

  /**
   * @param start [S] what the first sweep will begin from.
   * @param gamma what T contracts by.
   */
  constructor(start: Float64Array, gamma: number) {
    this.#gamma = gamma;
    const ring = () => Array.from({ length: memory }, () => new Float64Array(start.length));
    this.#before = Float64Array.from(start);
    this.#bestImage = new Float64Array(start.length);
    this.#lastChange = new Float64Array(start.length);
    this.#lastImage = new Float64Array(start.length);
    this.#changes = ring();
    this.#images = ring();
  }

  /** Replaces `v`, what a sweep came to, by what the next is to begin from; `change` is ‖T V − V‖∞ of that sweep. */
  extrapolate(v: Float64Array, change: number): void {
    if (change < this.#best) {
      this.#best = change;
      this.#bestImage.set(v);
    }
    if (this.#mark === Number.POSITIVE_INFINITY || change <= this.#gamma * this.#mark) {
      this.#mark = change;
      this.#idle = 0;
      this.#combine(v);
    } else if (change <= worst * this.#best && ++this.#idle <= patience) {
      this.#combine(v);
    } else {
      v.set(this.#bestImage);
      // The sweep from there is at most γ of the least but for rounding: it is the new least, whatever it says.
      this.#best = Number.POSITIVE_INFINITY;
      this.#mark = Number.POSITIVE_INFINITY;
      this.#idle = 0;
      this.#seen = 0;
    }
    this.#before.set(v);
  }

  #combine(v: Float64Array): void {
    const before = this.#before;
    const lastChange = this.#lastChange;
    const lastImage = this.#lastImage;
    const slot = (this.#seen + memory - 1) % memory;
    const changes = this.#changes[slot];
    const images = this.#images[slot];
    for (let s = 0; s < v.length; s++) {
      const change = v[s] - before[s];
      changes[s] = change - lastChange[s];
      images[s] = v[s] - lastImage[s];
      lastChange[s] = change;
      lastImage[s] = v[s];
    }
    const count = Math.min(this.#seen++, memory);
    if (count === 0) return;
    for (let j = 0; j < count; j++) {
      const product = dot(changes, this.#changes[j]);
      this.#products[slot * memory + j] = product;
      this.#products[j * memory + slot] = product;
    }
    const weights = this.#leastSquares(count);
    if (weights === null) return;
    weights.forEach((weight, j) => {
      const difference = this.#images[j];
      for (let s = 0; s < v.length; s++) v[s] -= weight * difference[s];
    });
  }

  /** argmin_x ‖last change − Σ x_j (difference of changes)_j‖₂, or null where no number comes of it. */
  #leastSquares(count: number): Float64Array | null {
    const norms = Float64Array.from({ length: count }, (_, j) => Math.sqrt(this.#products[j * memory + j]));
    if (!norms.every((norm) => norm > 0 && norm < Number.POSITIVE_INFINITY)) return null;
    const matrix = Float64Array.from({ length: count * count }, (_, k) => {
      const [i, j] = [Math.floor(k / count), k % count];
      return i === j ? 1 + damping : this.#products[i * memory + j] / norms[i] / norms[j];
    });
    const right = norms.map((norm, j) => dot(this.#changes[j], this.#lastChange) / norm);
    const weights = solve(matrix, right).map((x, j) => x / norms[j]);
    return weights.every(Number.isFinite) ? weights : null;
  }
}

function dot(x: Float64Array, y: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += x[i] * y[i];
  return sum;
}
