import type { Formulas } from "./formulas.js";

/** A named mistake: formulas in which something is wrong, so that at least one identity must fail. */
export interface Mutant {
  readonly mutant: string;
  /** What is wrong, in a sentence. */
  readonly mistake: string;
  readonly replaces: Partial<Formulas>;
}
