import { readFileSync } from "node:fs";
import { join } from "node:path";
import { COLOURS, DARK, GREY, memorySettings, PAPER, settingsOf, TEXT } from "@softrl/web";
import { describe, expect, it } from "vitest";
import { arrowPath } from "../src/drawing/arrow.js";
import { decimals, powerText, shortNumber } from "../src/drawing/number-text.js";
import { highestOf, linearScale, logScale, roundTicks } from "../src/drawing/scale.js";
import { numbersText, readNumber, readNumbers } from "../src/state/settings.js";
import { typesetFormulas } from "../typeset.js";

describe("the highest point", () => {
  it("is that of all curves, or the least that is asked for", () => {
    const curve = (...ys: number[]) => ys.map((y, x) => [x, y] as const);
    expect(highestOf([curve(1, 7, 3), curve(5)], 4)).toBe(7);
    expect(highestOf([curve(1), []], 4)).toBe(4);
  });

  it("is found in long curves", () => {
    const curve = Array.from({ length: 300_000 }, (_, x) => [x, x % 1000] as const);
    expect(highestOf([curve, curve], 0)).toBe(999);
  });
});

describe("the page's colours", () => {
  const css = readFileSync(join(import.meta.dirname, "../src/theme.css"), "utf8");
  const [light, dark] = [css.slice(0, css.indexOf("@media")), css.slice(css.indexOf("@media"))];
  const colour = (text: string, name: string) => new RegExp(`--${name}: (#[0-9a-f]{6});`).exec(text)?.[1];

  it.each([
    ["paper", PAPER],
    ["text", TEXT],
    ["pg", COLOURS[0]],
    ["sq", COLOURS[1]],
    ["value", COLOURS[2]],
  ])("%s is that of the command's figures, light and dark", (name, ink) => {
    expect(colour(light, name)).toBe(ink);
    expect(colour(dark, name)).toBe(DARK[ink]);
  });

  it.each([
    ["text", 7],
    ["soft-text", 4.5],
    ["pg-text", 4.5],
    ["sq-text", 4.5],
    ["bad", 4.5],
  ])("%s is legible on the paper: a contrast of at least %d", (name, least) => {
    for (const scheme of [light, dark]) {
      expect(contrast(colour(scheme, name) ?? "", colour(scheme, "paper") ?? "")).toBeGreaterThanOrEqual(
        least,
      );
    }
    expect(contrast(GREY, PAPER)).toBeGreaterThan(4.5);
  });
});

/** The contrast of WCAG 2: (L1 + 0.05)/(L2 + 0.05), L the relative luminance. */
function contrast(one: string, other: string): number {
  const luminance = (hex: string) => {
    const [r, g, b] = [1, 3, 5].map((at) => {
      const channel = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
      return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const [high, low] = [luminance(one), luminance(other)].sort((x, y) => y - x);
  return (high + 0.05) / (low + 0.05);
}

describe("axes", () => {
  it("map values to places and back", () => {
    const linear = linearScale([-2, 2], [200, 0]);
    expect([linear.at(-2), linear.at(0), linear.at(2)]).toEqual([200, 100, 0]);
    expect(linear.of(50)).toBe(1);
    const log = logScale([0.01, 10], [0, 300]);
    expect([log.at(0.01), log.at(1), log.at(10)]).toEqual([0, 200, 300]);
    expect(log.of(100)).toBeCloseTo(0.1, 12);
    expect(log.ticks.map((tick) => tick.toPrecision(1))).toEqual(["0.01", "0.1", "1", "1e+1"]);
  });

  it("have round ticks", () => {
    expect(roundTicks([0, 1])).toEqual([0, 0.25, 0.5, 0.75, 1]);
    expect(roundTicks([0, 0.83])).toEqual([0, 0.25, 0.5, 0.75]);
    expect(roundTicks([-2, 2])).toEqual([-2, -1, 0, 1, 2]);
  });
});

describe("texts of numbers", () => {
  it("have a true minus sign, and no negative zero", () => {
    expect(decimals(-1.256, 2)).toBe("−1.26");
    expect(decimals(-0.0001, 2)).toBe("0.00");
    expect(shortNumber(0.2511)).toBe("0.25");
    expect(shortNumber(Number.POSITIVE_INFINITY)).toBe("∞");
  });

  it("show powers of ten as such where they are small", () => {
    expect([1, 0.01, 1000, 1e-8].map(powerText)).toEqual(["1", "0.01", "1000", "10⁻⁸"]);
  });
});

describe("an arrow", () => {
  it("has a line and a head, or is a dot", () => {
    expect(arrowPath({ x: 0, y: 0 }, { x: 30, y: 0 })).toMatch(
      /^M0 0L30 0M[\d.]+ -[\d.]+L30 0L[\d.]+ [\d.]+$/,
    );
    expect(arrowPath({ x: 1, y: 2 }, { x: 0, y: 0 })).toBe("M1 2h0");
    expect(arrowPath({ x: 1, y: 2 }, { x: Number.NaN, y: 0 })).toBe("M1 2h0");
  });
});

describe("settings", () => {
  it("of a figure are kept under its name", () => {
    const all = memorySettings();
    settingsOf(all, "sides").set("tau", "0.5");
    expect(all.get("sides.tau")).toBe("0.5");
    settingsOf(all, "sides").set("tau", null);
    expect(all.get("sides.tau")).toBeNull();
  });

  it("that cannot be read are the defaults", () => {
    const range = { low: 0, high: 1, fallback: 0.5 };
    expect(["0", "1", "0.25"].map((text) => readNumber(text, range))).toEqual([0, 1, 0.25]);
    for (const text of [null, "", " ", "x", "2", "-1", "Infinity"]) expect(readNumber(text, range)).toBe(0.5);
    const pair = { low: 0, high: 1, fallback: [0.1, 0.2] };
    expect(readNumbers(numbersText([0.3, 0.123456]), pair)).toEqual([0.3, 0.1235]);
    for (const text of [null, "1", "1_1_1", "1_x", "1_2"])
      expect(readNumbers(text, pair)).toBe(pair.fallback);
  });
});

describe("formulas", () => {
  it("are MathML with the classes of the two colours, without styles or source", () => {
    const html = typesetFormulas("<p>$\\soft{Q} \\le \\pol{\\pi}$ and $$\\log\\frac{\\pi}{\\pib}$$</p>");
    expect(html).toMatch(/^<p><math.*<\/math> and <math.*display="block".*<\/math><\/p>$/);
    expect(html).toContain('class="sq"');
    expect(html).toContain('class="pg"');
    expect(html).toContain("<mi>\u{1d70b}\u0304</mi>");
    expect(html).toContain("<mi>log</mi><mspace");
    expect(typesetFormulas("$\\E$")).toContain("<mi>\u{1d53c}</mi>");
    expect(html).not.toMatch(/style=|mathcolor|annotation|\$/);
  });

  it("that are not TeX fail the build", () => {
    expect(() => typesetFormulas("$\\frac{1}$")).toThrow(/KaTeX/);
  });
});
