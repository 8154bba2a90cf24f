import { fail } from "../base/errors.js";
import type { EnvironmentRows, VectorEnvironment } from "./environment.js";

/**
 * The parts of an environment that step independently, and the pending step of each. An environment without parts is
 * its own single part.
 */
export class EnvironmentParts {
  readonly all: readonly EnvironmentRows[];
  readonly #pending: (void | Promise<void>)[] = [];

  /** @throws SoftrlError when the parts differ in size or do not cover the whole environment. */
  constructor(environment: VectorEnvironment) {
    const { id, size, parts = [environment] } = environment;
    const each = size / parts.length;
    if (parts.length === 0 || parts.some((part) => part.size !== each)) {
      fail(id, "the parts do not make up the environments", {
        expected: `parts of equal size that add up to ${size} environments`,
        got: parts.map((part) => part.size).join(" + ") || "no parts",
      });
    }
    this.all = parts;
  }

  /**
   * Starts a step of part p. {@link forEachStep} waits for it before it visits this part again, and throws its error
   * then.
   */
  step(p: number, actions: Int32Array): void {
    const stepping = this.all[p].step(actions);
    // forEachStep reports a failure when it reaches this part; until then it must not count as unhandled.
    if (stepping !== undefined) stepping.catch(() => {});
    this.#pending[p] = stepping;
  }

  /**
   * Calls `visit(t, p)` for every t in 0 … `steps` and every part p, each time after the pending step of part p. If a
   * visit or a step fails, it waits for all pending steps and rethrows; the next call starts from a clean state.
   */
  async forEachStep(steps: number, visit: (t: number, p: number) => void): Promise<void> {
    try {
      for (let t = 0; t <= steps; t++) {
        for (let p = 0; p < this.all.length; p++) {
          const stepping = this.#pending[p];
          if (stepping !== undefined) await stepping;
          visit(t, p);
        }
      }
    } catch (error) {
      await Promise.allSettled(this.#pending);
      this.#pending.fill(undefined);
      throw error;
    }
  }
}
