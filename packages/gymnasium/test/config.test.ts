import { availableParallelism } from "node:os";
import { describe, expect, it } from "vitest";
import { completeConfig } from "../src/config.js";

describe("the default number of Atari processes", () => {
  const id = "ALE/Pong-v5";
  const sizes = Array.from({ length: 80 }, (_, i) => i + 1);
  const processes = (size: number, overlap?: boolean) =>
    completeConfig({ id, size, training: true, ...(overlap === undefined ? {} : { overlap }) }).processes;

  it("is 1 or even for an even number of environments", () => {
    for (const size of sizes.filter((n) => n % 2 === 0)) {
      const count = processes(size);
      expect(count === 1 || count % 2 === 0, `${count} for ${size}`).toBe(true);
      expect(count).toBeLessThanOrEqual(2 * availableParallelism());
    }
    expect(processes(16)).toBe(Math.min(4, 2 * availableParallelism()));
  });

  it("is at most the number of cores without overlap", () => {
    for (const size of sizes) expect(processes(size, false)).toBeLessThanOrEqual(availableParallelism());
    for (const size of sizes.filter((n) => n % 2 === 1)) expect(processes(size)).toBe(processes(size, false));
  });

  it("counts the given number of cores", () => {
    const config = { id, size: 64, training: true };
    expect(completeConfig({ ...config, cores: 3, overlap: false }).processes).toBe(3);
    expect(completeConfig({ ...config, cores: 3 }).processes).toBe(6);
    for (const cores of [0, 1.5, Number.NaN]) {
      expect(() => completeConfig({ ...config, cores })).toThrow(
        `createGymnasiumEnvironment: cores is not valid, expected a positive integer, got ${cores}`,
      );
    }
  });
});
