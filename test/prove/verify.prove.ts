import { identities, mutants, unbrokenIdentities, verify, verifyMutants } from "softrl";
import { describe, expect, it } from "vitest";

/** The bound of an identity that holds in a limit: |slope − 1| of a log-log fit. */
const slopeBound = 0.05;

/** A residual that only a mistake explains: far beyond rounding, or a slope of the wrong order. */
const clearly = (bound: number): number => (bound === slopeBound ? 0.5 : 1e9 * bound);

describe("verify", () => {
  it("holds for every identity, including those of the Nature CNN", async () => {
    const results = await verify();
    expect(results.filter(({ holds }) => !holds)).toEqual([]);
    expect(results.map(({ identity }) => identity)).toEqual(identities.map(({ identity }) => identity));
    expect(new Set(results.map(({ identity }) => identity)).size).toBe(results.length);
    expect(results.length).toBeGreaterThan(50);
    for (const { bound, identity, seeds } of results) {
      expect(seeds).toBe(identity.includes("Nature CNN") ? 1 : 50);
      if (identity.includes("first order")) expect(bound).toBe(slopeBound);
      else expect(bound).toBeLessThanOrEqual(1e-12);
    }
    // A residual of exactly zero would suggest that nothing was compared.
    expect(results.filter(({ residual }) => residual === 0).length).toBeLessThanOrEqual(2);
  });
});

describe("verifyMutants", () => {
  it("catches every mutant, far above the bound, and breaks every identity", async () => {
    const results = await verifyMutants();
    expect(results.map(({ mutant }) => mutant)).toEqual(mutants.map(({ mutant }) => mutant));
    for (const { caught, residual, bound } of results) {
      expect(caught).toBe(true);
      expect(residual).toBeGreaterThan(clearly(bound));
    }
    expect(unbrokenIdentities(results)).toEqual([]);
    const [{ breaks }] = results;
    const others = identities
      .map(({ identity }) => identity)
      .filter((identity) => !breaks.includes(identity));
    expect(unbrokenIdentities(results.slice(0, 1))).toEqual(others);
  });
});
