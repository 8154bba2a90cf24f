import { describe, expect, it } from "vitest";
import { run } from "./command.js";

describe("softrl verify --json", () => {
  it("measures every identity within its bound and exits 0", async () => {
    const { code, json } = await run(["verify", "--json"]);
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
      // What holds in a limit is measured by its order: |slope − 1| on the log-log fit.
      const allowed = identity.includes("first order") ? 0.05 : 1e-12;
      expect(residual, identity).toBeLessThanOrEqual(allowed);
      expect(bound, identity).toBeLessThanOrEqual(allowed);
      expect(holds, identity).toBe(true);
    }
  });

  it("--mutants: every named mistake fails a check, and the command exits 0", async () => {
    const { code, json } = await run(["verify", "--mutants", "--json"]);
    const mutants = json() as {
      mutant: string;
      identity: string;
      residual: number;
      bound: number;
      caught: boolean;
    }[];
    console.log(
      mutants
        .map(({ mutant, identity, residual }) => `${residual.toExponential(1)}  ${mutant}: ${identity}`)
        .join("\n"),
    );
    expect(code).toBe(0);
    expect(mutants.length).toBeGreaterThanOrEqual(6);
    for (const { mutant, residual, bound, caught } of mutants) {
      expect(caught, mutant).toBe(true);
      // A slope of 1 cannot be missed by a factor of a million; a mistake makes it 0.
      expect(residual, mutant).toBeGreaterThan(bound === 0.05 ? 0.5 : 1e6 * bound);
    }
  });
});
