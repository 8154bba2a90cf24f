import { execFile } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { packageFolders, root } from "./source-tree.js";
import { temporaryFolder } from "./temporary-folder.js";

const run = promisify(execFile);
const place = temporaryFolder("packing");

test.each(packageFolders)("%s is built before it is packed", (folder) => {
  const manifest = JSON.parse(readFileSync(join(root, "packages", folder, "package.json"), "utf8"));
  expect(manifest.scripts.prepack).toMatch(/^node \.\.\/\.\.\/pack\.js( &&|$)/);
  expect(manifest.files).toContain("dist");
});

test.each(packageFolders)("%s says who made it, where its sources are and how it is published", (folder) => {
  const at = (...names: string[]) => readFileSync(join(root, ...names), "utf8");
  expect(JSON.parse(at("packages", folder, "package.json"))).toMatchObject({
    description: expect.any(String),
    keywords: expect.arrayContaining(["reinforcement-learning"]),
    author: "The softrl authors",
    license: "MIT",
    repository: { type: "git", directory: `packages/${folder}` },
    publishConfig: { access: "public", provenance: true },
    engines: { node: ">=20.19" },
  });
  expect(at("packages", folder, "LICENSE")).toBe(at("LICENSE"));
});

describe("a package", () => {
  const manifest = {
    name: "packed",
    version: "1.0.0",
    exports: { ".": { types: "./dist/index.d.ts", default: "./dist/index.js" } },
    files: ["dist"],
    scripts: { prepack: "node ../../pack.js" },
  };
  /** Packs a workspace's package whose build is this script. */
  async function pack(
    name: string,
    build: string,
  ): Promise<{ readonly error: string; readonly made: string[] }> {
    const folder = join(place, name, "packages", "packed");
    mkdirSync(folder, { recursive: true });
    copyFileSync(join(root, "pack.js"), join(place, name, "pack.js"));
    const workspace = { type: "module", scripts: { build }, workspaces: ["packages/packed"] };
    writeFileSync(join(place, name, "package.json"), JSON.stringify(workspace));
    writeFileSync(join(folder, "package.json"), JSON.stringify(manifest));
    const options = { cwd: folder, shell: process.platform === "win32" };
    const error = await run("npm", ["pack"], options).then(
      () => "",
      (reason: { readonly stderr: string }) => reason.stderr,
    );
    return { error, made: readdirSync(folder).filter((file) => file.endsWith(".tgz")) };
  }
  const write = (file: string) =>
    `node -e "fs.mkdirSync('packages/packed/dist',{recursive:true});fs.writeFileSync('packages/packed/dist/${file}','1')"`;

  test("is packed with what its build makes", async () => {
    const { error, made } = await pack("built", `${write("index.js")} && ${write("index.d.ts")}`);
    expect([error, made]).toEqual(["", ["packed-1.0.0.tgz"]]);
    expect(existsSync(join(place, "built", "packages", "packed", "dist", "index.js"))).toBe(true);
  });

  test("is not packed where an entry point is missing", async () => {
    const { error, made } = await pack("unbuilt", write("index.js"));
    expect(error).toContain(
      "packed is not packed: ./dist/index.d.ts missing after the build; run npm run build.",
    );
    expect(made).toEqual([]);
  });

  test("is not packed where its build fails", async () => {
    const { error, made } = await pack("failing", "exit 3");
    expect(error).toContain("not packed: the build failed");
    expect(made).toEqual([]);
  });
});
