import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { beforeAll, describe, expect, test } from "vitest";
import { findChromium, serveFolder, startChromium } from "../chromium.js";
import { root } from "../source-tree.js";
import { temporaryFolder } from "../temporary-folder.js";
import { type Packed, Project, packAll, pathWithoutCompiler } from "./project.js";

// The lowest that the declarations compile with; packages/core/README.md states both.
const LOWEST_TYPESCRIPT = "5.7.3";
const LOWEST_LIB = "ES2022";

const names = ["softrl", "@softrl/cli", "@softrl/gymnasium", "@softrl/native", "@softrl/node", "@softrl/web"];
const place = temporaryFolder("consumers");
let packed: Packed = {};
let project: Project;

/** What a project depends on that takes all packages from their files. */
const dependencies = () =>
  Object.fromEntries(Object.entries(packed).map(([name, file]) => [name, `file:${file}`]));

const train = ["--no", "softrl", "train", "--env", "CartPole-v1", "--steps", "2000", "--seed", "1"];
const executorOf = (run: Project, folder: string) =>
  JSON.parse(readFileSync(join(run.folder, folder, "config.json"), "utf8")).run.executor;

beforeAll(async () => {
  packed = await packAll(place);
  const plain = pathWithoutCompiler(join(place, "bin"));
  project = new Project(join(place, "project"), plain);
  project.write("package.json", { private: true, type: "module", dependencies: dependencies() });
});

describe("a packed package", () => {
  const listed = (name: string) =>
    execFileSync("tar", ["-tzf", packed[name] ?? ""], { encoding: "utf8" }).split("\n");

  test("exists for every name", () => expect(Object.keys(packed).sort()).toEqual([...names].sort()));

  test.each(names)("%s has a readme and the licence", (name) => {
    expect(listed(name)).toEqual(expect.arrayContaining(["package/README.md", "package/LICENSE"]));
  });

  test("has the addons for Linux x64, and the sources to build them elsewhere", () => {
    expect(listed("@softrl/native")).toEqual(
      expect.arrayContaining([
        "package/prebuilds/linux-x64/node.napi.glibc.node",
        "package/prebuilds/linux-x64/node.napi.musl.node",
        "package/kernels/interpreter.cpp",
      ]),
    );
    expect(listed("@softrl/gymnasium")).toEqual(
      expect.arrayContaining([
        "package/prebuilds/linux-x64/shared-memory.node",
        "package/prebuilds/linux-x64/frames.so",
      ]),
    );
    expect(existsSync(join(root, "packages/native/prebuilds")), "packing leaves nothing behind").toBe(false);
  });

  test.each(names)("%s is clean for publint", async (name) => {
    const bytes = readFileSync(packed[name] ?? "");
    const tarball = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
    const { messages, pkg } = await publint({ pack: { tarball }, strict: true });
    expect(messages.map((message) => formatMessage(message, pkg))).toEqual([]);
  });

  test.each(names)("%s is clean for are-the-types-wrong", (name) => {
    // Its packages are modules only: require() of a module needs Node 20.19, which they need anyway.
    const attw = join(root, "node_modules/@arethetypeswrong/cli/dist/index.js");
    const args = [attw, packed[name] ?? "", "--profile", "esm-only", "--format", "ascii", "--no-emoji"];
    const assets =
      name === "softrl"
        ? [
            "--exclude-entrypoints",
            "kernels.wasm",
            "kernels-threads.wasm",
            "kernels-relaxed.wasm",
            "kernels-relaxed-threads.wasm",
          ]
        : [];
    const { status, stdout } = spawnSync(process.execPath, [...args, ...assets], { encoding: "utf8" });
    expect(status, stdout).toBe(0);
  });
});

