import { fail, requireInteger, requireLength } from "../../base/errors.js";

/** The weighted source cells that make up each target cell when a line is shrunk; flat, in order. */
interface Shares {
  /** [target cells + 1]: where the entries of each target cell begin. */
  readonly starts: Int32Array;
  /** The source cell of each entry. */
  readonly cells: Int32Array;
  /** Its weight in the target cell, rounded to float32 as OpenCV does. */
  readonly weights: Float32Array;
}

/** Overlaps smaller than this are ignored, as in OpenCV. */
const SMALLEST_PART = 1e-3;

function sharesOf(long: number, short: number): Shares {
  // OpenCV computes the factor as a reciprocal; `long / short` may differ in the last bit.
  const factor = 1 / (short / long);
  const starts = new Int32Array(short + 1);
  const cells: number[] = [];
  const weights: number[] = [];
  for (let i = 0; i < short; i++) {
    const from = i * factor;
    const to = from + factor;
    const length = Math.min(factor, long - from);
    const last = Math.min(Math.floor(to), long - 1);
    const first = Math.min(Math.ceil(from), last);
    if (first - from > SMALLEST_PART) {
      cells.push(first - 1);
      weights.push((first - from) / length);
    }
    for (let cell = first; cell < last; cell++) {
      cells.push(cell);
      weights.push(1 / length);
    }
    if (to - last > SMALLEST_PART) {
      cells.push(last);
      weights.push(Math.min(to - last, 1, length) / length);
    }
    starts[i + 1] = cells.length;
  }
  return { starts, cells: Int32Array.from(cells), weights: Float32Array.from(weights) };
}

/** 1.5 · 2²³: a float32 of this size has no fraction bits, so adding it rounds half to even. */
const ROUNDER = 12582912;

/**
 * Shrinks grey pictures of a fixed size: each new pixel is the mean of the area that it covers.
 *
 * Follows OpenCV's `resize(…, interpolation=INTER_AREA)` for bytes operation by operation: float32 weights and sums,
 * first along the rows and then down the columns, rounded half to even. {@link AreaResize.into} allocates nothing.
 *
 * @throws SoftrlError for sizes that OpenCV resizes by another algorithm: enlarging, or shrinking by an integer factor
 * in both directions.
 */
export class AreaResize {
  readonly #width: number;
  readonly #height: number;
  readonly #length: number;
  readonly #along: Shares;
  readonly #down: Shares;
  /** One row of the source, shrunk horizontally. */
  readonly #line: Float32Array;
  /** The row of the new picture that is being summed. */
  readonly #sum: Float32Array;

  constructor(width: number, height: number, newWidth: number, newHeight: number) {
    const sizes = { width, height, newWidth, newHeight };
    for (const [name, size] of Object.entries(sizes)) requireInteger("AreaResize", name, size, 1);
    const whole = width % newWidth === 0 && height % newHeight === 0;
    if (newWidth > width || newHeight > height || whole) {
      fail("AreaResize", "OpenCV uses another algorithm for these sizes", {
        expected: "a smaller size, by a factor that is not an integer in both directions",
        got: `${width} × ${height} to ${newWidth} × ${newHeight}`,
      });
    }
    this.#width = width;
    this.#height = height;
    this.#length = newWidth * newHeight;
    this.#along = sharesOf(width, newWidth);
    this.#down = sharesOf(height, newHeight);
    this.#line = new Float32Array(newWidth);
    this.#sum = new Float32Array(newWidth);
  }

  /** Shrinks `picture` [height, width] into `out` [newHeight, newWidth]. */
  into(picture: Uint8Array, out: Uint8Array): void {
    requireLength("AreaResize", "picture", picture.length, this.#width * this.#height);
    requireLength("AreaResize", "out", out.length, this.#length);
    const { starts, cells, weights } = this.#down;
    const sum = this.#sum;
    const line = this.#line;
    const newWidth = sum.length;
    // A source row on the border of two target rows contributes to both, and is shrunk once.
    let shrunk = -1;
    for (let row = 0; row + 1 < starts.length; row++) {
      sum.fill(0);
      for (let k = starts[row]; k < starts[row + 1]; k++) {
        if (cells[k] !== shrunk) this.#shrinkLine(picture, cells[k]);
        shrunk = cells[k];
        const weight = weights[k];
        for (let x = 0; x < newWidth; x++) sum[x] = Math.fround(sum[x] + Math.fround(weight * line[x]));
      }
      const at = row * newWidth;
      for (let x = 0; x < newWidth; x++) out[at + x] = Math.fround(sum[x] + ROUNDER) - ROUNDER;
    }
  }

  #shrinkLine(picture: Uint8Array, row: number): void {
    const { starts, cells, weights } = this.#along;
    const line = this.#line;
    const at = row * this.#width;
    for (let x = 0; x < line.length; x++) {
      const k = starts[x];
      const from = at + cells[k];
      // The first three are unrolled: most cells have no more, and an inner loop would take a quarter longer.
      let sum = Math.fround(weights[k] * picture[from]);
      const shares = starts[x + 1] - k;
      if (shares > 1) sum = Math.fround(sum + Math.fround(weights[k + 1] * picture[from + 1]));
      if (shares > 2) sum = Math.fround(sum + Math.fround(weights[k + 2] * picture[from + 2]));
      for (let j = 3; j < shares; j++)
        sum = Math.fround(sum + Math.fround(weights[k + j] * picture[from + j]));
      line[x] = sum;
    }
  }
}
