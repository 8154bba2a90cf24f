import { fail } from "../base/errors.js";
import { RandomStreams } from "../base/random.js";
import { type Formulas, formulas } from "./formulas.js";
import { identities } from "./identities.js";
import type { Identity } from "./identity.js";
import type { Mutant } from "./mutant.js";
import { mutantFormulas, mutants } from "./mutants.js";

/** One identity, measured. */
export interface Verification {
  readonly identity: string;
  readonly equation: string;
  /** The largest of all seeds. */
  readonly residual: number;
  readonly bound: number;
  /** How many seeds it was tried at, each with cases of its own. */
  readonly seeds: number;
  /** residual ≤ bound; NaN does not hold. */
  readonly holds: boolean;
}

/** One mistake, and the identity that it breaks most. */
export interface MutantVerification {
  readonly mutant: string;
  readonly mistake: string;
  /** The identity with the largest residual for its bound. */
  readonly identity: string;
  readonly equation: string;
  readonly residual: number;
  readonly bound: number;
  /** A finite residual above its bound. */
  readonly caught: boolean;
  /** Every identity whose residual is above its bound. */
  readonly breaks: readonly string[];
}

/** What {@link verify} may be told. */
export interface VerifyOptions {
  /** Seed of the random cases; 0 unless given. */
  readonly seed?: number;
  /** The name of a mutant, to check its formulas in place of the library's. */
  readonly mutant?: string;
  /** Seeds that each identity is tried at, at most; 50 unless given, or 1 for those that take seconds. */
  readonly seeds?: number;
  /** Leaves out the identities that take seconds (the Nature CNN). */
  readonly fast?: boolean;
  /** Called after each identity, for a progress line. */
  readonly onVerified?: (verification: Verification) => void;
}

/**
 * Measures every identity of the paper in float64.
 *
 * @throws SoftrlError for an unknown mutant or a seed that is none.
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

/** What {@link verifyMutants} may be told. */
export interface VerifyMutantsOptions {
  readonly seed?: number;
  /** Called after each mutant, for a progress line. */
  readonly onVerified?: (verification: MutantVerification) => void;
}

/**
 * Runs the identities with each named mistake, those that take seconds with one of them: every mistake must be caught,
 * and every identity broken by one.
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

/** The identities that none of these mistakes breaks: whatever they measure, it was not seen to fail. */
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
      // Math.max keeps a NaN.
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
    fail("verify", `there is no mutant "${name}"`, {
      expected: mutants.map(({ mutant }) => `"${mutant}"`).join(", "),
    })
  );
}
