import { RandomStreams } from "softrl";
import { describe, expect, it } from "vitest";
import { standardNormal } from "../../src/math/normal.js";

describe("standardNormal", () => {
  it("has the moments and the tails of a standard normal number", () => {
    const random = new RandomStreams(9).stream("normal");
    const draws = Array.from({ length: 100_000 }, () => standardNormal(random));
    const moment = (k: number) => draws.reduce((sum, x) => sum + x ** k, 0) / draws.length;
    // Five standard errors of each.
    expect(Math.abs(moment(1))).toBeLessThan(5 * Math.sqrt(1 / draws.length));
    expect(Math.abs(moment(2) - 1)).toBeLessThan(5 * Math.sqrt(2 / draws.length));
    expect(Math.abs(moment(3))).toBeLessThan(5 * Math.sqrt(15 / draws.length));
    expect(Math.abs(moment(4) - 3)).toBeLessThan(5 * Math.sqrt(96 / draws.length));
    const outside = draws.filter((x) => Math.abs(x) > 1.96).length / draws.length;
    expect(Math.abs(outside - 0.05)).toBeLessThan(0.004);
  });
});
