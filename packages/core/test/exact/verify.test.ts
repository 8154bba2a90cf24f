import {
  type Formulas,
  formulas,
  identities,
  mutantFormulas,
  mutants,
  RandomStreams,
  verify,
  verifyMutants,
} from "softrl";
import { describe, expect, it } from "vitest";
import { mul } from "../../src/tensor/operations.js";
import { Tensor } from "../../src/tensor/tensor.js";

const fast = identities.filter(({ slow }) => slow !== true);

async function failures(checked: Formulas): Promise<string[]> {
  const streams = new RandomStreams(0);
  const found: string[] = [];
  for (const { identity, bound, cases = identity, residual } of fast) {
    // Far above the bound: nothing that rounding could explain.
    if ((await residual(checked, streams.stream("verify", cases))) > 1e9 * bound) found.push(identity);
  }
  return found;
}

describe("verify", () => {
  it("holds for every identity, the Nature CNN among them", async () => {
    const results = await verify();
    expect(results.filter(({ holds }) => !holds)).toEqual([]);
    expect(results.map(({ identity }) => identity)).toEqual(identities.map(({ identity }) => identity));
    expect(new Set(results.map(({ identity }) => identity)).size).toBe(results.length);
    for (const { bound } of results) expect(bound).toBeLessThanOrEqual(1e-12);
    // A residual of nothing at all would mean that nothing was compared.
    expect(results.filter(({ residual }) => residual === 0).length).toBeLessThanOrEqual(2);
  }, 120_000);

  it("holds for other seeds", async () => {
    for (const seed of [1, 2, 3]) {
      const results = await verify({ seed, fast: true });
      expect(results.filter(({ holds }) => !holds)).toEqual([]);
    }
  });

  it("refuses an unknown mutant", async () => {
    await expect(verify({ mutant: "none" })).rejects.toThrow(/there is no mutant "none", expected "wrong τ"/);
  });
});

describe("verifyMutants", () => {
  it("catches every mutant, far above the bound", async () => {
    const results = await verifyMutants();
    expect(results.map(({ mutant }) => mutant)).toEqual(mutants.map(({ mutant }) => mutant));
    for (const { caught, residual, bound } of results) {
      expect(caught).toBe(true);
      expect(residual).toBeGreaterThan(1e9 * bound);
    }
  });

  /** The identities that are about each mistake, by a piece of their names. */
  const about: Readonly<Record<string, string>> = {
    "wrong τ": "∇soft-Q = τ ∇PG + ∇value + gap, per sample: MLP with Q head",
    "KL dropped from the return": "T_π^n Q = τ KL",
    "bootstrap at a terminal state": "T_π^n V = V + E",
    "n off by one": "T_π^n V = V + E",
    "1/γ for 1/τ": "streams scaled by 1/τ and c, = ∇A2C + gap",
    "Q where logits belong": "traced V_θ and π_θ are the numeric ones",
    "returns across an ending": "n-step returns with terminations and truncations",
    "truncation taken for termination": "n-step returns with terminations and truncations",
    "KL counted in Q's own step": "T_π^n Q = τ KL",
    "π̄ forgotten": "E_π[r] − τ KL[π‖π̄]",
    "no gradient through KL": "E ∇soft-Q",
    "λ for γλ": "λ-return",
  };

  for (const mutant of mutants) {
    it(`breaks the identity about ${mutant.mutant}`, async () => {
      const broken = await failures(mutantFormulas(mutant));
      expect(broken.some((identity) => identity.includes(about[mutant.mutant]))).toBe(true);
    });
  }
});

describe("identities", () => {
  /** The formula with one per cent more in whatever it gives: numbers, arrays, tensors, or a filled last argument. */
  function inflated(name: keyof Formulas): Formulas {
    const original = formulas[name] as (...inputs: readonly unknown[]) => unknown;
    const more = (value: unknown): unknown => {
      if (typeof value === "number") return 1.01 * value;
      if (value instanceof Float64Array) return value.map((x) => 1.01 * x);
      if (value instanceof Tensor) return mul(1.01, value);
      if (typeof value === "object" && value !== null) {
        return Object.fromEntries(Object.entries(value).map(([key, x]) => [key, more(x)]));
      }
      return value;
    };
    const changed = (...inputs: readonly unknown[]): unknown => {
      const value = original(...inputs);
      if (!name.endsWith("Into")) return more(value);
      const filled = inputs[inputs.length - 1];
      if (filled instanceof Float64Array) filled.set(filled.map((x) => 1.01 * x));
      return value;
    };
    return { ...formulas, [name]: changed };
  }

  it("pin every formula, and each fails for some wrong formula", async () => {
    const everBroken = new Set<string>();
    for (const name of Object.keys(formulas) as (keyof Formulas)[]) {
      const broken = await failures(inflated(name));
      expect(broken, `nothing notices one per cent more in ${name}`).not.toEqual([]);
      for (const identity of broken) everBroken.add(identity);
    }
    const never = fast.map(({ identity }) => identity).filter((identity) => !everBroken.has(identity));
    expect(never).toEqual([]);
  });

  it("the gap of one action for all of them has a mean", async () => {
    const constantGap: Formulas = {
      ...formulas,
      theoremGap: (terms) => formulas.theoremGap({ ...terms, actions: mul(0, terms.actions) }),
    };
    expect(await failures(constantGap)).toContain("the gap has zero mean under π_θ");
  });
});
