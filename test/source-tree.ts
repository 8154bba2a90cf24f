import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("..", import.meta.url));

/** One source file, as the tests of the architecture need it. */
export interface SourceFile {
  /** Relative to the root of the repository, with slashes. */
  readonly path: string;
  readonly lines: number;
  /** The source without comments. */
  readonly code: string;
  /** The specifiers of all imports and re-exports. */
  readonly imports: readonly string[];
}

export function sourceFile(path: string, text: string): SourceFile {
  const code = text.replaceAll(/\/\*[\s\S]*?\*\//g, "").replaceAll(/^\s*\/\/.*$/gm, "");
  const statements = code.matchAll(
    /(?:^|;|\n)\s*(?:import|export)\s[^"';]*?\bfrom\s*"([^"]+)"|\bimport\s*\(\s*"([^"]+)"|(?:^|\n)\s*import\s+"([^"]+)"/g,
  );
  const imports = [...statements].map(([, from, dynamic, bare]) => from ?? dynamic ?? bare ?? "");
  return { path, lines: text.split("\n").length, code, imports };
}

/** The folders of the packages in packages/. */
export const packageFolders: readonly string[] = readdirSync(join(root, "packages")).filter((name) =>
  existsSync(join(root, "packages", name, "package.json")),
);

/** The sources of one package. */
export function sourcesOf(folder: string): SourceFile[] {
  const src = join(root, "packages", folder, "src");
  if (!existsSync(src)) return [];
  return readdirSync(src, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .sort()
    .map((name) => {
      const path = relative(root, join(src, name)).replaceAll("\\", "/");
      return sourceFile(path, readFileSync(join(root, path), "utf8"));
    });
}

/** The file that a relative specifier refers to. */
export function resolved(from: string, specifier: string): string {
  return join(dirname(from), specifier).replaceAll("\\", "/").replace(/\.js$/, ".ts");
}

/** The first import cycle among these files, from a file back to itself; null if there is none. */
export function importCycle(files: readonly SourceFile[]): readonly string[] | null {
  const imports = new Map(
    files.map(({ path, imports }) => [
      path,
      imports.filter((specifier) => specifier.startsWith(".")).map((specifier) => resolved(path, specifier)),
    ]),
  );
  const finished = new Set<string>();
  const visit = (path: string, trail: readonly string[]): readonly string[] | null => {
    const start = trail.indexOf(path);
    if (start >= 0) return [...trail.slice(start), path];
    if (finished.has(path)) return null;
    for (const next of imports.get(path) ?? []) {
      const cycle = visit(next, [...trail, path]);
      if (cycle !== null) return cycle;
    }
    finished.add(path);
    return null;
  };
  for (const { path } of files) {
    const cycle = visit(path, []);
    if (cycle !== null) return cycle;
  }
  return null;
}

/** The layers of core, lowest first: a folder only imports from folders above it in this list. */
export const layers: readonly string[] = [
  "base",
  "math",
  "tensor",
  "nn",
  "optim",
  "losses",
  "mdp",
  "theory",
  "envs",
  "data",
  "algorithms",
  "experiment",
];

/** The imports of core from a higher layer, or from a folder that is not a layer. */
export function upwardImports(files: readonly SourceFile[]): string[] {
  const layer = (path: string) => {
    const folder = /^packages\/core\/src\/([^/]+)\//.exec(path)?.[1];
    return layers.indexOf(folder ?? "");
  };
  return files
    .filter(({ path }) => basename(path) !== "index.ts" && !path.endsWith(".d.ts"))
    .flatMap(({ path, imports }) =>
      imports
        .map((specifier) => (specifier.startsWith(".") ? resolved(path, specifier) : specifier))
        .filter((target) => layer(target) < 0 || layer(target) > layer(path))
        .map((target) => `${path} imports ${target}`),
    );
}

/** Imports that bypass the entry point of another package, or that leave the sources of the package. */
export function deepImports(files: readonly SourceFile[]): string[] {
  return files.flatMap(({ path, imports }) => {
    const home = path.split("/").slice(0, 3).join("/");
    return imports
      .filter((specifier) =>
        specifier.startsWith(".")
          ? !resolved(path, specifier).startsWith(`${home}/`)
          : /^(softrl|@softrl\/[^/]+)\//.test(specifier),
      )
      .map((specifier) => `${path} imports ${specifier}`);
  });
}

/** The lines that differ between two texts, as `diff` shows them: those outside a longest common subsequence. */
export function changedLines(
  before: readonly string[],
  after: readonly string[],
): { readonly removed: readonly string[]; readonly added: readonly string[] } {
  // longest[i][j]: the length of a longest common subsequence of before[i…] and after[j…].
  const longest = Array.from({ length: before.length + 1 }, () =>
    new Array<number>(after.length + 1).fill(0),
  );
  for (let i = before.length - 1; i >= 0; i--) {
    for (let j = after.length - 1; j >= 0; j--) {
      longest[i][j] =
        before[i] === after[j] ? longest[i + 1][j + 1] + 1 : Math.max(longest[i + 1][j], longest[i][j + 1]);
    }
  }
  const [removed, added]: string[][] = [[], []];
  let [i, j] = [0, 0];
  while (i < before.length || j < after.length) {
    if (i < before.length && j < after.length && before[i] === after[j]) {
      i++;
      j++;
    } else if (j === after.length || (i < before.length && longest[i + 1][j] >= longest[i][j + 1])) {
      removed.push(before[i++]);
    } else added.push(after[j++]);
  }
  return { removed, added };
}
