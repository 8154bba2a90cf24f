// Runs the tests of this package with an addon that is built with AddressSanitizer and
// UndefinedBehaviorSanitizer. An access outside the arena, or undefined behaviour, ends the run with a
// report.
import { execFileSync, spawnSync } from "node:child_process";
import { join } from "node:path";

const root = join(import.meta.dirname, "../../..");
const compiler = process.env.CXX || "c++";
const clang = execFileSync(compiler, ["--version"], { encoding: "utf8" }).includes("clang");
const library = clang ? "libclang_rt.asan-x86_64.so" : "libasan.so";

execFileSync(process.execPath, ["packages/native/build.js", "--sanitize", "--strict"], {
  cwd: root,
  stdio: "inherit",
});
const preloaded = execFileSync(compiler, [`-print-file-name=${library}`], { encoding: "utf8" }).trim();
const { status, signal } = spawnSync(
  process.execPath,
  [
    "node_modules/vitest/vitest.mjs",
    "run",
    "packages/native",
    "--testTimeout=600000",
    ...process.argv.slice(2),
  ],
  {
    cwd: root,
    stdio: "inherit",
    env: {
      ...process.env,
      LD_PRELOAD: preloaded,
      // Node does not free everything when it exits; these are not our leaks.
      ASAN_OPTIONS: "detect_leaks=0:halt_on_error=1",
      UBSAN_OPTIONS: "print_stacktrace=1:halt_on_error=1",
      SOFTRL_NATIVE_ADDON: join(root, "packages/native/build/Sanitize/softrl_native.node"),
    },
  },
);
if (signal !== null) console.error(`test:sanitizers: ended by ${signal}`);
process.exitCode = status ?? 1;
