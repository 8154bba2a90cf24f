import { theoryDemonstrations } from "softrl";
import { describe, expect, it } from "vitest";
import { atLeast, atMost, near } from "../../src/theory/laboratory/demonstration.js";

describe("theoryDemonstrations", () => {
  it("hold for ten seeds", () => {
    for (let seed = 0; seed < 10; seed++) {
      for (const { name, facts } of theoryDemonstrations(seed)) {
        expect(facts.length).toBeGreaterThan(0);
        for (const fact of facts) expect(fact, `${name}, seed ${seed}`).toMatchObject({ holds: true });
      }
    }
  });

  it("are reproducible from the seed, finite, and cover §2 to §5", () => {
    const first = theoryDemonstrations(3);
    expect(theoryDemonstrations(3)).toEqual(first);
    const sections = first.map(({ section }) => section).join();
    for (const section of ["§2", "§3.2", "§3.3", "§3.4", "§4", "§5"]) expect(sections).toContain(section);
    for (const { series, x, y } of first) {
      for (const { points } of series) {
        expect(points.length).toBeGreaterThan(1);
        for (const point of points) {
          for (const [axis, value] of [
            [x, point[0]],
            [y, point[1]],
          ] as const) {
            expect(axis.scale === "log" ? value > 0 && value < Infinity : Number.isFinite(value)).toBe(true);
          }
        }
      }
    }
  });

  it("cover ε from 1e-1 to 1e-4 and up to n = 20 backups", () => {
    const named = new Map(theoryDemonstrations().map((demonstration) => [demonstration.name, demonstration]));
    const xs = (name: string) => named.get(name)?.series[0].points.map(([x]) => x) ?? [];
    expect(Math.max(...xs("natural-gradient"))).toBeCloseTo(1e-1, 12);
    expect(Math.min(...xs("natural-gradient"))).toBeCloseTo(1e-4, 12);
    expect(Math.max(...xs("contraction"))).toBe(20);
  });
});

describe("facts", () => {
  it("fail for NaN and beyond their bound", () => {
    const facts = [atMost, atLeast].flatMap((fact) => [fact("", Number.NaN, 1), fact("", 1, 1)]);
    expect(facts.map(({ holds }) => holds)).toEqual([false, true, false, true]);
    expect(atMost("", 1.1, 1).holds).toBe(false);
    expect(atLeast("", 0.9, 1).holds).toBe(false);
    expect(near("", Number.NaN, 1, 0.1).holds).toBe(false);
    expect([0.95, 1.05, 1.2].map((x) => near("", x, 1, 0.1).holds)).toEqual([true, true, false]);
  });
});
