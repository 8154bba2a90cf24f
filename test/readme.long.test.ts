import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findPython } from "@softrl/gymnasium";
import { transformWithEsbuild } from "vite";
import { beforeAll, describe, expect, test } from "vitest";
import { softrl } from "../packages/cli/test/command.js";
import { root } from "./source-tree.js";
import { temporaryFolder } from "./temporary-folder.js";

/** Fewer steps than in the README; commander uses the last of several options. */
const FEW_STEPS = ["--steps", "640"];
/** How often a run was extended: the pages name the same one, and each extends it further. */
let extensions = 0;
const fewMoreSteps = (): readonly string[] => ["--steps", String(640 * (1 + ++extensions))];

interface Block {
  readonly file: string;
  readonly line: number;
  readonly language: string;
  /** The file that a reader saves it as, where the page names one. */
  readonly name: string | null;
  readonly text: string;
}

const tsc = join(root, "node_modules/.bin/tsc");
const readmes = [
  "README.md",
  "docs/first-run.md",
  "docs/reading-a-run.md",
  "docs/extend.md",
  "docs/checkpoints.md",
  "docs/export.md",
  ...readdirSync(join(root, "packages")).map((name) => `packages/${name}/README.md`),
].filter((file) => existsSync(join(root, file)));
const blocks = readmes.flatMap((file) => blocksOf(file, readFileSync(join(root, file), "utf8")));
const scriptsOf = (workspace: string): readonly string[] =>
  Object.keys(JSON.parse(readFileSync(join(root, workspace, "package.json"), "utf8")).scripts);

const place = temporaryFolder("readme");
let gymnasium = false;
beforeAll(async () => {
  symlinkSync(join(root, "node_modules"), join(place, "node_modules"));
  // Like the root package.json, which makes its files modules.
  writeFileSync(join(place, "package.json"), '{"type":"module"}');
  writeFileSync(
    join(place, "example.ts"),
    blocks.find(({ file, language }) => file === "README.md" && language === "ts")?.text ?? "",
  );
  const named = blocks.filter(({ name }) => name !== null);
  for (const { name, text } of named) writeFileSync(join(place, name ?? ""), text);
  compile(
    named.map(({ name }) => name ?? ""),
    { outDir: place, rewriteRelativeImportExtensions: false },
  );
  gymnasium = await findPython({}).then(
    () => true,
    () => false,
  );
});

/** Compiles files of the readme's place as a user's own project would; gives the compiler's messages. */
function compile(files: readonly string[], options: Readonly<Record<string, unknown>>): string {
  const project = {
    extends: join(root, "tsconfig.base.json"),
    compilerOptions: {
      composite: false,
      declaration: false,
      declarationMap: false,
      sourceMap: false,
      noUnusedLocals: false,
      lib: ["ES2023", "DOM"],
      types: [],
      ...options,
    },
    files,
  };
  writeFileSync(join(place, "tsconfig.json"), JSON.stringify(project));
  return spawnSync(tsc, ["-p", join(place, "tsconfig.json")], { cwd: root, encoding: "utf8" }).stdout;
}

/** The fenced code blocks of a page. */
function blocksOf(file: string, page: string): Block[] {
  const found: Block[] = [];
  for (const match of page.matchAll(/^```(\w*)(?: ([\w.-]+))?\n([\s\S]*?)^```$/gm)) {
    const line = page.slice(0, match.index).split("\n").length;
    found.push({ file, line, language: match[1], name: match[2] ?? null, text: match[3] });
  }
  return found;
}

/** A program that needs Gymnasium may instead report that it is missing. */
function expectSuccess(status: number | null, stderr: string, needsGymnasium = false): void {
  if (needsGymnasium && !gymnasium) {
    expect(stderr).toMatch(/softrl setup gymnasium/);
    expect(status).not.toBe(0);
  } else {
    expect(stderr).not.toMatch(/softrl:|Error/);
    expect(status).toBe(0);
  }
}

/** Runs a program in the temporary folder. */
function expectToRun(program: string, args: readonly string[], needsGymnasium = false): void {
  const { status, stderr } = spawnSync(program, args, { cwd: place, encoding: "utf8", timeout: 120_000 });
  expectSuccess(status, stderr, needsGymnasium);
}

