import type { Random } from "../base/random.js";
import type { Formulas } from "./formulas.js";

/**
 * The bound for an equation that holds in a limit: how far the slope of the log-log fit may be from the
 * stated order.
 */
export const slopeBound = 0.05;

/** An equation of the paper that must hold, up to rounding or in a limit, and a measure of its error. */
export interface Identity {
  /** A short statement of the equation; unique. */
  readonly identity: string;
  /** Where the paper states it. */
  readonly equation: string;
  /** The largest residual that rounding explains; {@link slopeBound} if the residual is |slope − order|. */
  readonly bound: number;
  /**
   * Takes seconds rather than milliseconds. Such an identity is checked for one seed only, and runs only with
   * the mutants that are marked `thorough`.
   */
  readonly slow?: boolean;
  /**
   * The name of the random stream for its cases; identities with the same name get the same cases. Defaults
   * to `identity`.
   */
  readonly cases?: string;
  /**
   * The difference between the two sides, relative to their size. One side is computed with `formulas`, the
   * other in an independent way (enumeration, a traced gradient, or the definition step by step), so that a
   * mistake in a formula is detected.
   */
  residual(formulas: Formulas, random: Random): number | Promise<number>;
}
