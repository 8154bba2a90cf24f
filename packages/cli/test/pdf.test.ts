import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { inflateSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { temporaryFolder } from "../../../test/temporary-folder.js";
import { paperFigureSvg } from "../src/figures/paper-figure.js";
import { pdfOf } from "../src/figures/pdf.js";
import { runFigure } from "../src/plots/run-figure.js";
import { expectRefusal, softrl } from "./command.js";

const place = temporaryFolder("pdf");
const runs = ["one", "Größe τ"].flatMap((variant, v) =>
  [0, 1, 2].map((s) => {
    const curve = { steps: [100, 200], meanReturns: [s, 10 * (s + v)] };
    return { variant, environment: "X", seed: String(s), curve, score: 10 * (s + v) };
  }),
);
const svgOf = (kind: "curves" | "bars" | "profile") =>
  paperFigureSvg(runFigure(runs, { kind, statistic: "mean", width: 85, theme: "light" }));
const textOf = (pdf: Uint8Array) => Buffer.from(pdf).toString("latin1");

/** Where the cross-reference table says that objects begin: a reader finds every object by it. */
function offsetsOf(text: string): readonly number[] {
  const start = Number(/startxref\n(\d+)\n%%EOF\s*$/.exec(text)?.[1]);
  const table = /^xref\n0 (\d+)\n((?:\d{10} \d{5} [nf] ?\n)+)/.exec(text.slice(start));
  if (table === null) throw new Error("there is no cross-reference table at startxref");
  const [, count, lines] = table;
  const rows = lines.trimEnd().split("\n");
  expect(rows).toHaveLength(Number(count));
  return rows.slice(1).map((row) => Number(row.slice(0, 10)));
}

/** The contents of the streams that are compressed. */
function streamsOf(pdf: Uint8Array): readonly string[] {
  const text = textOf(pdf);
  return [...text.matchAll(/\/Length (\d+)\n\/Filter \/FlateDecode\n>>\nstream\n/g)].map((found) => {
    const start = found.index + found[0].length;
    return inflateSync(pdf.subarray(start, start + Number(found[1]))).toString("latin1");
  });
}

describe("a figure as PDF", () => {
  test.each(["curves", "bars", "profile"] as const)("as %s is one page of its size", async (kind) => {
    const svg = svgOf(kind);
    const pdf = await pdfOf(svg);
    const text = textOf(pdf);
    expect(text).toMatch(/^%PDF-1\.\d\n/);
    for (const [i, offset] of offsetsOf(text).entries()) {
      expect(text.slice(offset)).toMatch(new RegExp(`^${i + 1} 0 obj\n`));
    }
    expect(text).toContain("/Count 1");
    const [, width, height] = /viewBox="0 0 ([\d.]+) ([\d.]+)"/.exec(svg) ?? [];
    // 85 mm are 240.94 points.
    expect(Number(width)).toBeCloseTo((85 / 25.4) * 72, 2);
    expect(text).toContain(`/MediaBox [0 0 ${width} ${height}]`);
  });

  test("has text and vectors, in fonts that are embedded", async () => {
    const pdf = await pdfOf(svgOf("curves"));
    const text = textOf(pdf);
    // The Greek letter is in another part of the font.
    expect(text.match(/\/FontFile2 /g)).toHaveLength(2);
    expect(text).toContain("+Arimo-Regular");
    expect(text).not.toContain("/Subtype /Image");
    const [page] = streamsOf(pdf).filter((stream) => stream.includes(" Tf"));
    expect(page).toMatch(/ l\n.*S\n/s);
    expect(page).toMatch(/\[3\.5 2\] 0 d/);
    // Nothing but its parts stands between a path and its painting.
    let isPath = false;
    for (const operator of page.split("\n").map((line) => line.split(" ").at(-1) ?? "")) {
      if (isPath) expect(operator).toMatch(/^(?:m|l|c|h|re|f|S|B)$/);
      if (operator === "m" || operator === "re") isPath = true;
      if (/^[fSB]$/.test(operator)) isPath = false;
    }
  });

  test("has the same bytes again", async () => {
    const [one, other] = [await pdfOf(svgOf("bars")), await pdfOf(svgOf("bars"))];
    expect(Buffer.compare(one, other)).toBe(0);
  });

  test("with a part that cannot be drawn is refused rather than left incomplete", async () => {
    const odd = (inner: string) => pdfOf(`<svg viewBox="0 0 9 9">${inner}</svg>`);
    await expect(odd("<ellipse></ellipse>")).rejects.toThrow("<ellipse> cannot be drawn in a PDF");
    await expect(odd('<g transform="scale(2)"></g>')).rejects.toThrow("scale(…) cannot be drawn in a PDF");
  });
});

test("softrl plot writes a PDF", async () => {
  writeFileSync(
    join(place, "curves.csv"),
    "variant,environment,seed,step,meanReturn\nA,X,1,10,1\nA,X,1,20,2\n",
  );
  const run = await softrl(["plot", "curves.csv", "--out", "f.pdf", "--json"], place);
  expect(JSON.parse(run.stdout)).toEqual({ out: "f.pdf", runs: 1 });
  expect(readFileSync(join(place, "f.pdf"), "latin1")).toMatch(/^%PDF-.*%%EOF\s*$/s);
  const auto = await softrl(["plot", "curves.csv", "--out", "g.pdf", "--theme", "auto"], place);
  expectRefusal(auto, 1, /--theme: a PDF has one theme, expected light or dark/);
});
