import { formulas, identities, mutantFormulas, mutants, RandomStreams } from "softrl";
import { describe, expect, it } from "vitest";
import { run } from "./command.js";

describe("softrl verify --json", () => {
  it("measures every identity within its bound and exits with 0", async () => {
    const { code, json, stdout } = await run(["verify", "--json"]);
    expect(stdout.trimEnd().split("\n")).toHaveLength(1);
    const identities = json() as {
      identity: string;
      equation: string;
      residual: number;
      bound: number;
      holds: boolean;
    }[];
    console.log(
      identities
        .map(({ equation, identity, residual }) => `${residual.toExponential(1)}  ${equation}  ${identity}`)
        .join("\n"),
    );
    expect(code).toBe(0);
    expect(identities.length).toBeGreaterThanOrEqual(50);
    for (const { identity, residual, bound, holds } of identities) {
      // An equation that holds in a limit is checked by its order: |slope − 1| of the log-log fit.
      const allowed = identity.includes("first order") ? 0.05 : 1e-12;
      expect(residual, identity).toBeLessThanOrEqual(allowed);
      expect(bound, identity).toBeLessThanOrEqual(allowed);
      expect(holds, identity).toBe(true);
    }
    for (const result of identities) {
      expect(Object.keys(result)).toEqual(["identity", "equation", "residual", "bound", "seeds", "holds"]);
    }
  });

  it("--mutants: every named mistake fails a check, and the command exits with 0", async () => {
    const { code, json } = await run(["verify", "--mutants", "--json"]);
    const mutants = json() as {
      mutant: string;
      identity: string;
      residual: number;
      bound: number;
      caught: boolean;
      holds: boolean;
    }[];
    console.log(
      mutants
        .map(({ mutant, identity, residual }) => `${residual.toExponential(1)}  ${mutant}: ${identity}`)
        .join("\n"),
    );
    expect(code).toBe(0);
    expect(mutants.map(({ mutant }) => mutant)).toEqual(
      expect.arrayContaining([
        "wrong τ",
        "KL dropped from the return",
        "bootstrap at a terminal state",
        "n off by one",
        "1/γ for 1/τ",
        "Q where logits belong",
      ]),
    );
    for (const { mutant, residual, bound, caught, holds } of mutants) {
      expect([caught, holds], mutant).toEqual([true, false]);
      // A slope cannot be wrong by a factor of a million; with a mistake it is 0.
      expect(residual, mutant).toBeGreaterThan(bound === 0.05 ? 0.5 : 1e6 * bound);
    }
  });
});

describe("a mistake that breaks the theorem on small networks", () => {
  it("also breaks it on the Nature CNN", async () => {
    const streams = new RandomStreams(0);
    const left = new Set(identities.filter(({ slow }) => slow === true));
    expect(left.size).toBe(4);
    const mutant = mutants.find((candidate) => candidate.mutant === "no gradient through KL");
    const checked = mutant === undefined ? formulas : mutantFormulas(mutant);
    for (const check of left) {
      const { cases = check.identity, bound, residual } = check;
      const random = streams.stream("verify", cases);
      if ((await residual(checked, random)) > 1e9 * bound) left.delete(check);
    }
    expect([...left].map(({ identity }) => identity)).toEqual([]);
  });
});
