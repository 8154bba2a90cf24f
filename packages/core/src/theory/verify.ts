import { fail } from "../base/errors.js";
import { RandomStreams } from "../base/random.js";
import { type Formulas, formulas } from "./formulas.js";
import { identities } from "./identities.js";
import type { Identity } from "./identity.js";
import type { Mutant } from "./mutant.js";
import { mutantFormulas, mutants } from "./mutants.js";

/** The result of measuring one identity. */
export interface Verification {
  readonly identity: string;
  readonly equation: string;
  /** The largest residual over all seeds. */
  readonly residual: number;
  readonly bound: number;
  /** The number of seeds; each has its own cases. */
  readonly seeds: number;
  /** residual ≤ bound; false for NaN. */
  readonly holds: boolean;
}

/** The result of running the identities with one mistake. */
export interface MutantVerification {
  readonly mutant: string;
  readonly mistake: string;
  /** The identity with the largest residual relative to its bound. */
  readonly identity: string;
  readonly equation: string;
  readonly residual: number;
  readonly bound: number;
  /** True if that residual is finite and above its bound. */
  readonly caught: boolean;
  /** Every identity with a residual above its bound. */
  readonly breaks: readonly string[];
}

/** Options of {@link verify}. */
export interface VerifyOptions {
  /** The seed of the random cases; defaults to 0. */
  readonly seed?: number;
  /** The name of a mutant whose formulas to check instead of those of the library. */
  readonly mutant?: string;
  /** The maximum number of seeds per identity; defaults to 50. Identities that take seconds use 1. */
  readonly seeds?: number;
  /** Skip the identities that take seconds (the Nature CNN). */
  readonly fast?: boolean;
  /** Called after each identity, for a progress line. */
  readonly onVerified?: (verification: Verification) => void;
}

/**
 * Measures every identity of the paper in float64.
 *
 * @throws SoftrlError for an unknown mutant or an invalid seed.
 */
export async function verify({
  seed = 0,
  mutant,
  fast = false,
  seeds = 50,
  onVerified,
}: VerifyOptions = {}): Promise<Verification[]> {
  const checked = mutant === undefined ? formulas : mutantFormulas(mutantOf(mutant));
  return verifyFormulas(
    checked,
    fast ? identities.filter(({ slow }) => slow !== true) : identities,
    seed,
    seeds,
    onVerified,
  );
}

/** Options of {@link verifyMutants}. */
export interface VerifyMutantsOptions {
  readonly seed?: number;
  /** Called after each mutant, for a progress line. */
  readonly onVerified?: (verification: MutantVerification) => void;
}

/**
 * Runs the identities with each named mistake. Every mistake must be caught, and every identity must be
 * broken by one. The identities that take seconds run only with the mutants that are marked `thorough`.
 */
export async function verifyMutants({
  seed = 0,
  onVerified,
}: VerifyMutantsOptions = {}): Promise<MutantVerification[]> {
  const results: MutantVerification[] = [];
  for (const { mutant, mistake, thorough } of mutants) {
    const finite = (await verify({ seed, mutant, fast: thorough !== true, seeds: 1 })).filter(
      ({ residual }) => Number.isFinite(residual),
    );
    const { identity, equation, residual, bound } = finite.reduce((worst, next) =>
      next.residual / next.bound > worst.residual / worst.bound ? next : worst,
    );
    const breaks = finite.filter((check) => check.residual > check.bound).map((check) => check.identity);
    const caught = residual > bound;
    const result = { mutant, mistake, identity, equation, residual, bound, caught, breaks };
    results.push(result);
    onVerified?.(result);
  }
  return results;
}

/** The identities that none of these mistakes breaks, so no run has shown that they can fail. */
export function unbrokenIdentities(results: readonly Pick<MutantVerification, "breaks">[]): string[] {
  const broken = new Set(results.flatMap(({ breaks }) => breaks));
  return identities.map(({ identity }) => identity).filter((identity) => !broken.has(identity));
}

async function verifyFormulas(
  checked: Formulas,
  list: readonly Identity[],
  seed: number,
  seeds: number,
  onVerified?: (verification: Verification) => void,
): Promise<Verification[]> {
  const streams = new RandomStreams(seed);
  const results: Verification[] = [];
  for (const { identity, equation, bound, cases = identity, slow, residual: measured } of list) {
    const count = slow === true ? Math.min(seeds, 1) : seeds;
    let residual = await measured(checked, streams.stream("verify", cases));
    for (let i = 1; i < count; i++) {
      // Math.max propagates NaN.
      residual = Math.max(residual, await measured(checked, streams.stream("verify", cases, i)));
    }
    const result = { identity, equation, residual, bound, seeds: count, holds: residual <= bound };
    results.push(result);
    onVerified?.(result);
  }
  return results;
}

function mutantOf(name: string): Mutant {
  return (
    mutants.find(({ mutant }) => mutant === name) ??
    fail("verify", `unknown mutant "${name}"`, {
      expected: mutants.map(({ mutant }) => `"${mutant}"`).join(", "),
    })
  );
}
