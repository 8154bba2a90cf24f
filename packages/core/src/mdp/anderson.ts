import { solve } from "../math/linear-algebra.js";

/** The number of differences that are kept. */
const memory = 5;
/**
 * Relative damping on the diagonal of the products: when they are nearly dependent, the shortest solution is
 * taken.
 */
const damping = 1e-12;
/**
 * Return to the best image when a change exceeds the smallest one by this factor, or when the smallest change
 * has not fallen by γ for this many sweeps.
 */
const worst = 10;
const patience = 10;

/**
 * Anderson's extrapolation (1965) for V ← T V, with a safeguard. The next sweep starts from a combination of
 * the last six images, chosen so that the same combination of their changes T V − V has the smallest 2-norm,
 * as if T were linear.
 *
 * T is not linear, so a combination may be worse than the last image, or hardly better. Whenever eleven
 * combinations in a row have not reduced the smallest change by γ, the next sweep starts from the image with
 * the smallest change, unmodified. That sweep changes V by at most γ times as much. So the smallest change
 * falls at least by γ every twelve sweeps, whatever the combinations do.
 *
 * Stores 2 · 5 + 4 vectors of [S] and makes twenty passes over a vector per sweep.
 */
export class AndersonExtrapolation {
  /** [S] the V that the last sweep started from. */
  readonly #before: Float64Array;
  readonly #bestImage: Float64Array;
  readonly #lastChange: Float64Array;
  readonly #lastImage: Float64Array;
  /** Ring buffers of differences between consecutive changes, and between consecutive images. */
  readonly #changes: readonly Float64Array[];
  readonly #images: readonly Float64Array[];
  /** [m, m] inner products of the differences of changes. */
  readonly #products = new Float64Array(memory * memory);
  readonly #gamma: number;
  #best = Number.POSITIVE_INFINITY;
  /** The smallest change has to fall below γ times this value within `patience` sweeps. */
  #mark = Number.POSITIVE_INFINITY;
  #idle = 0;
  /** Sweeps since the ring buffers were last empty. */
  #seen = 0;

  /**
   * @param start [S] the V that the first sweep starts from.
   * @param gamma the contraction factor of T.
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

  /**
   * Replaces `v`, the result of a sweep, with the V that the next sweep starts from; `change` is ‖T V − V‖∞
   * of that sweep.
   */
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
      // Apart from rounding, a sweep from there changes V by at most γ times the smallest change, so its
      // change becomes the new minimum.
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

  /** argmin_x ‖last change − Σ x_j (difference of changes)_j‖₂, or null when the result is not finite. */
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
