import {
  type Formulas,
  formulas,
  identities,
  mutantFormulas,
  mutants,
  RandomStreams,
  SoftrlError,
  unbrokenIdentities,
  verify,
  verifyMutants,
} from "softrl";
import { describe, expect, it } from "vitest";
import { mul } from "../../src/tensor/operations.js";
import { Tensor } from "../../src/tensor/tensor.js";
import { slopeBound } from "../../src/theory/identity.js";

const fast = identities.filter(({ slow }) => slow !== true);

/** A residual that nothing but a mistake explains: far beyond rounding, or a slope that is not that of the order. */
const clearly = (bound: number): number => (bound === slopeBound ? 0.5 : 1e9 * bound);

async function failures(checked: Formulas): Promise<string[]> {
  const streams = new RandomStreams(0);
  const found: string[] = [];
  for (const { identity, bound, cases = identity, residual } of fast) {
    let measured: number;
    try {
      measured = await residual(checked, streams.stream("verify", cases));
    } catch (error) {
      // A wrong formula whose results another one refuses, such as a policy that sums to 1.01, is noticed too.
      if (!(error instanceof SoftrlError)) throw error;
      measured = Number.POSITIVE_INFINITY;
    }
    if (measured > clearly(bound)) found.push(identity);
  }
  return found;
}

describe("verify", () => {
  it("holds for every identity, the Nature CNN among them", async () => {
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
    // A residual of nothing at all would mean that nothing was compared.
    expect(results.filter(({ residual }) => residual === 0).length).toBeLessThanOrEqual(2);
  }, 300_000);

  it("covers every equation that the paper's facts mark in §2 to §5", () => {
    const marked = ["(1)", "(2)", "(6)", "(13)", "(22–23)", "(24)", "(25)", "(36)", "(57)", "(66)", "(71)"];
    const sections = ["§3.1", "§3.2", "§3.3", "§3.4", "§3.5", "§3.6", "§4", "§5"];
    const equations = identities.map(({ equation }) => equation).join("; ");
    for (const mark of [...marked, ...sections]) expect(equations).toContain(mark);
  });

  it("holds for other seeds", async () => {
    for (const seed of [1, 2, 3]) {
      const results = await verify({ seed, fast: true, seeds: 5 });
      expect(results.filter(({ holds }) => !holds)).toEqual([]);
    }
  });

  it("refuses an unknown mutant", async () => {
    await expect(verify({ mutant: "none" })).rejects.toThrow(/there is no mutant "none", expected "wrong τ"/);
  });
});

describe("verifyMutants", () => {
  it("catches every mutant, far above the bound, and has one for each identity", async () => {
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
  }, 300_000);

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
    "τ forgotten in the optimum": "stationary for η",
    "KL paid twice": "both are fixed points of T_π",
    "T not discounted": "T is a γ-contraction",
    "one gap for all actions": "zero mean under π_θ",
    "π̄ left out of ∇η": "is the traced gradient of η",
    "τ clamped": "V* goes to the hard optimum",
    "visits not discounted": "summed over time and over the occupancy",
    "KL_0 counted in Q": "without KL_0",
    "one backup short": "T_π^n is a γⁿ-contraction",
    "λ² for λ": "T_π^λ Q in closed form",
    "stopped at a small change": "one fixed point of T",
    "KL the wrong way round": "soft policy improvement",
    "naive for proper": "is the gradient of E[Σ γ^t (r − τ KL)]",
    "proper for naive": "the naive bonus is the gradient",
    "g without KL": "g_γ goes to g_1",
    "∇KL with the wrong sign": "over an MDP's states and actions",
    "features not centred": "no baseline b(s) changes",
    "V held in the Q fit": "over an MDP's states and actions",
    "KL left out of y": "= T_π^n Q for π = π_Q, in every state",
    "Fisher of all actions alike": "Hessian of KL",
    "regression of all actions alike": "without KL",
    "KL left out of the regression": "with KL",
    "one conjugate gradient": "conjugate gradients",
    "plain for natural": "in any coordinates",
    "ε for ε/τ": "damped soft-Q fit",
    "Fisher-vector product not weighted": "F x without the matrix",
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
        // How many parameters there are is no result of a formula.
        const inflate = ([key, x]: [string, unknown]) => [key, key === "parameters" ? x : more(x)];
        return Object.fromEntries(Object.entries(value).map(inflate));
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
    // Two are blind to a common factor: a named mistake must break them.
    for (const mutant of mutants.filter(({ mutant: name }) =>
      /^(τ clamped|features not centred)$/.test(name),
    )) {
      for (const identity of await failures(mutantFormulas(mutant))) everBroken.add(identity);
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
