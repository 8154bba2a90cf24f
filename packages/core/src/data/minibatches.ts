import { allocate } from "../base/allocation.js";
import { fail, requireInteger } from "../base/errors.js";
import type { Random } from "../base/random.js";
import type { Observations } from "../envs/environment.js";
import type { Buffer } from "../tensor/buffer.js";
import { permutationInto } from "./permutation.js";

/** Numbers of all samples of a rollout, and the memory that those of a minibatch are copied to. */
export interface SampleColumn {
  /** [T · S, ...] */
  readonly from: ArrayLike<number>;
  /** [M, ...] */
  readonly to: Buffer;
}

/** What {@link Minibatches} are made from. */
export interface MinibatchesParts {
  /** The observations of one step of all environments [S, ...]; only their type and length are read. */
  readonly observations: Observations;
  /** Steps of a rollout T. */
  readonly steps: number;
  /** The number of environments S. */
  readonly size: number;
  /** How many minibatches an epoch has: a divisor of T · S. */
  readonly count: number;
  /** What orders are drawn with; its owner saves it. */
  readonly random: Random;
}

/**
 * A rollout's T · S samples in minibatches of M: it keeps the observations of the rollout, and passes over the samples in
 * an order drawn anew for each epoch, each sample once.
 */
export class Minibatches {
  /** [T · S, ...] in the type that the environments give: frames stay bytes. */
  readonly observations: Observations;
  /** Samples of a minibatch M. */
  readonly size: number;
  readonly #random: Random;
  /** A permutation of the T · S samples. */
  readonly #order: Int32Array;
  /** The columns' numbers, in the type of the memory that they are copied to unless they are bytes. */
  readonly #sources: (Uint8Array | Buffer)[] = [];
  /** Memory for those that were converted. */
  readonly #converted: Buffer[] = [];

  constructor({ observations, steps, size, count, random }: MinibatchesParts) {
    const where = "Minibatches";
    requireInteger(where, "count", count, 1);
    const samples = steps * size;
    if (samples % count !== 0) {
      fail(where, "count does not divide the samples", {
        expected: `a divisor of ${samples}`,
        got: String(count),
        remedy: "take minibatches of one size",
      });
    }
    const length = observations.length * steps;
    const details = { remedy: "take fewer steps or fewer environments" };
    this.observations =
      observations instanceof Uint8Array
        ? allocate(where, Uint8Array, length, details)
        : allocate(where, Float32Array, length, details);
    this.size = samples / count;
    this.#random = random;
    this.#order = allocate(where, Int32Array, samples, details);
  }

  /** Keeps the observations of one step of a part, the `at`-th of the rollout. */
  keep(at: number, observations: Observations): void {
    this.observations.set(observations, at * observations.length);
  }

  /** Draws an order, and for each minibatch fills the columns' `to` and calls `step`. */
  epoch(columns: readonly SampleColumn[], step: () => void): void {
    const { size } = this;
    const order = this.#order;
    permutationInto(this.#random, order);
    columns.forEach(this.#convert);
    for (let first = 0; first < order.length; first += size) {
      for (let c = 0; c < columns.length; c++) copyRows(this.#sources[c], columns[c].to, order, first, size);
      step();
    }
  }

  /** Converts a column once per epoch: a loop that reads arrays of many types takes several times as long. */
  readonly #convert = ({ from, to }: SampleColumn, c: number): void => {
    if (from instanceof Uint8Array || isOfType(from, to)) {
      this.#sources[c] = from;
      return;
    }
    if (this.#converted[c]?.length !== from.length || this.#converted[c].constructor !== to.constructor) {
      this.#converted[c] =
        to instanceof Float32Array ? new Float32Array(from.length) : new Float64Array(from.length);
    }
    this.#converted[c].set(from);
    this.#sources[c] = this.#converted[c];
  };
}

const isOfType = (from: ArrayLike<number>, to: Buffer): from is Buffer => from.constructor === to.constructor;

/** From this many elements on, a call of `set` is faster than a loop. */
const WIDE = 128;

/** Copies the rows order[first], …, order[first + count − 1] of `from` into `to`. */
function copyRows(
  from: Uint8Array | Buffer,
  to: Buffer,
  order: Int32Array,
  first: number,
  count: number,
): void {
  const width = to.length / count;
  if (width >= WIDE) {
    for (let j = 0; j < count; j++) {
      const start = order[first + j] * width;
      to.set(from.subarray(start, start + width), j * width);
    }
    return;
  }
  for (let j = 0, k = 0; j < count; j++) {
    const start = order[first + j] * width;
    for (let i = start; i < start + width; i++, k++) to[k] = from[i];
  }
}
