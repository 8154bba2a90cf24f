import { allocate } from "../base/allocation.js";
import { fail, requireInteger } from "../base/errors.js";

/**
 * Non-negative weights whose sums over a binary tree are kept, so that drawing an index in proportion to its weight and
 * changing a weight both take log₂ n steps.
 *
 * A node is always the sum of its two children, whatever was set before: the same weights have the same bits.
 */
export class SumTree {
  /** The number of weights n. */
  readonly size: number;
  /** The root at 1, the children of node i at 2i and 2i + 1, the weights from `#leaves` on. */
  readonly #nodes: Float64Array;
  readonly #leaves: number;

  constructor(size: number) {
    requireInteger("SumTree", "size", size, 1);
    let leaves = 1;
    while (leaves < size) leaves *= 2;
    this.size = size;
    this.#leaves = leaves;
    this.#nodes = allocate("SumTree", Float64Array, 2 * leaves, { remedy: "use a smaller replay" });
  }

  /** The sum of all weights. */
  get total(): number {
    return this.#nodes[1];
  }

  /** The weight of an index. */
  at(index: number): number {
    return this.#nodes[this.#leaves + this.#checked("at", index)];
  }

  /** @throws SoftrlError unless the weight is finite and at least 0. */
  set(index: number, weight: number): void {
    if (!(weight >= 0 && weight < Number.POSITIVE_INFINITY)) {
      fail("SumTree.set", "invalid weight", {
        expected: "a finite number of at least 0",
        got: String(weight),
      });
    }
    const nodes = this.#nodes;
    let node = this.#leaves + this.#checked("set", index);
    nodes[node] = weight;
    for (node >>= 1; node >= 1; node >>= 1) nodes[node] = nodes[2 * node] + nodes[2 * node + 1];
  }

  /**
   * The index i with w₀ + … + wᵢ₋₁ ≤ x < w₀ + … + wᵢ, up to rounding; never one of weight 0.
   * @param x in [0, total)
   */
  find(x: number): number {
    const nodes = this.#nodes;
    if (!(nodes[1] > 0)) fail("SumTree.find", "all weights are 0", { remedy: "set a weight first" });
    let node = 1;
    let rest = x;
    while (node < this.#leaves) {
      const left = nodes[2 * node];
      // Rounding may leave a rest that no child holds.
      if (nodes[2 * node + 1] === 0 || (rest < left && left > 0)) node = 2 * node;
      else {
        rest -= left;
        node = 2 * node + 1;
      }
    }
    return node - this.#leaves;
  }

  /** The weights of the indices from `from` to `to`, a copy. */
  weights(from: number, to: number): Float64Array {
    return this.#nodes.slice(this.#leaves + from, this.#leaves + to);
  }

  /** Replaces all weights: the first ones by these, the others by 0. */
  replace(weights: Float64Array): void {
    const nodes = this.#nodes;
    nodes.fill(0);
    nodes.set(weights, this.#leaves);
    for (let node = this.#leaves - 1; node >= 1; node--) nodes[node] = nodes[2 * node] + nodes[2 * node + 1];
  }

  #checked(method: string, index: number): number {
    if (index >= 0 && index < this.size && Number.isInteger(index)) return index;
    return fail(`SumTree.${method}`, "no such index", {
      expected: `an integer in [0, ${this.size - 1}]`,
      got: String(index),
    });
  }
}
