import { execFileSync, spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { root } from "./source-tree.js";

/** Runs a module in Node as a user's program would: with the packages' built files. */
const node = (code: string, ...options: string[]) =>
  spawnSync(process.execPath, [...options, "--input-type=module", "--eval", code], {
    cwd: root,
    encoding: "utf8",
  });

describe("in Node, softrl", () => {
  test("is one file, with the names that its modules export", () => {
    const code = `
      import * as modules from ${JSON.stringify(join(root, "packages/core/dist/index.js"))};
      import * as bundled from "softrl";
      const names = (module) => Object.keys(module).sort().join();
      console.log(import.meta.resolve("softrl").split("/").at(-1), names(modules) === names(bundled), "a2c" in bundled);`;
    expect(node(code).stdout).toBe("bundled.js true true\n");
  });

  test("has stack traces that name its TypeScript sources, with --enable-source-maps", () => {
    const { stderr } = node('(await import("softrl")).makeEnvironment("none", 1)', "--enable-source-maps");
    expect(stderr).toMatch(/packages\/core\/src\/envs\/[\w-]+\.ts:\d+:\d+/);
    expect(stderr).not.toContain("dist/bundled.js");
  });

  test("is loaded in a small part of the time that its modules take", () => {
    const modules = readdirSync(join(root, "packages/core/dist"), { recursive: true, encoding: "utf8" });
    expect(modules.filter((name) => name.endsWith(".js")).length).toBeGreaterThan(200);
    const seconds = (file: string) => {
      const code = `
        const before = process.cpuUsage();
        await import(${JSON.stringify(join(root, "packages/core/dist", file))});
        const { user, system } = process.cpuUsage(before);
        console.log((user + system) / 1e6);`;
      return Number(
        execFileSync(process.execPath, ["--input-type=module", "-e", code], { encoding: "utf8" }),
      );
    };
    // In turns, so that what else the machine does slows both.
    const pairs = [1, 2, 3].map(() => [seconds("bundled.js"), seconds("index.js")]);
    const [inOne, inModules] = [0, 1].map((of) => Math.min(...pairs.map((pair) => pair[of])));
    expect(inOne / inModules).toBeLessThan(0.4);
  });
});
