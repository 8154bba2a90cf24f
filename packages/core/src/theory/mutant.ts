import type { Formulas } from "./formulas.js";

/** A named mistake: formulas in which something is wrong, so that at least one identity must fail. */
export interface Mutant {
  readonly mutant: string;
  /** What is wrong, in a sentence. */
  readonly mistake: string;
  /** Tried on the identities that take seconds too: one such mistake must break each of them. */
  readonly thorough?: boolean;
  readonly replaces: Partial<Formulas>;
}
