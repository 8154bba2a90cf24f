import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { readDefinition, readResults } from "@softrl/cli";
import { describe, expect, test } from "vitest";
import { withResults } from "../docs/results-tables.js";
import { withCosts } from "../docs/scale.js";
import { meansTable } from "../experiments/means-table.js";

const root = join(import.meta.dirname, "..");
const text = (path: string) => readFileSync(join(root, path), "utf8");

describe("published results", () => {
  test("README.md's table is that of the committed runs", async () => {
    expect(await withResults(text("README.md")), "npm run docs writes it").toBe(text("README.md"));
    const changed = text("README.md").replace(/\*\*48\.6\*\*/, "**50**");
    expect(changed).not.toBe(text("README.md"));
    expect(await withResults(changed)).toBe(text("README.md"));
  });

  test("docs/scale.md's tables are those of the definitions and the measurements", async () => {
    const scale = text("docs/scale.md");
    expect(await withCosts(scale), "npm run docs writes it").toBe(scale);
    const changed = scale.replace(/core-seconds of Redis \| [\d.]+/, "core-seconds of Redis | 0");
    expect(changed).not.toBe(scale);
    expect(await withCosts(changed)).toBe(scale);
  });

  const folders = readdirSync(join(root, "experiments"), { recursive: true, encoding: "utf8" })
    .filter((path) => basename(path) === "results.csv")
    .map((path) => join("experiments", dirname(path)))
    .sort();

  test.each(folders)("the table of %s is that of its committed runs", async (folder) => {
    const readme = join(folder, "README.md");
    expect(existsSync(join(root, readme)), readme).toBe(true);
    const table = meansTable(await readDefinition(join(root, folder)), [
      ...readResults(join(root, folder)).values(),
    ]);
    expect(text(readme), `node experiments/report.js ${folder} writes it`).toContain(table.join("\n"));
  });
});
