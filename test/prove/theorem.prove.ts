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
    expect(identities.length).toBeGreaterThanOrEqual(20);
    for (const { identity, residual, bound, holds } of identities) {
      expect(residual, identity).toBeLessThanOrEqual(1e-12);
      expect(bound, identity).toBeLessThanOrEqual(1e-12);
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
      expect(residual, mutant).toBeGreaterThan(1e6 * bound);
    }
  });
});