describe("an empty project without a compiler", () => {
  test("is installed without install scripts", async () => {
    const before = performance.now();
    await project.run("npm", "install", "--ignore-scripts", "--no-audit", "--no-fund");
    const seconds = (performance.now() - before) / 1000;
    console.log(`npm install: ${seconds.toFixed(1)} s`);
  });

  test("has addons that need an old glibc, 2.17, or any musl", () => {
    const addon = (libc: string) => {
      const file = join(
        project.folder,
        `node_modules/@softrl/native/prebuilds/linux-x64/node.napi.${libc}.node`,
      );
      return readFileSync(file, "latin1");
    };
    const versions = Array.from(addon("glibc").matchAll(/GLIBC_2\.(\d+)/g), ([, minor]) => Number(minor));
    expect(versions.length).toBeGreaterThan(0);
    expect(Math.max(...versions)).toBeLessThanOrEqual(17);
    expect(addon("glibc")).not.toContain("libstdc++");
    expect(addon("musl")).not.toMatch(/GLIBC_|libc\.so|libstdc\+\+/);
  });

  test("trains with the prebuilt native kernels", async () => {
    await project.run("npx", ...train, "--run-folder", "native");
    expect(executorOf(project, "native")).toBe("native");
  });

  test("trains in WebAssembly where there is no prebuilt addon, after one line", async () => {
    const other = new Project(join(place, "no-prebuilds"), join(place, "bin"));
    other.write("package.json", { private: true, type: "module", dependencies: dependencies() });
    await other.run("npm", "install", "--ignore-scripts", "--no-audit", "--no-fund");
    const native = join(other.folder, "node_modules/@softrl/native");
    rmSync(join(native, "prebuilds"), { recursive: true });
    const { stdout, stderr } = await other.run("node", join(native, "build.js"));
    expect(stdout + stderr).toMatch(
      /^softrl: could not build the native kernels, WebAssembly is used instead: no C\+\+ compiler[^\n]*\n$/,
    );
    await other.run("npx", ...train, "--run-folder", "wasm");
    expect(executorOf(other, "wasm")).toBe("wasm");

    // The same project on a machine with a compiler.
    const compiling = new Project(other.folder);
    const built = await compiling.run("node", join(native, "build.js"));
    expect(built.stdout).toMatch(/^softrl: native kernels built/);
    await compiling.run("npx", ...train, "--run-folder", "compiled");
    expect(executorOf(compiling, "compiled")).toBe("native");
  });
});

describe("with pnpm, which runs no install scripts", () => {
  test("a project trains with the prebuilt native kernels", async () => {
    const other = new Project(join(place, "pnpm"));
    const overrides = dependencies();
    other.write("package.json", {
      private: true,
      type: "module",
      dependencies: overrides,
      pnpm: { overrides },
    });
    await other.run("npx", "--yes", "pnpm@10", "install", "--store-dir", join(place, "pnpm-store"));
    await other.run("npx", "--yes", "pnpm@10", "exec", "softrl", ...train.slice(2), "--run-folder", "run");
    expect(executorOf(other, "run")).toBe("native");
  });
});

describe("Node", () => {
  test("imports and requires the packages", async () => {
    project.write(
      "imports.mjs",
      `import { makeEnvironment } from "softrl";
       import { nodeWorkers } from "@softrl/node";
       import { inspectNative } from "@softrl/native";
       console.log(makeEnvironment("CartPole-v1", 2).size, typeof nodeWorkers, inspectNative().available);`,
    );
    project.write(
      "requires.cjs",
      `const { makeEnvironment } = require("softrl");
       const { nodeWorkers } = require("@softrl/node");
       const { inspectNative } = require("@softrl/native");
       console.log(makeEnvironment("CartPole-v1", 2).size, typeof nodeWorkers, inspectNative().available);`,
    );
    for (const file of ["imports.mjs", "requires.cjs"])
      expect((await project.run("node", file)).stdout).toBe("2 object true\n");
  });

  test("imports softrl in less time than Node takes to start", async () => {
    project.write(
      "time.mjs",
      `
      const start = process.cpuUsage();
      await import("softrl");
      const { user, system } = process.cpuUsage(start);
      console.log(JSON.stringify([(user + system) / 1000, (start.user + start.system) / 1000]));`,
    );
    const runs: (readonly [number, number])[] = [];
    for (let run = 0; run < 15; run++) runs.push(JSON.parse((await project.run("node", "time.mjs")).stdout));
    const [imports, starts] = [0, 1].map((at) => runs.map((run) => run[at] ?? 0).sort((a, b) => a - b));
    console.log(`import: median ${imports?.[7]?.toFixed(1)} ms, fastest ${imports?.[0]?.toFixed(1)} ms`);
    // On a slow or busy machine, where Node itself takes long to start, a part of that.
    expect(imports?.[0]).toBeLessThan(Math.max(20, 0.75 * (starts?.[0] ?? 0)));
  });
});

