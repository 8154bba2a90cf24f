import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { kernelsDigest } from "softrl";
import { describe, expect, test } from "vitest";
import { temporaryFolder } from "../../../test/temporary-folder.js";
import { softrl, softrlAlone } from "./command.js";

const builtAddon = fileURLToPath(new URL("../../native/build/Release/softrl_native.node", import.meta.url));
const here = temporaryFolder("doctor");

const doctor = async (env: Record<string, string>) => {
  // A process keeps the addon that it has loaded.
  const command = "SOFTRL_NATIVE_ADDON" in env ? softrlAlone : softrl;
  const run = await command(["doctor", "--json"], here, { env: { SOFTRL_EXECUTOR: "", ...env } });
  expect(run.stderr).toBe("");
  expect(run.code).toBe(0);
  return JSON.parse(run.stdout);
};

describe("softrl doctor", () => {
  test("reports what works, and what a run uses", async () => {
    const found = await doctor({});
    expect(found.executors.map(({ name }: { name: string }) => name)).toEqual([
      "native",
      "wasm",
      "reference",
      "wasm-relaxed",
    ]);
    expect(found.executors[1]).toEqual({
      name: "wasm",
      works: true,
      about: "WebAssembly SIMD, 1 thread (SOFTRL_THREADS sets more)",
    });
    const threaded = await doctor({ SOFTRL_THREADS: "3" });
    expect(threaded.executors[1].about).toBe("WebAssembly SIMD, 3 threads");
    expect(found).toMatchObject({ chosen: found.executors[0].works ? "native" : "wasm", forced: null });
    expect(await doctor({ SOFTRL_EXECUTOR: "reference" })).toMatchObject({
      chosen: "reference",
      forced: "reference",
    });

    const table = await softrl(["doctor"], here, { env: { SOFTRL_EXECUTOR: "wasm" } });
    expect(table.code).toBe(0);
    expect(table.stdout).toMatch(/^softrl \d+\.\d+\.\d+, Node\.js \d+/);
    expect(table.stdout).toMatch(
      /^wasm +works +WebAssembly SIMD, 1 thread \(.*\) +used by default: SOFTRL_EXECUTOR=wasm$/m,
    );
  });

  test("names the backend that runs use by default", async () => {
    const { stdout } = await softrl(["doctor"], here, { env: { SOFTRL_EXECUTOR: "" } });
    expect(stdout).toMatch(/^(native|wasm) +works .* used by default$/m);
    expect(stdout).toMatch(/^reference +works +reference implementation in float64, slow$/m);
  });

  test("reports why native kernels do not work, and that runs use WebAssembly", async () => {
    const found = await doctor({ SOFTRL_NATIVE_ADDON: join(here, "none.node") });
    expect(found.executors[0]).toMatchObject({ name: "native", works: false });
    expect(found.executors[0].about).toContain("none.node");
    expect(found.chosen).toBe("wasm");

    const forced = await softrlAlone(["train", "--steps", "100"], here, {
      env: { SOFTRL_EXECUTOR: "native", SOFTRL_NATIVE_ADDON: join(here, "none.node") },
    });
    expect(forced.code).toBe(1);
    expect(forced.stderr).toMatch(
      /^softrl: SOFTRL_EXECUTOR: the native executor does not work here, got .*none\.node.*--executor wasm\.\n$/,
    );
  });

  test.skipIf(!existsSync(builtAddon))("takes no addon that was built from other kernels", async () => {
    const addon = readFileSync(builtAddon);
    const at = addon.indexOf(kernelsDigest);
    expect(at).toBeGreaterThan(0);
    addon.write("0123456789abcdef", at);
    const other = join(here, "other.node");
    writeFileSync(other, addon);
    const found = await doctor({ SOFTRL_NATIVE_ADDON: other });
    expect(found).toMatchObject({
      chosen: "wasm",
      executors: [{ name: "native", works: false }, {}, {}, {}],
    });
    expect(found.executors[0].about).toContain("built from other kernels");
  });

  test("refuses an invalid setting", async () => {
    const run = await softrl(["doctor"], here, { env: { SOFTRL_EXECUTOR: "nativ" } });
    expect(run.code).toBe(1);
    expect(run.stderr).toMatch(/^softrl: SOFTRL_EXECUTOR: unknown executor, .* did you mean native\?\n$/);
    const threads = await softrl(["doctor"], here, { env: { SOFTRL_THREADS: "none" } });
    expect(threads.code).toBe(1);
    expect(threads.stderr).toMatch(/^softrl: SOFTRL_THREADS: the number of threads is out of range, .*\n$/);
  });
});
