import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Application, ReflectionKind, TSConfigReader } from "typedoc";
import { packages, root } from "./packages.js";

/** @typedef {{ path: string, text: string }} MarkdownFile */

/**
 * The API reference as Markdown: a file for each export of a published package, made from its docstring by TypeDoc. A
 * package `@softrl/node` has the folder `node`.
 * @param {string} folder where TypeDoc may write
 * @returns {Promise<MarkdownFile[]>}
 * @throws Error if the sources do not compile.
 */
export async function referenceFiles(folder) {
  /** @type {Partial<import("typedoc").TypeDocOptions & import("typedoc-plugin-markdown").PluginOptions>} */
  const options = {
    entryPoints: packages.map((one) => join(root, "packages", one.folder, "src/index.ts")),
    tsconfig: join(import.meta.dirname, "reference.tsconfig.json"),
    plugin: [fileURLToPath(import.meta.resolve("typedoc-plugin-markdown"))],
    out: folder,
    readme: "none",
    name: "softrl",
    disableSources: true,
    excludePrivate: true,
    excludeInternal: true,
    excludeScopesInPaths: true,
    sanitizeComments: true,
    hidePageHeader: true,
    hideBreadcrumbs: true,
    indexFormat: "table",
    parametersFormat: "table",
    typeDeclarationFormat: "table",
    typeDeclarationVisibility: "compact",
    pageTitleTemplates: { member: "{name}" },
    logLevel: "Error",
  };
  const app = await Application.bootstrapWithPlugins(options, [new TSConfigReader()]);
  const project = await app.convert();
  if (project === undefined) throw new Error("the sources do not compile with the TypeScript of TypeDoc");
  for (const module of project.children ?? []) {
    const found = packages.find(({ folder: name }) => module.name.includes(`${name}/src`));
    if (found !== undefined) module.name = found.name;
  }
  // A parameter that is taken apart has no name of its own.
  for (const parameter of project.getReflectionsByKind(ReflectionKind.Parameter))
    if (parameter.name === "__namedParameters") parameter.name = "options";
  await app.generateOutputs(project);
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((path) => path.replaceAll("\\", "/"))
    .filter((path) => path.endsWith(".md") && path !== "README.md")
    .map((path) => ({ path, text: narrowTables(readFileSync(join(folder, path), "utf8")) }));
}

const blank = (/** @type {string} */ cell) => ["", "-", "`undefined`"].includes(cell.trim());

/**
 * Tables for narrow screens: a default value stands beside its type, cells are empty where TypeDoc has nothing, and there is
 * no column without a cell.
 * @param {string} text
 */
export function narrowTables(text) {
  return text.replaceAll(/(?:^\| .*\n)+/gm, (table) => {
    const rows = table
      .trimEnd()
      .split("\n")
      .map((row) => row.split(/(?<!\\)\|/).slice(1, -1));
    const defaults = rows[0].findIndex((cell) => cell.trim() === "Default value");
    const isRow = (/** @type {number} */ i) => i > 1;
    if (defaults > 0) {
      for (const row of rows.filter((_, i) => isRow(i))) {
        if (!blank(row[defaults])) row[defaults - 1] = `${row[defaults - 1]}= ${row[defaults].trimStart()}`;
        row[defaults] = "";
      }
    }
    const kept = rows[0].map((_, column) => rows.some((row, i) => isRow(i) && !blank(row[column])));
    const written = rows.map((row) => {
      const cells = row.filter((_, column) => kept[column]).map((cell) => (blank(cell) ? "  " : cell));
      return `|${cells.join("|")}|\n`;
    });
    return written.join("");
  });
}
