import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, describe, expect, test } from "vitest";
import { findChromium, serveLibrary, startChromium } from "../chromium.js";
import { root } from "../source-tree.js";
import { temporaryFolder } from "../temporary-folder.js";
import expected from "./checkpoints.json" with { type: "json" };
import expectedRelaxed from "./relaxed-checkpoints.json" with { type: "json" };
import { type Installed, install, type Runtime, runtimes } from "./runtimes.js";

const run = promisify(execFile);
const LEAST_IDENTITIES = 50;
/** The training of computation.js that the command repeats. */
const COMMAND_TRAINING = "a2c, CartPole-v1, 8000 steps";
/** Core's tests for the other Nodes: what may differ between engines, and what uses the most of an engine. */
const CORE_TESTS = [
  "packages/core/test/math/exponential.test.ts",
  "packages/core/test/math/trigonometric.test.ts",
  "packages/core/test/math/logspace.test.ts",
  "packages/core/test/base/random.test.ts",
];

/** Node.js 20, which has no relaxed SIMD. */
const LACKS_RELAXED = /^(this )?node,? 20\b/;

/** What `relaxedCheckpoints` gives. */
interface Relaxed {
  readonly arithmetic: keyof typeof expectedRelaxed;
  readonly hashes: Readonly<Record<string, string>>;
}
/** Checks the checkpoints of `wasm-relaxed`: the same in every engine with this arithmetic. */
function expectRelaxed(name: string, found: Relaxed | null): void {
  console.log(`${name}: relaxed SIMD ${found === null ? "none" : found.arithmetic}`);
  if (LACKS_RELAXED.test(name)) expect(found).toBeNull();
  else expect(found?.hashes).toEqual(expectedRelaxed[found?.arithmetic ?? "fma"]);
}

const temporary = temporaryFolder("runtimes");
/** Where the runtimes are installed: a folder that stays if the variable names one. */
const place = process.env.SOFTRL_RUNTIMES ?? temporary;
/** Runtimes that this platform may lack, as a list of names: `node 20.19.0, deno 2`. */
const mayLack = (process.env.SOFTRL_RUNTIMES_MAY_LACK ?? "").split(",").map((name) => name.trim());

const current: Runtime & { readonly path: string } = {
  name: `this node, ${process.versions.node}`,
  package: ["", ""],
  binary: "",
  options: [],
  isNode: true,
  path: process.execPath,
};
const installed = new Map<string, Installed>();

beforeAll(async () => {
  mkdirSync(place, { recursive: true });
  const start = performance.now();
  await Promise.all(
    runtimes.map(async (runtime) => installed.set(runtime.name, await install(runtime, place))),
  );
  installed.set(current.name, { path: current.path, version: process.version });
  const seconds = ((performance.now() - start) / 1000).toFixed(0);
  console.log(`npm installed the runtimes in ${seconds} s`);
  for (const [name, found] of installed) {
    console.log(`${name}: ${"path" in found ? found.version : `NOT AVAILABLE: ${found.unavailable}`}`);
  }
});

describe.each([...runtimes, current])("$name", (runtime) => {
  const path = () => {
    const found = installed.get(runtime.name);
    return found !== undefined && "path" in found ? found.path : "";
  };
  const print = async (part: string) => {
    const script = join(root, "test/runtimes/print.js");
    const { stdout } = await run(path(), [...runtime.options, script, part], { cwd: root });
    return JSON.parse(stdout);
  };

  test("is available", (context) => {
    const found = installed.get(runtime.name);
    context.skip(path() === "" && mayLack.includes(runtime.name), "not available, which is allowed here");
    expect(found).toHaveProperty("path");
  });

  test("writes the same checkpoints as every other", async (context) => {
    context.skip(path() === "");
    expect(await print("checkpoints")).toEqual(expected);
  });

  test("writes the same checkpoints with relaxed SIMD as every engine with its arithmetic", async (context) => {
    context.skip(path() === "");
    expectRelaxed(runtime.name, await print("relaxed"));
  });

  test("measures the theorem's identities, and all hold", async (context) => {
    context.skip(path() === "");
    const { measured, broken } = await print("identities");
    expect(broken).toEqual([]);
    expect(measured).toBeGreaterThanOrEqual(LEAST_IDENTITIES);
  });

  describe.runIf(runtime.isNode)("as a Node", () => {
    const softrl = join(root, "packages/cli/bin/softrl.js");
    const train = async (executor: string) => {
      const folder = join(temporary, `${runtime.name.replaceAll(/[ ,]+/g, "-")}-${executor}`);
      const options = "--algorithm a2c --env CartPole-v1 --seed 1 --steps 8000 --no-chart".split(" ");
      const place = ["--executor", executor, "--run-folder", folder];
      await run(path(), [softrl, "train", ...options, ...place], { cwd: temporary });
      return readFileSync(join(folder, "checkpoint.safetensors"));
    };

    test("trains by the command in WebAssembly, and writes the library's checkpoint", async (context) => {
      context.skip(path() === "");
      const hash = createHash("sha256").update(await train("wasm"));
      expect(hash.digest("hex")).toBe(expected[COMMAND_TRAINING]);
    });

    test("trains by the command on the native kernels", async (context) => {
      context.skip(
        path() === "" || !existsSync(join(root, "packages/native/build/Release/softrl_native.node")),
      );
      expect((await train("native")).length).toBeGreaterThan(0);
    });

    test("passes core's tests that depend on the engine", async (context) => {
      context.skip(path() === "" || runtime === current);
      const vitest = join(root, "node_modules/vitest/vitest.mjs");
      const { stdout } = await run(path(), [vitest, "run", ...CORE_TESTS], { cwd: root });
      expect(stdout).toMatch(new RegExp(`Test Files .*${CORE_TESTS.length} passed`));
    });
  });
});

describe("Chromium", () => {
  const chromium = findChromium();

  test("is available", (context) => {
    context.skip(chromium === null && mayLack.includes("chromium"), "not available, which is allowed here");
    expect(chromium, "install Chromium, or name one in SOFTRL_CHROMIUM").not.toBeNull();
  });

  test("writes the same checkpoints, and all identities hold", async (context) => {
    context.skip(chromium === null);
    const { address, server } = await serveLibrary("test/runtimes");
    const browser = await startChromium(chromium ?? "");
    try {
      console.log(`chromium: ${browser.version()}`);
      const page = await browser.newPage();
      await page.goto(address);
      // As text: vitest rewrites an import that it sees.
      const call = (part: string) =>
        page.evaluate(
          `Promise.all([import("/test/runtimes/computation.js"), import("softrl")]).then(([own, softrl]) => own.${part}(softrl))`,
        );
      expect(await call("checkpoints")).toEqual(expected);
      expectRelaxed("chromium", (await call("relaxedCheckpoints")) as Relaxed | null);
      expect(await call("identities")).toEqual({ measured: expect.any(Number), broken: [] });
    } finally {
      await browser.close();
      server.close();
    }
  });
});
