import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const docs = join(root, "docs");

interface Row {
  readonly equation: string;
  readonly named: Reference;
  readonly test: Reference;
}

interface Reference {
  readonly name: string;
  readonly file: string;
}

/** `name` in [text](path) */
function reference(cell: string): Reference {
  const match = /^`([^`]+)` in \[[^\]]+\]\(([^)]+)\)$/.exec(cell);
  if (match === null) throw new Error(`docs/paper.md: not a reference: ${cell}`);
  return { name: match[1], file: resolve(docs, match[2]) };
}

const rows: Row[] = readFileSync(join(docs, "paper.md"), "utf8")
  .split("\n")
  .filter((line) => line.startsWith("| ") && !line.startsWith("| Equation") && !line.startsWith("| ---"))
  .map((line) => {
    const cells = line.split("|").map((cell) => cell.trim());
    if (cells.length !== 6)
      throw new Error(`docs/paper.md: expected 4 cells, got ${cells.length - 2}: ${line}`);
    return { equation: cells[1], named: reference(cells[3]), test: reference(cells[4]) };
  });

/** The equation numbers in the comments of a folder, such as "(13)" or "(22–23)". */
function equationsNamedIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .flatMap((file) => readFileSync(join(folder, file), "utf8").split("\n"))
    .filter((line) => /^\s*(\/\*\*|\*)/.test(line))
    .flatMap((line) => line.match(/(?<![\w^])\(\d{1,2}(?:–\d{1,2})?\)/g) ?? []);
}

describe("docs/paper.md", () => {
  it("has a row for every numbered equation in the comments of the formulas", () => {
    const listed = new Set(rows.map(({ equation }) => equation));
    const named = ["math", "losses", "mdp", "theory"].flatMap((folder) =>
      equationsNamedIn(join(root, "packages/core/src", folder)),
    );
    expect(named.length).toBeGreaterThan(10);
    expect([...new Set(named)].filter((equation) => !listed.has(equation))).toEqual([]);
  });

  for (const { equation, named, test } of rows) {
    it(`${equation}: ${named.name} and its test exist`, async () => {
      expect(existsSync(named.file), `${named.file} exists`).toBe(true);
      const module: Record<string, unknown> = await import(pathToFileURL(named.file).href);
      expect(Object.keys(module)).toContain(named.name);
      expect(existsSync(test.file), `${test.file} exists`).toBe(true);
      expect(readFileSync(test.file, "utf8")).toContain(`it(${JSON.stringify(test.name)}`);
    });
  }
});
