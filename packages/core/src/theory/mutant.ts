import type { Formulas } from "./formulas.js";

/** A named mistake: formulas with one error, which must make at least one identity fail. */
export interface Mutant {
  readonly mutant: string;
  /** A description of the mistake, in one sentence. */
  readonly mistake: string;
  /** Also run on the identities that take seconds. Each of them must fail for at least one such mistake. */
  readonly thorough?: boolean;
  readonly replaces: Partial<Formulas>;
}
