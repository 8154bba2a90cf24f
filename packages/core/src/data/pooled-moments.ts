import { sharedMemory } from "../base/shared-memory.js";
import { combinedMoments, type Moments, noMoments } from "../math/running-moments.js";

/**
 * Moments that several threads gather, each of its own samples: a slot of shared memory for each thread, [count, mean [n],
 * squares [n]], that it alone writes and all read. No sample counts twice, however often the slots are read.
 *
 * There is no lock: a reader may find a slot that is being written, some of its elements a batch older than others. One
 * batch among all samples so far is of little weight, and the next reading is whole.
 */
export class PooledMoments {
  readonly #slots: readonly Float64Array[];
  readonly #elements: number;
  readonly #own: number | null;

  /** @param own the number of the slot that this thread writes; null for a thread that only reads */
  constructor(memory: SharedArrayBuffer, elements: number, own: number | null) {
    const length = slotLength(elements);
    const slots = memory.byteLength / (length * Float64Array.BYTES_PER_ELEMENT);
    this.#slots = Array.from(
      { length: slots },
      (_, i) => new Float64Array(memory, i * length * Float64Array.BYTES_PER_ELEMENT, length),
    );
    this.#elements = elements;
    this.#own = own;
  }

  /** Memory for so many threads, without samples. */
  static memory(elements: number, threads: number): SharedArrayBuffer {
    return sharedMemory("PooledMoments", threads * slotLength(elements) * Float64Array.BYTES_PER_ELEMENT);
  }

  /** Writes this thread's moments. */
  publish({ count, mean, squares }: Moments): void {
    if (this.#own === null) return;
    const slot = this.#slots[this.#own];
    slot.set(mean, 1);
    slot.set(squares, 1 + this.#elements);
    slot[0] = count;
  }

  /** The moments of the samples of all threads. */
  pooled(): Moments {
    const n = this.#elements;
    return this.#slots
      .map((slot) => ({ count: slot[0], mean: slot.subarray(1, 1 + n), squares: slot.subarray(1 + n) }))
      .reduce(combinedMoments, noMoments(n));
  }
}

const slotLength = (elements: number): number => 1 + 2 * elements;
