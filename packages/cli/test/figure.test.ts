import { COLOURS } from "@softrl/web";
import { theoryDemonstrations } from "softrl";
import { describe, expect, test } from "vitest";
import { type Figure, figureSvg } from "../src/figures/figure.js";
import { textWidth } from "../src/figures/text-width.js";
import { demonstrationSvg } from "../src/figures/theory-page.js";

const figure: Figure = {
  title: "A title",
  subtitle: "what it shows",
  x: { label: "x", scale: "log" },
  y: { label: "y", scale: "linear" },
  series: [
    {
      name: "one",
      kind: "line-and-dots",
      points: [
        [1, 0],
        [1250, 2],
      ],
    },
  ],
};
const [line] = figure.series;
const textsIn = (svg: string) => [...svg.matchAll(/<text [^>]*>([^<]*)</g)].map(([, text]) => text);
const isWrapped = (svg: string, title: string) => {
  const lines = [...svg.matchAll(/<text font-weight="600"[^>]*>([^<]*)</g)].map(([, text]) => text);
  expect(lines.join(" ")).toBe(title);
  return lines;
};

describe("a figure for a page of a paper", () => {
  test.each([85, 170])("%i mm wide has letters of 7 and 8 points", (width) => {
    const svg = figureSvg(figure, width);
    expect(svg).toMatch(new RegExp(`^<svg [^>]*width="${width}mm"`));
    const [, units] = /viewBox="0 0 ([\d.]+) /.exec(svg) ?? [];
    expect(Number(units)).toBeCloseTo((width / 25.4) * 72, 1);
    const sizes = [...svg.matchAll(/font-size(?:="|:)([\d.]+)/g)].map(([, size]) => Number(size));
    // Plot's own, which the style overrides.
    expect(new Set(sizes.filter((size) => size !== 10))).toEqual(new Set([7, 8]));
    expect(figureSvg(figure, width)).toBe(svg);
  });

  test("wraps titles that are wider than it", () => {
    for (const demonstration of theoryDemonstrations()) {
      const lines = isWrapped(demonstrationSvg(demonstration), demonstration.title);
      for (const text of lines) expect(textWidth(text, 8), text).toBeLessThan((85 / 25.4) * 72 - 8);
    }
    const title = "a long title ".repeat(16).trim();
    expect(isWrapped(figureSvg({ ...figure, title }, 85), title).length).toBeGreaterThan(1);
    expect(isWrapped(figureSvg({ ...figure, title }), title).length).toBeGreaterThan(1);
  });
});

test("a logarithmic x axis ends with the data", () => {
  const texts = textsIn(figureSvg(figure));
  expect(texts).toContain("10³");
  expect(texts).not.toContain("10⁴");
  const cx = [...figureSvg(figure).matchAll(/cx="([\d.]+)"/g)].map(([, x]) => Number(x));
  // 76 left of the axis and 32 right of it, of 800.
  expect(cx).toEqual([76, 800 - 32]);
});

test("an axis shows a range, and lines are cut at its edges", () => {
  const cut: Figure = { ...figure, y: { ...figure.y, within: [0, 1] } };
  const svg = figureSvg(cut, 85);
  expect(textsIn(svg)).toContain("1");
  expect(textsIn(svg)).not.toContain("2");
  expect(svg).toContain('<clipPath id="inside">');
  // Another picture in between changes nothing.
  figureSvg({ ...cut, title: "another" }, 85);
  expect(figureSvg(cut, 85)).toBe(svg);
  expect(figureSvg(figure, 85)).not.toContain("clipPath");
});

test("series choose their colours and dashes, and have intervals", () => {
  const svg = figureSvg({ ...figure, series: [line, { ...line, name: "two", colour: 0, dash: 1 }] });
  expect(svg).toContain(COLOURS[0]);
  expect(svg.replace(/<style>.*?<\/style>/s, "")).not.toContain(COLOURS[1]);
  expect(svg).toContain('stroke-dasharray="7 4"');
  const intervals = [
    [-1, 1],
    [1, 5],
  ] as const;
  const withBand = figureSvg({ ...figure, series: [{ ...line, intervals }] });
  expect(withBand).toContain('aria-label="area"');
  // The axis has room for them.
  expect(textsIn(withBand)).toEqual(expect.arrayContaining(["−1", "5"]));
});
