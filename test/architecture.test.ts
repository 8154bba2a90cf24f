import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import {
  algorithmNames,
  defaultInWords,
  environmentIds,
  GridWorld,
  settingNames,
  trainSettings,
} from "softrl";
import { describe, expect, test } from "vitest";
import {
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
  test("make no cycle", () => {
    expect(importCycle(all)).toBeNull();
  });

  test("of core go down the floors of the house alone", () => {
    expect(upwardImports(core)).toEqual([]);
  });

  test("go through the packages' doors", () => {
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

describe("every package", () => {
  test.each(packageFolders)("%s has one door, with named exports only", (folder) => {
    const manifest: { exports: Record<string, Record<string, string>> } = JSON.parse(
      readFileSync(join(root, "packages", folder, "package.json"), "utf8"),
    );
    expect(Object.keys(manifest.exports)).toEqual(["."]);
    expect(manifest.exports["."]).toMatchObject({ "softrl-source": "./src/index.ts" });
    const door = sourcesOf(folder).find(({ path }) => path === `packages/${folder}/src/index.ts`);
    const statements = (door?.code ?? "").split(";").map((statement) => statement.trim());
    expect(statements.length).toBeGreaterThan(1);
    for (const statement of statements.filter((text) => text !== "")) {
      expect(statement).toMatch(/^export (type )?\{[^}]*\} from "\.[^"]*\.js"$/);
    }
  });

  test("exports by name", () => {
    expect(matching(all, /\bexport\s*\*/)).toEqual([]);
    expect(matching(all, /\bexport\s+default\b/)).toEqual([]);
  });

  test("has short files with telling names", () => {
    const names = all
      .map(({ path }) => path)
      .filter((path) => !/^[a-z0-9]+(-[a-z0-9]+)*(\.d)?\.ts$/.test(basename(path)));
    expect(names).toEqual([]);
    const vague = all.filter(({ path }) =>
      /^(utils?|helpers?|common|misc|types?)(\.d)?\.ts$/.test(basename(path)),
    );
    expect(vague.map(({ path }) => path)).toEqual([]);
    const long = all.filter(
      ({ path, lines }) => lines > 450 && !/^kernels-(threads-)?wasm\.ts$/.test(basename(path)),
    );
    expect(long.map(({ path, lines }) => `${path}: ${lines} lines`)).toEqual([]);
  });

  test("keeps its types", () => {
    expect(matching(all, /\bas any\b|:\s*any\b|<any>/)).toEqual([]);
    // A primitive's name, kernel and attributes belong together, which no generic type can say.
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
    // The command is on its way there.
    const others = all.filter(({ path }) => !path.startsWith("packages/cli/"));
    expect(matching(others, readsMessage)).toEqual([]);
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
  test("has exactly the floors of the house", () => {
    const folders = readdirSync(join(root, "packages/core/src"), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
    expect(folders.sort()).toEqual([...layers].sort());
  });

  test("takes exponentials and logarithms in math/logspace.ts alone", () => {
    expect(matching(core, /\bMath\.(exp|expm1|log|log1p|log2|log10)\b/)).toEqual([
      "packages/core/src/math/logspace.ts",
    ]);
  });

  test("has no clock, no chance but named streams, and no console", () => {
    expect(matching(core, /\bMath\.random\b|\bDate\b|\bperformance\b|\bconsole\b|\bsetTimeout\b/)).toEqual(
      [],
    );
  });

  test("depends on nothing", () => {
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
    const path = join(root, "packages/core/test", folder);
    const files = existsSync(path) ? readdirSync(path).filter((name) => name.endsWith(".test.ts")) : [];
    return files.map((name) => readFileSync(join(path, name), "utf8")).join("\n");
  };

  test.each(algorithmNames)("algorithm %s has a choice on the command line, a chapter and a test", (name) => {
    expect(trainSettings.algorithm.check("test", name)).toBe(name);
    expect(documented("algorithms.md")).toMatch(new RegExp(`^## .*\`${name}\``, "m"));
    expect(tests("algorithms")).toContain(`"${name}"`);
  });

  test.each(environmentIds)("environment %s has a chapter and a test", (id) => {
    expect(documented("environments.md")).toMatch(new RegExp(`^## .*\`${id}\``, "m"));
    expect(tests("envs")).toContain(`"${id}"`);
  });

  test("the grid world's letters have a row each, and its own layout is the one that stands there", () => {
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
    const layout = /one that is there unless given is `([^`]+)`/.exec(page)?.[1].split("/") ?? [];
    expect(new GridWorld({ layout }).mdp).toEqual(new GridWorld().mdp);
  });

  test.each(settingNames)("setting %s has a row in the table of settings", (name) => {
    const { option, description } = trainSettings[name];
    const long = /--[a-z-]+/.exec(option)?.[0] ?? "";
    const standard = defaultInWords(trainSettings[name]);
    expect(documented("settings.md")).toContain(
      `| \`${name}\` | \`${long}\` | ${standard} | ${description} |`,
    );
  });
});

describe("these rules", () => {
  const file = (path: string, text: string) => sourceFile(`packages/core/src/${path}`, text);

  test("see a cycle, through types and re-exports too", () => {
    const a = file("math/a.ts", 'import type { B } from "./b.js";');
    const b = file("math/b.ts", 'export {\n  C,\n} from "../base/c.js";');
    const c = file("base/c.ts", 'import { A } from "../math/a.js";');
    expect(importCycle([a, b])).toBeNull();
    expect(importCycle([a, b, c])).toEqual([a.path, b.path, c.path, a.path]);
  });

  test("see an import that goes up", () => {
    const up = file("math/a.ts", 'import { x } from "../nn/x.js";\nimport { y } from "../base/y.js";');
    expect(upwardImports([up])).toEqual(["packages/core/src/math/a.ts imports packages/core/src/nn/x.ts"]);
    expect(upwardImports([file("math/a.ts", 'import { readFileSync } from "node:fs";')])).toHaveLength(1);
    expect(upwardImports([file("math/a.ts", 'const x = await import("../envs/x.js");')])).toHaveLength(1);
  });

  test("see an import past a door", () => {
    const reaching = sourceFile(
      "packages/cli/src/a.ts",
      'import { x } from "softrl/src/x.js";\nimport { y } from "../../core/src/y.js";\nimport { z } from "softrl";',
    );
    expect(deepImports([reaching])).toHaveLength(2);
  });

  test("do not see comments", () => {
    expect(file("a.ts", '/* import "../x.js" */\n// import "../y.js"\nimport "./z.js";').imports).toEqual([
      "./z.js",
    ]);
  });
});
