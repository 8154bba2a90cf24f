import { fail } from "../base/errors.js";
import type { EnvironmentRows, VectorEnvironment } from "./environment.js";

/**
 * The parts that an environment steps in, itself alone where it has none, and the step that each of them is taking.
 */
export class SteppedParts {
  readonly all: readonly EnvironmentRows[];
  readonly #underWay: (void | Promise<void>)[] = [];

  /** @throws SoftrlError when the parts are not of one size, or are not all of the environment. */
  constructor(environment: VectorEnvironment) {
    const { id, size, parts = [environment] } = environment;
    const each = size / parts.length;
    if (parts.some((part) => part.size !== each)) {
      fail(id, "the parts do not make up the environments", {
        expected: `${size} environments in parts of one size`,
        got: parts.map((part) => part.size).join(" + ") || "no part",
      });
    }
    this.all = parts;
  }

  /** Lets part p take a step; {@link walk} waits for it before it comes to this part again, and throws what it threw. */
  step(p: number, actions: Int32Array): void {
    const stepping = this.all[p].step(actions);
    // A failure is heard when this part's turn comes.
    if (stepping !== undefined) stepping.catch(() => {});
    this.#underWay[p] = stepping;
  }

  /**
   * `visit(t, p)` for every t of 0 … `steps` and every part p, once the step that part p has begun is done. Where a
   * visit or a step fails, it waits until nothing is under way and throws: the next walk starts anew.
   */
  async walk(steps: number, visit: (t: number, p: number) => void): Promise<void> {
    try {
      for (let t = 0; t <= steps; t++) {
        for (let p = 0; p < this.all.length; p++) {
          const stepping = this.#underWay[p];
          if (stepping !== undefined) await stepping;
          visit(t, p);
        }
      }
    } catch (error) {
      await Promise.allSettled(this.#underWay);
      this.#underWay.fill(undefined);
      throw error;
    }
  }
}
