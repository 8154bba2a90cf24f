import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { theoryDemonstrations } from "softrl";
import { describe, expect, test } from "vitest";
import { temporaryFolder } from "../../../test/temporary-folder.js";
import { demonstrationSvg, theoryFiles } from "../src/figures/theory-page.js";
import { expectRefusal, softrl, widest } from "./command.js";

const committed = fileURLToPath(new URL("../../../experiments/theory", import.meta.url));
const folder = temporaryFolder("theory");

const number = /-?\d+(?:\.\d+)?(?:e[-+]?\d+)?/g;

/** The same text, and the same numbers but for what another machine's exp and log may round. */
function expectAlike(found: string, expected: string, what: string, absolute: number): void {
  expect(found.replace(number, "#"), what).toBe(expected.replace(number, "#"));
  const numbers = (text: string) => (text.match(number) ?? []).map(Number);
  const others = numbers(expected);
  numbers(found).forEach((x, i) => {
    const apart = Math.abs(x - others[i]);
    expect(apart <= absolute + 1e-3 * Math.abs(others[i]), `${what}: ${x} for ${others[i]}`).toBe(true);
  });
}

describe("experiments/theory", () => {
  const files = theoryFiles(theoryDemonstrations(), 0);

  test("is what `softrl theory --out experiments/theory` writes, file by file", () => {
    expect(readdirSync(committed).sort()).toEqual([...files.keys()].sort());
    for (const [name, text] of files) {
      const there = readFileSync(join(committed, name), "utf8");
      if (name.endsWith(".md")) expect(text).toBe(there);
      else expectAlike(text, there, name, name.endsWith(".svg") ? 0.1 : 1e-12);
    }
  });

  test("shows each figure with its equation, on a page without LaTeX", () => {
    const page = files.get("README.md") ?? "";
    for (const { name, title, equation, section } of theoryDemonstrations()) {
      expect(page).toContain(`![${title}](${name}.svg)`);
      expect(page).toContain(equation);
      expect(page).toContain(section);
    }
    expect(page).not.toContain("$");
  });

  test("has figures with axes, a legend and a title, dark ones where the reader's system is dark", () => {
    for (const demonstration of theoryDemonstrations()) {
      const svg = demonstrationSvg(demonstration);
      // A title may take two lines.
      const texts = [...svg.matchAll(/<text [^>]*>([^<]*)</g)].map(([, text]) => text).join(" ");
      for (const words of [demonstration.title, demonstration.x.label, demonstration.y.label]) {
        expect(texts).toContain(words);
      }
      for (const { name } of demonstration.series) expect(svg).toContain(`>${name}</text>`);
      expect(svg).toContain("prefers-color-scheme:dark");
      expect(svg).not.toMatch(/NaN|undefined|Infinity/);
      expect(svg.length).toBeLessThan(30_000);
    }
  });
});

describe("softrl theory", () => {
  test("prints a table in which everything holds, and writes the page where it is told", async () => {
    const out = join(folder, "page");
    const { code, stdout } = await softrl(["theory", "--out", out], folder);
    expect(widest(stdout.split("\n\n")[0])).toBeLessThanOrEqual(60);
    expect(code).toBe(0);
    expect(stdout).not.toContain("FAILS");
    expect(stdout.match(/^holds/gm)?.length).toBe(
      theoryDemonstrations().reduce((count, { facts }) => count + facts.length, 0),
    );
    expect(readdirSync(out)).toContain("README.md");
    expect((await softrl(["theory", "--seed", "3", "--out", out], folder)).code).toBe(0);
    expect(readFileSync(join(out, "README.md"), "utf8")).toContain("3 on this page");
  });

  test("draws figures of a page's width", async () => {
    const out = join(folder, "wide");
    expect((await softrl(["theory", "--width", "170", "--out", out], folder)).code).toBe(0);
    expect(readFileSync(join(out, "lambda.svg"), "utf8")).toMatch(/^<svg [^>]*width="170mm"/);
    const run = await softrl(["theory", "--width", "3", "--out", out], folder);
    expectRefusal(run, 1, /--width: invalid value, expected millimetres in \[60, 600\], got "3"/);
  });

  test("overwrites nobody's files", async () => {
    const taken = join(folder, "taken");
    mkdirSync(taken);
    writeFileSync(join(taken, "README.md"), "mine");
    const run = await softrl(["theory", "--out", taken], folder);
    expectRefusal(run, 1, /--out: the folder is not empty.*got README.md/);
    expect(readdirSync(taken)).toEqual(["README.md"]);
    expect(readFileSync(join(taken, "README.md"), "utf8")).toBe("mine");
  });

  test("gives every number as JSON, and other ones for another seed", async () => {
    const json = async (seed: string) =>
      JSON.parse((await softrl(["theory", "--json", "--seed", seed], folder)).stdout) as unknown;
    expect(await json("0")).toEqual(JSON.parse(JSON.stringify(theoryDemonstrations())));
    expect(await json("5")).not.toEqual(await json("0"));
  });

  test("refuses an invalid seed, and a folder that is a file", async () => {
    const seed = await softrl(["theory", "--seed", "1.5"], folder);
    expect(seed.code).toBe(1);
    expect(seed.stderr).toContain("--seed: invalid seed, expected a non-negative integer, got 1.5");
    const file = join(folder, "file");
    writeFileSync(file, "");
    const out = await softrl(["theory", "--out", file], folder);
    expect(out.code).toBe(1);
    expect(out.stderr).toContain("cannot be written, got");
  });
});
