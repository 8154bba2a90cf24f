import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { builtInAlgorithms, builtInNetworks, builtInOptimisers, environmentIds, GridWorld } from "softrl";
import { describe, expect, test } from "vitest";
import { documentedSettings, settingsTable, withTables } from "../docs/settings-tables.js";
import {
  changedLines,
  deepImports,
  importCycle,
  layers,
  packageFolders,
  root,
  sourceFile,
  sourcesOf,
  upwardImports,
} from "./source-tree.js";

const core = sourcesOf("core");
const all = packageFolders.flatMap(sourcesOf);
const matching = (files: typeof all, pattern: RegExp) =>
  files.filter(({ code }) => pattern.test(code)).map(({ path }) => path);

describe("imports", () => {
  test("have no cycle", () => {
    expect(importCycle(all)).toBeNull();
  });

  test("of core only go to lower layers", () => {
    expect(upwardImports(core)).toEqual([]);
  });

  test("of other packages use their entry points", () => {
    expect(deepImports(all)).toEqual([]);
  });

  test("name files that exist", () => {
    const missing = all.flatMap(({ path, imports }) =>
      imports
        .filter((specifier) => specifier.startsWith("."))
        .filter((specifier) => !specifier.endsWith(".js"))
        .map((specifier) => `${path}: ${specifier}`),
    );
    expect(missing).toEqual([]);
  });
});

// What a package exports beside its entry point: files that are not code.
const assets: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  core: {
    "./kernels.wasm": "./dist/kernels.wasm",
    "./kernels-threads.wasm": "./dist/kernels-threads.wasm",
    "./kernels-relaxed.wasm": "./dist/kernels-relaxed.wasm",
    "./kernels-relaxed-threads.wasm": "./dist/kernels-relaxed-threads.wasm",
  },
};

describe("every package", () => {
  test.each(packageFolders)("%s has one entry point, with named exports only", (folder) => {
    const manifest: { exports: Record<string, unknown> } = JSON.parse(
      readFileSync(join(root, "packages", folder, "package.json"), "utf8"),
    );
    const { ".": entry, ...others } = manifest.exports;
    expect(others).toEqual(assets[folder] ?? {});
    expect(entry).toMatchObject({ "softrl-source": "./src/index.ts" });
    const entryPoint = sourcesOf(folder).find(({ path }) => path === `packages/${folder}/src/index.ts`);
    const statements = (entryPoint?.code ?? "").split(";").map((statement) => statement.trim());
    expect(statements.length).toBeGreaterThan(1);
    for (const statement of statements.filter((text) => text !== "")) {
      expect(statement).toMatch(/^export (type )?\{[^}]*\} from "\.[^"]*\.js"$/);
    }
  });

  test("exports by name", () => {
    expect(matching(all, /\bexport\s*\*/)).toEqual([]);
    expect(matching(all, /\bexport\s+default\b/)).toEqual([]);
  });

  test("has short files with descriptive names", () => {
    const names = all
      .map(({ path }) => path)
      .filter((path) => !/^[a-z0-9]+(-[a-z0-9]+)*(\.d)?\.ts$/.test(basename(path)));
    expect(names).toEqual([]);
    const vague = all.filter(({ path }) =>
      /^(utils?|helpers?|common|misc|types?)(\.d)?\.ts$/.test(basename(path)),
    );
    expect(vague.map(({ path }) => path)).toEqual([]);
    const long = all.filter(
      ({ path, lines }) =>
        lines > 450 && !/^(index|kernels-(relaxed-)?(threads-)?wasm)\.ts$/.test(basename(path)),
    );
    expect(long.map(({ path, lines }) => `${path}: ${lines} lines`)).toEqual([]);
  });

  test("keeps its types", () => {
    expect(matching(all, /\bas any\b|:\s*any\b|<any>/)).toEqual([]);
    // No generic type can express that name, kernel and attributes of a primitive belong together.
    expect(matching(all, /\bas unknown as\b/)).toEqual(["packages/core/src/tensor/tensor.ts"]);
    const excused = all.filter(({ path }) =>
      /@ts-(ignore|nocheck|expect-error)/.test(readFileSync(join(root, path), "utf8")),
    );
    expect(excused.map(({ path }) => path)).toEqual([]);
  });
});