describe("TypeScript", () => {
  const program = `import { a2c, createWasmExecutor, makeEnvironment, train, type Policy } from "softrl";
import { type GymnasiumOptions, createGymnasiumEnvironment } from "@softrl/gymnasium";
import { createNativeExecutor, inspectNative } from "@softrl/native";
import { trainingWorkers } from "@softrl/node";
import { main } from "@softrl/cli";
export const executor = inspectNative().available ? createNativeExecutor() : await createWasmExecutor();
export const { policy }: { policy: Policy } = await train({ algorithm: a2c, environment: makeEnvironment("CartPole-v1", 2), executor });
export const options: GymnasiumOptions = { id: "ALE/Pong-v5", size: 1 };
export const others = [createGymnasiumEnvironment, trainingWorkers, main];
`;

  test.each([
    [LOWEST_TYPESCRIPT, "node16"],
    [LOWEST_TYPESCRIPT, "bundler"],
    ["7", "node16"],
    ["7", "bundler"],
  ])("%s with moduleResolution %s checks every declaration", async (version, moduleResolution) => {
    const name = `ts-${version}-${moduleResolution}`;
    project.write("program.ts", program);
    project.write(`${name}.json`, {
      compilerOptions: {
        strict: true,
        skipLibCheck: false,
        noEmit: true,
        target: "ES2022",
        lib: [LOWEST_LIB],
        module: moduleResolution === "node16" ? "node16" : "esnext",
        moduleResolution,
      },
      files: ["program.ts"],
    });
    const compiler = new Project(join(place, `typescript-${version}`));
    if (!existsSync(join(compiler.folder, "package.json"))) {
      compiler.write("package.json", { private: true });
      await compiler.run("npm", "install", "--no-audit", "--no-fund", `typescript@${version}`);
    }
    const tsc = join(compiler.folder, "node_modules/.bin/tsc");
    await project.run(tsc, "-p", `${name}.json`);
  });
});

describe("a bundler", () => {
  const page = `import { a2c, CartPole, createWasmExecutor, train } from "softrl";
const { result } = await train({ algorithm: a2c, environment: new CartPole(8), executor: await createWasmExecutor(), settings: { run: { steps: 2000, seed: 1 } } });
document.title = String(result.episodes > 10);
`;
  const service = `import { readFileSync } from "node:fs";
import { createWasmExecutor, loadPolicy } from "softrl";
createWasmExecutor().then((executor) => {
  const actions = new Int32Array(1);
  loadPolicy(readFileSync("native/checkpoint.safetensors"), executor).act(new Float32Array([0, 0, 0.1, 0]), actions, "mode");
  console.log(actions[0]);
});
`;

  test.each(["esm", "cjs"])("esbuild makes a service that acts from a checkpoint, as %s", async (format) => {
    project.write("service.js", service);
    const outfile = `service.${format === "esm" ? "mjs" : "cjs"}`;
    const esbuild = join(root, "node_modules/.bin/esbuild");
    const options = ["--bundle", "--minify", "--platform=node", `--format=${format}`, `--outfile=${outfile}`];
    await project.run(esbuild, "service.js", ...options, "--log-level=warning");
    expect((await project.run("node", outfile)).stdout).toBe("1\n");
  });

  const chromium = findChromium();
  test.skipIf(chromium === null).each(["vite", "esbuild"])("%s makes a page that trains", async (bundler) => {
    project.write("page.js", page);
    project.write(
      "index.html",
      '<!doctype html><title>page</title><script type="module" src="./page.js"></script>',
    );
    const out = join(project.folder, `built-${bundler}`);
    if (bundler === "vite") {
      await project.run(join(root, "node_modules/.bin/vite"), "build", "--outDir", out, "--logLevel", "warn");
    } else {
      mkdirSync(out);
      const esbuild = join(root, "node_modules/.bin/esbuild");
      const options = ["--bundle", "--minify", "--format=esm", "--log-level=warning"];
      await project.run(esbuild, "page.js", ...options, `--outfile=${join(out, "page.js")}`);
      writeFileSync(join(out, "index.html"), readFileSync(join(project.folder, "index.html")));
    }
    const { server, address } = await serveFolder(out);
    const browser = await startChromium(chromium ?? "");
    try {
      const opened = await browser.newPage();
      await opened.goto(address);
      await opened.waitForFunction('document.title === "true"', undefined, { timeout: 120_000 });
    } finally {
      await browser.close();
      server.close();
    }
  });
});