/** Runs one line of a shell block; fails for commands that this test does not know. */
async function runShellLine(line: string): Promise<void> {
  for (const command of line.split("&&").map((part) => part.trim())) {
    const words = command.replace(/\s+#.*$/, "").split(/\s+/);
    const [program, ...args] = words[0] === "npx" ? words.slice(1) : words;
    if (program === "npm") {
      const script = args[0] === "run" ? args[1] : args[0];
      const workspace = args.includes("-w") ? args[args.indexOf("-w") + 1] : ".";
      if (script !== "ci" && script !== "install") expect(scriptsOf(workspace), line).toContain(script);
    } else if (program === "softrl" && args[0] === "setup") {
      // It installs packages from the network; the tests of @softrl/gymnasium cover its parts.
      expect(args, line).toEqual(["setup", "gymnasium"]);
    } else if (program === "softrl") {
      const trains = args[0] === "train" || args[0] === "compare";
      // `verify` takes a minute in all: test/prove runs it, and here its words are checked.
      // `watch` only ends when it is stopped.
      const others: Record<string, readonly string[]> = {
        resume: args[0] === "resume" ? fewMoreSteps() : [],
        verify: ["--help"],
        watch: ["--help"],
      };
      const few = trains ? FEW_STEPS : (others[args[0]] ?? []);
      const { code, stderr } = await softrl([...args, ...few], place);
      expectSuccess(code, stderr, /ALE\//.test(line));
    } else if (program === "tsc") {
      expectToRun(tsc, args);
    } else if (program === "node") {
      expectToRun(process.execPath, args);
    } else if (program === "diff") {
      expect(args.map((file) => [file, existsSync(join(root, file))])).toEqual(
        args.map((file) => [file, true]),
      );
    } else {
      expect(["git", "cd"], `a line that this test cannot run: ${line}`).toContain(program);
    }
  }
}

describe("the READMEs", () => {
  test("only have code blocks in known languages", () => {
    const unknown = blocks.filter(
      ({ language }) => !["ts", "sh", "text", "json", "python"].includes(language),
    );
    expect(unknown).toEqual([]);
  });

  const shell = blocks.filter(({ language }) => language === "sh");
  test.each(shell.map((block) => [`${block.file}:${block.line}`, block] as const))(
    "%s runs",
    async (_, block) => {
      const lines = block.text.replaceAll("\\\n", " ").split("\n");
      for (const line of lines.map((text) => text.trim()))
        if (line !== "" && !line.startsWith("#")) await runShellLine(line);
    },
    300_000,
  );

  const code = blocks.filter(({ language }) => language === "ts");
  test.each(code.map((block) => [`${block.file}:${block.line}`, block] as const))(
    "%s runs",
    async (_, block) => {
      if (block.name !== null) {
        expectToRun(process.execPath, [join(place, block.name.replace(/\.ts$/, ".js"))]);
        return;
      }
      const name = `${block.file.replaceAll(/\W/g, "-")}-${block.line}`;
      const built = await transformWithEsbuild(block.text, `${name}.ts`, { format: "esm", target: "es2022" });
      writeFileSync(join(place, `${name}.mjs`), built.code);
      expectToRun(process.execPath, [join(place, `${name}.mjs`)], /ALE\//.test(block.text));
    },
  );

  test("show how to add an algorithm in at most 40 lines, and an environment that is learned", () => {
    const algorithm = code.find(({ name }) => name === "penalised.ts");
    expect(algorithm?.text.split("\n").length).toBeLessThanOrEqual(40);
    const run = spawnSync(process.execPath, [join(place, "train-corridor.js")], {
      cwd: place,
      encoding: "utf8",
    });
    // The shortest way has a return of 0.4 on average; 50 steps without arriving have −5.
    expect(Number(/mean return: (\S+)/.exec(run.stdout)?.[1])).toBeGreaterThan(-1);
  });

  test("have code that compiles", () => {
    const files = code.map((block) => {
      const path = join(place, block.name ?? `${block.file.replaceAll(/\W/g, "-")}-${block.line}.ts`);
      writeFileSync(path, block.text);
      return path;
    });
    expect(compile(files, { noEmit: true })).toBe("");
  });

  test("are split into the right blocks", () => {
    expect(blocksOf("x.md", "a\n```ts\nf();\n```\n\n```sh\nnpm ci\n```\n")).toEqual([
      { file: "x.md", line: 2, language: "ts", name: null, text: "f();\n" },
      { file: "x.md", line: 6, language: "sh", name: null, text: "npm ci\n" },
    ]);
  });

  test("have shell lines that are checked", async () => {
    await expect(runShellLine("npm run no-such-script")).rejects.toThrow();
    await expect(runShellLine("curl somewhere")).rejects.toThrow(/cannot run/);
    await expect(runShellLine("npx softrl trian")).rejects.toThrow();
  });
});