describe("errors", () => {
  // An error's message is for people: its code, class and details are for programs.
  const readsMessage =
    /\.message\??\.(includes|startsWith|endsWith|match|matchAll|search|indexOf|slice)\(|\.(test|exec)\([^()]*\.message\b/;

  test("are told apart by their code: no control flow reads a message", () => {
    expect(matching(all, readsMessage)).toEqual([]);
  });

  test("that are told apart by their message would be found", () => {
    for (const code of [
      'if (error.message.includes("unknown")) return;',
      "if (/cannot be made/.test(error.message)) return;",
      "const what = error.message.slice(error.where.length + 2);",
    ]) {
      expect(code).toMatch(readsMessage);
    }
    expect('fail(where, "it broke", { got: error.message })').not.toMatch(readsMessage);
  });
});

describe("core", () => {
  test("has exactly these layers", () => {
    const folders = readdirSync(join(root, "packages/core/src"), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
    expect(folders.sort()).toEqual([...layers].sort());
  });

  test("computes exponentials and logarithms only in math/logspace.ts", () => {
    expect(matching(core, /\bMath\.(exp|expm1|log|log1p|log2|log10)\b/)).toEqual([
      "packages/core/src/math/logspace.ts",
    ]);
  });

  test("calls no function whose last digit depends on the engine, but where no training reads it", () => {
    expect(matching(core, /\bMath\.(a?sinh?|a?cosh?|a?tanh?|atan2|cbrt|hypot|pow)\b/)).toEqual([
      "packages/core/src/envs/classic-control/cart-pole.ts", // its picture
      "packages/core/src/envs/classic-control/mountain-car.ts", // its picture
      "packages/core/src/math/linear-algebra-least-squares.ts", // the identities
      "packages/core/src/math/trigonometric.ts", // huge angles
      "packages/core/src/tensor/primitives/elementwise.ts", // the reference executor
    ]);
  });

  test("uses no clock, no console, and randomness only from named streams", () => {
    expect(matching(core, /\bMath\.random\b|\bDate\b|\bperformance\b|\bconsole\b|\bsetTimeout\b/)).toEqual(
      [],
    );
  });

  test("has no dependencies", () => {
    const manifest: Record<string, unknown> = JSON.parse(
      readFileSync(join(root, "packages/core/package.json"), "utf8"),
    );
    expect(manifest.dependencies ?? {}).toEqual({});
    expect(core.flatMap(({ imports }) => imports).filter((specifier) => !specifier.startsWith("."))).toEqual(
      [],
    );
  });
});

describe("every entry of a registry", () => {
  const documented = (file: string) => readFileSync(join(root, "docs", file), "utf8");
  const tests = (folder: string) => {
    const files = readdirSync(join(root, "packages/core/test", folder), {
      recursive: true,
      encoding: "utf8",
    });
    return files
      .filter((name) => name.endsWith(".test.ts"))
      .map((name) => readFileSync(join(root, "packages/core/test", folder, name), "utf8"))
      .join("\n");
  };
  const names = (kinds: readonly { readonly name: string }[]) => kinds.map(({ name }) => name);

  test.each(names(builtInAlgorithms))("algorithm %s has a chapter and a test", (name) => {
    expect(documented("algorithms.md")).toMatch(new RegExp(`^## .*\`${name}\``, "m"));
    expect(tests("algorithms")).toMatch(new RegExp(`["\`]${name}["\`]`));
  });

  test.each(names([...builtInNetworks, ...builtInOptimisers]))(
    "%s has a section of settings and a test",
    (name) => {
      expect(documented("settings.md")).toContain(`### \`${name}\`\n`);
      expect(tests("")).toMatch(new RegExp(`\\b${name}\\b`));
    },
  );

  test("every kind is described, and has a name of its own", () => {
    const kinds = [...builtInAlgorithms, ...builtInNetworks, ...builtInOptimisers];
    expect(new Set(names(kinds)).size).toBe(kinds.length);
    for (const { name, about } of kinds) {
      expect(name).toMatch(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/);
      expect(about, "one line without a full stop").toMatch(/^[^\n]*[^.\n]$/);
    }
  });

  test.each(environmentIds)("environment %s has a chapter and a test", (id) => {
    expect(documented("environments.md")).toMatch(new RegExp(`^## .*\`${id}\``, "m"));
    expect(tests("envs")).toContain(`"${id}"`);
  });

  test("the page of environments has a row for each letter of the grid world, and its default layout", () => {
    const page = documented("environments.md");
    const taken = Array.from({ length: 94 }, (_, i) => String.fromCharCode(33 + i)).filter((letter) => {
      try {
        return new GridWorld({ layout: [`S${letter}`] }).mdp.states > 0;
      } catch {
        return false;
      }
    });
    const rows = Array.from(page.matchAll(/^\| `(.)` \|/gm), ([, letter]) => letter);
    expect(rows.sort()).toEqual(taken);
    const layout = /default layout is `([^`]+)`/.exec(page)?.[1].split("/") ?? [];
    expect(new GridWorld({ layout }).mdp).toEqual(new GridWorld().mdp);
  });

  test("every setting has a row in the tables of settings, in one line, with its present default", () => {
    const page = documented("settings.md");
    expect(withTables(page), "npm run docs writes the tables").toBe(page);
    for (const [name, settings] of documentedSettings()) {
      const rows = settingsTable(settings).split("\n").slice(2);
      expect(rows, name).toHaveLength(Object.keys(settings).length);
      for (const row of rows)
        expect(row).toMatch(/^\| `\w+`( \(live\))? \| `--[a-z0-9-]+` \| .+ \| .+ \| .*\|$/);
    }
  });
});

test("a test that replaces modules has modules of its own, which its name asks for", () => {
  const files = readdirSync(join(root, "packages"), { recursive: true, encoding: "utf8" })
    .map((path) => path.replaceAll("\\", "/"))
    .filter((path) => /^\w+\/test\/.*\.test\.ts$/.test(path));
  expect(files.length).toBeGreaterThan(100);
  const replacing = files.filter((path) =>
    /\bvi\.(mock|doMock|resetModules)\(/.test(readFileSync(join(root, "packages", path), "utf8")),
  );
  const isolated = files.filter((path) => /\.(isolated|long|python)\.test\.ts$/.test(path));
  expect(replacing.filter((path) => !isolated.includes(path))).toEqual([]);
  expect(replacing.length).toBeGreaterThan(0);
});

describe("the theorem, as a difference of two files", () => {
  const lines = (name: string) =>
    readFileSync(join(root, "packages/core/src/algorithms", `${name}.ts`), "utf8")
      .trimEnd()
      .split("\n");

  test("A2C and soft Q-learning are short, and differ in their targets and their loss", () => {
    const [a2c, softQ] = [lines("a2c"), lines("soft-q-learning")];
    expect(a2c.length).toBeLessThanOrEqual(80);
    expect(softQ.length).toBeLessThanOrEqual(80);
    const { removed, added } = changedLines(a2c, softQ);
    expect(removed.length, removed.join("\n")).toBeLessThanOrEqual(20);
    expect(added.length, added.join("\n")).toBeLessThanOrEqual(20);
  });
});

describe("these rules", () => {
  const file = (path: string, text: string) => sourceFile(`packages/core/src/${path}`, text);

  test("detect a cycle, even through types and re-exports", () => {
    const a = file("math/a.ts", 'import type { B } from "./b.js";');
    const b = file("math/b.ts", 'export {\n  C,\n} from "../base/c.js";');
    const c = file("base/c.ts", 'import { A } from "../math/a.js";');
    expect(importCycle([a, b])).toBeNull();
    expect(importCycle([a, b, c])).toEqual([a.path, b.path, c.path, a.path]);
  });

  test("detect an import from a higher layer", () => {
    const up = file("math/a.ts", 'import { x } from "../nn/x.js";\nimport { y } from "../base/y.js";');
    expect(upwardImports([up])).toEqual(["packages/core/src/math/a.ts imports packages/core/src/nn/x.ts"]);
    expect(upwardImports([file("math/a.ts", 'import { readFileSync } from "node:fs";')])).toHaveLength(1);
    expect(upwardImports([file("math/a.ts", 'const x = await import("../envs/x.js");')])).toHaveLength(1);
  });

  test("detect an import that bypasses an entry point", () => {
    const reaching = sourceFile(
      "packages/cli/src/a.ts",
      'import { x } from "softrl/src/x.js";\nimport { y } from "../../core/src/y.js";\nimport { z } from "softrl";',
    );
    expect(deepImports([reaching])).toHaveLength(2);
  });

  test("ignore comments", () => {
    expect(file("a.ts", '/* import "../x.js" */\n// import "../y.js"\nimport "./z.js";').imports).toEqual([
      "./z.js",
    ]);
  });

  test("count the lines that two texts do not share", () => {
    const [before, after] = [
      ["a", "b", "c", "d"],
      ["a", "c", "x", "d", "y"],
    ];
    expect(changedLines(before, after)).toEqual({ removed: ["b"], added: ["x", "y"] });
    expect(changedLines(before, before)).toEqual({ removed: [], added: [] });
  });

  test("refuse a page that lacks a table, or has one of no settings", () => {
    expect(() => withTables("")).toThrow("no table of run");
    expect(() => withTables("<!-- settings of dream -->\n<!-- end -->")).toThrow(
      "dream, which has no settings",
    );
    const page = readFileSync(join(root, "docs/settings.md"), "utf8").replace(
      "<!-- defaults of algorithms -->",
      "",
    );
    expect(() => withTables(page)).toThrow("no table of the algorithms' defaults");
  });
});
