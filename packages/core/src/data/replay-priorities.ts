import { fail, requireLength, requireNumber } from "../base/errors.js";
import type { Piece } from "../base/piece.js";
import type { Random } from "../base/random.js";
import { type Snapshot, snapshotArray, snapshotNumber } from "../base/snapshot.js";
import { exp, log } from "../math/logspace.js";
import type { Vector } from "../math/units.js";
import { SumTree } from "./sum-tree.js";

// Powers are exp(a log x): the last digit of x ** a depends on the engine.

/** Added to |δ| so that every transition can be drawn, as in OpenAI Baselines. */
const LEAST_ERROR = 1e-6;

/** The priorities of a replay's entries (Schaul et al. 2016): 0 where no transition begins that can be sampled. */
export class ReplayPriorities {
  readonly #tree: SumTree;
  /** α. */
  readonly #exponent: number;
  readonly #perPiece: number;
  /** The largest priority so far: that of a transition that was never sampled. */
  #largest = 1;
  #changes = 0;

  constructor(entries: number, exponent: number, pieceBytes = 2 ** 24) {
    requireNumber("Replay", "priorityExponent", exponent, 0, 1);
    this.#tree = new SumTree(entries);
    this.#exponent = exponent;
    this.#perPiece = Math.max(1, Math.floor(pieceBytes / 8));
  }

  at(entry: number): number {
    return this.#tree.at(entry);
  }

  /** Takes an entry's priority away. */
  drop(entry: number): void {
    this.#set(entry, 0);
  }

  /** Gives an entry without a priority the largest one so far. */
  admit(entry: number): void {
    if (this.#tree.at(entry) === 0) this.#set(entry, this.#largest);
  }

  /** Sets (|δ| + 10⁻⁶)^α where there is a priority. @param errors [B] δ of each */
  setErrors(entries: Int32Array, errors: Vector): void {
    requireLength("Replay.setErrors", "errors", errors.length, entries.length);
    for (let b = 0; b < entries.length; b++) {
      if (Number.isFinite(errors[b])) continue;
      fail("Replay.setErrors", `the error of sample ${b} is not finite`, {
        expected: "a finite number",
        got: String(errors[b]),
        remedy: "the network has diverged: lower the learning rate",
        code: "diverged",
      });
    }
    for (let b = 0; b < entries.length; b++) {
      const priority = exp(this.#exponent * log(Math.abs(errors[b]) + LEAST_ERROR));
      // One that was overwritten since it was sampled has no priority.
      if (this.#tree.at(entries[b]) > 0) this.#set(entries[b], priority);
      if (priority > this.#largest) this.#largest = priority;
    }
  }

  /** Draws entries in proportion to their priorities, one from each of B equal shares of the sum. */
  sample(random: Random, entries: Int32Array): void {
    const tree = this.#tree;
    const count = entries.length;
    for (let b = 0; b < count; b++) entries[b] = tree.find(((b + random.float()) / count) * tree.total);
  }

  /** The weights (N P)^−β over the largest of the batch, N being the number of entries. */
  weigh(entries: Int32Array, beta: number, weights: Vector): void {
    const tree = this.#tree;
    let largest = 0;
    for (let b = 0; b < entries.length; b++) {
      const weight = exp(beta * log(tree.total / (tree.size * tree.at(entries[b]))));
      weights[b] = weight;
      largest = Math.max(largest, weight);
    }
    for (let b = 0; b < entries.length; b++) weights[b] /= largest;
  }

  #set(entry: number, priority: number): void {
    this.#tree.set(entry, priority);
    this.#changes++;
  }

  save(): Snapshot {
    return { largest: this.#largest };
  }

  /** Checks a snapshot. @returns a function that takes it over and drops all priorities */
  restoring(where: string, snapshot: Snapshot): () => void {
    const largest = snapshotNumber(where, snapshot, "largest");
    if (!(largest >= 1 && largest < Number.POSITIVE_INFINITY)) {
      fail(where, "the largest priority is not valid", {
        expected: "a finite number of at least 1",
        got: String(largest),
      });
    }
    return () => this.#reset(largest);
  }

  /** Drops all priorities, also the largest so far. */
  clear(): void {
    this.#reset(1);
  }

  #reset(largest: number): void {
    this.#largest = largest;
    this.#tree.replace(new Float64Array(0));
    // More than the entries of a piece, which a version counts, too.
    this.#changes += this.#perPiece + 1;
  }

  /** The pieces with the priorities of the first `used` entries. */
  pieces(used: number): readonly Piece[] {
    return Array.from({ length: Math.ceil(used / this.#perPiece) }, (_, piece) => {
      const from = piece * this.#perPiece;
      const to = Math.min(from + this.#perPiece, used);
      return {
        name: `priorities-${piece}`,
        version: this.#changes + to - from,
        save: () => ({ priorities: this.#tree.weights(from, to) }),
        restore: (snapshot: Snapshot) => {
          const priorities = snapshotArray("Replay.restore", snapshot, "priorities", "float64", to - from);
          for (let i = from; i < to; i++) this.#set(i, priorities[i - from]);
        },
      };
    });
  }
}
