import type { Random } from "../base/random.js";
import type { Formulas } from "./formulas.js";

/** The bound of an equation that holds in a limit: how far the slope on the log-log fit may be from the stated order. */
export const slopeBound = 0.05;

/** An equation of the paper that must hold, to rounding or in a limit, with a way to measure how far it does not. */
export interface Identity {
  /** What holds, in a few words; unique. */
  readonly identity: string;
  /** Where the paper states it. */
  readonly equation: string;
  /** The largest residual that rounding explains; {@link slopeBound} where the residual is |slope − order|. */
  readonly bound: number;
  /**
   * Takes seconds rather than milliseconds: tried at one seed, and left out where the mistakes are tried one by one, but
   * for a mistake that is tried on everything.
   */
  readonly slow?: boolean;
  /** The random stream of its cases: identities that share one see the same. Its own unless given. */
  readonly cases?: string;
  /**
   * How far the two sides are apart, relative to their size. One side is computed by `formulas`, the other by another
   * route (enumeration, a traced gradient, a definition spelled out), so that a mistake in a formula shows.
   */
  residual(formulas: Formulas, random: Random): number | Promise<number>;
}
