import {
  type Formulas,
  formulas,
  identities,
  mutantFormulas,
  mutants,
  RandomStreams,
  SoftrlError,
  verify,
} from "softrl";
import { describe, expect, it } from "vitest";
import { mul } from "../../src/tensor/operations.js";
import { Tensor } from "../../src/tensor/tensor.js";
import { slopeBound } from "../../src/theory/identity.js";

const fast = identities.filter(({ slow }) => slow !== true);

/** A residual that only a mistake explains: far beyond rounding, or a slope of the wrong order. */
const clearly = (bound: number): number => (bound === slopeBound ? 0.5 : 1e9 * bound);

/** The identities that these formulas break, among all or those whose name has a part. */
async function failures(checked: Formulas, part = ""): Promise<string[]> {
  const streams = new RandomStreams(0);
  const found: string[] = [];
  for (const { identity, bound, cases = identity, residual } of fast) {
    if (!identity.includes(part)) continue;
    let measured: number;
    try {
      measured = await residual(checked, streams.stream("verify", cases));
    } catch (error) {
      // A wrong formula may also be detected because another formula refuses its results, such as a policy
      // that sums to 1.01.
      if (!(error instanceof SoftrlError)) throw error;
      measured = Number.POSITIVE_INFINITY;
    }
    if (measured > clearly(bound)) found.push(identity);
  }
  return found;
}

describe("verify", () => {
  // Those of the Nature CNN: test/prove/verify.prove.ts.
  it("holds for every identity that does not take the Nature CNN", async () => {
    const results = await verify({ fast: true, seeds: 10 });
    expect(results.filter(({ holds }) => !holds)).toEqual([]);
    expect(results.map(({ identity }) => identity)).toEqual(fast.map(({ identity }) => identity));
  });

  it("covers the numbered equations and the sections of §2 to §5", () => {
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
    await expect(verify({ mutant: "none" })).rejects.toThrow(/unknown mutant "none", expected "wrong τ"/);
  });
});

describe("verifyMutants", () => {
  /** The identity that each mistake must break, by a part of its name. */
  const about: Readonly<Record<string, string>> = {
    "wrong τ": "∇soft-Q = τ ∇PG + ∇value + gap, per sample: MLP with Q head",
    "KL dropped from the return": "T_π^n Q = τ KL",
    "bootstrap at a terminal state": "T_π^n V = V + E",
    "n off by one": "T_π^n V = V + E",
    "1/γ for 1/τ": "streams scaled by 1/τ and c, = ∇A2C + gap",
    "Q where logits belong": "traced V_θ and π_θ equal the numeric ones",
    "returns across an episode end": "n-step returns with terminations and truncations",
    "truncation treated as termination": "n-step returns with terminations and truncations",
    "KL of its own step counted in Q": "T_π^n Q = τ KL",
    "π̄ ignored": "E_π[r] − τ KL[π‖π̄]",
    "no gradient through KL": "E ∇soft-Q",
    "λ instead of γλ": "λ-return",
    "τ ignored in the optimum": "stationary for η",
    "KL subtracted twice": "both are fixed points of T_π",
    "T not discounted": "T is a γ-contraction",
    "the same gap for all actions": "zero mean under π_θ",
    "π̄ omitted from ∇η": "is the traced gradient of η",
    "τ clamped": "V* converges to the hard optimum",
    "visits not discounted": "summed over time and over the occupancy",
    "KL_0 counted in Q": "without KL_0",
    "one backup too few": "T_π^n is a γⁿ-contraction",
    "λ² for λ": "T_π^λ Q in closed form",
    "stopped at a small change": "the same fixed point of T",
    "KL with its arguments swapped": "soft policy improvement",
    "naive gradient for the proper one": "is the gradient of E[Σ γ^t (r − τ KL)]",
    "proper gradient for the naive one": "the naive bonus is the gradient",
    "g without KL": "g_γ converges to g_1",
    "∇KL with the wrong sign": "over an MDP's states and actions",
    "features not centred": "no baseline b(s) changes",
    "V held in the Q fit": "over an MDP's states and actions",
    "KL omitted from y": "= T_π^n Q for π = π_Q, in every state",
    "Fisher matrix not weighted by π": "Hessian of KL",
    "regression not weighted by visits": "without KL",
    "KL omitted from the regression": "with KL",
    "a single conjugate-gradient step": "conjugate gradients",
    "plain gradient for the natural one": "does not depend on coordinates",
    "ε instead of ε/τ": "damped soft-Q fit",
    "Fisher-vector product not weighted": "F x without the matrix",
    "max for min in PPO": "∇ of PPO's clipped surrogate",
    "PPO clips on the wrong side": "∇ of PPO's clipped surrogate",
    "PPO's ratio inverted": "PPO's first step is the policy gradient",
    "PPO's penalty reversed": "PPO's penalised surrogate is stationary",
    "max for log-sum-exp": "DQN's soft update",
    "log-sum-exp for max": "DQN's hard update",
    "KL for entropy": "DQN's soft update",
    "DQN bootstraps at a terminal state": "DQN's hard update",
    "online for target network": "DQN's soft update",
    "bootstrap one step too far": "DQN's 2-step update",
    "Munchausen's clip dropped": "Munchausen's update",
    "λ-target without KL": "PQN's λ-target",
    "PQN bootstraps at a terminal state": "PQN's λ-target",
    "λ-target across a truncation": "PQN's λ-target",
  };

  for (const mutant of mutants) {
    it(`breaks the identity about ${mutant.mutant}`, async () => {
      const part = about[mutant.mutant];
      expect(part).toBeDefined();
      expect(await failures(mutantFormulas(mutant), part)).not.toEqual([]);
    });
  }
});

describe("identities", () => {
  /**
   * The formula with its result increased by one per cent: a number, an array, a tensor, or the last argument
   * that it fills.
   */
  function inflated(name: keyof Formulas): Formulas {
    const original = formulas[name] as (...inputs: readonly unknown[]) => unknown;
    const more = (value: unknown): unknown => {
      if (typeof value === "number") return 1.01 * value;
      if (value instanceof Float64Array) return value.map((x) => 1.01 * x);
      if (value instanceof Tensor) return mul(1.01, value);
      if (typeof value === "object" && value !== null) {
        // The number of parameters is not a result of a formula.
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

  it("check every formula, and each fails for some wrong formula", async () => {
    const everBroken = new Set<string>();
    for (const name of Object.keys(formulas) as (keyof Formulas)[]) {
      const broken = await failures(inflated(name));
      expect(broken, `no identity detects an error of one per cent in ${name}`).not.toEqual([]);
      for (const identity of broken) everBroken.add(identity);
    }
    // Two identities cannot detect a common factor: a named mistake must break them.
    for (const mutant of mutants.filter(({ mutant: name }) =>
      /^(τ clamped|features not centred)$/.test(name),
    )) {
      for (const identity of await failures(mutantFormulas(mutant))) everBroken.add(identity);
    }
    const never = fast.map(({ identity }) => identity).filter((identity) => !everBroken.has(identity));
    expect(never).toEqual([]);
  });

  it("detect a gap that is the same for all actions by its mean", async () => {
    const constantGap: Formulas = {
      ...formulas,
      theoremGap: (terms) => formulas.theoremGap({ ...terms, actions: mul(0, terms.actions) }),
    };
    const identity = "the gap has zero mean under π_θ";
    expect(await failures(constantGap, identity)).toContain(identity);
  });
});
