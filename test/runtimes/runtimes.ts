import { execFile } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** A JavaScript runtime with a command, as a package of npm. */
export interface Runtime {
  readonly name: string;
  /** The package with this platform's binary, and its version. */
  readonly package: readonly [name: string, version: string];
  /** The binary, in the package. */
  readonly binary: string;
  /** What precedes a script on the command line. */
  readonly options: readonly string[];
  readonly isNode: boolean;
}

const { platform, arch } = process;
const exe = platform === "win32" ? ".exe" : "";

function node(version: string): Runtime {
  // As the package `node` names its binaries.
  const prefix = platform === "darwin" && arch === "arm64" ? "node-bin" : "node";
  return {
    name: `node ${version}`,
    package: [`${prefix}-${platform === "win32" ? "win" : platform}-${arch}`, version],
    binary: `bin/node${exe}`,
    options: [],
    isNode: true,
  };
}

const bun: Runtime = {
  name: "bun 1",
  package: [
    `@oven/bun-${platform === "win32" ? "windows" : platform}-${arch === "arm64" ? "aarch64" : arch}`,
    "1",
  ],
  binary: `bin/bun${exe}`,
  options: [],
  isNode: false,
};

const deno: Runtime = {
  name: "deno 2",
  package: [`@deno/${platform}-${arch}${platform === "linux" ? "-glibc" : ""}`, "2"],
  binary: `deno${exe}`,
  // It reads the project's packages, and nothing else.
  options: ["run", "--allow-read", "--node-modules-dir=manual", "--no-prompt"],
  isNode: false,
};

/** All of them must run, beside Chromium. The first is the oldest Node that softrl promises. */
export const runtimes: readonly Runtime[] = [node("20.19.0"), node("22"), node("24"), node("26"), bun, deno];

/** An installed runtime: the path of its binary and its exact version, or why npm did not install it. */
export type Installed =
  | { readonly path: string; readonly version: string }
  | { readonly unavailable: string };

/** Installs a runtime into a folder of its own below `place`, unless it is there. */
export async function install(runtime: Runtime, place: string): Promise<Installed> {
  const [name, version] = runtime.package;
  const folder = join(place, runtime.name.replace(" ", "-"));
  const path = join(folder, "node_modules", name, runtime.binary);
  if (!existsSync(path)) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "package.json"), '{"private":true}');
    // Under `npm run` this is npm's own program, which runs on every platform.
    const npm = process.env.npm_execpath;
    const [program, ...first] = npm === undefined ? ["npm"] : [process.execPath, npm];
    // Install scripts only copy the binary, or fetch it from elsewhere.
    const options = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-save", "--prefix", folder];
    try {
      await run(program, [...first, "install", ...options, `${name}@${version}`], { cwd: folder });
    } catch (error) {
      const written = error instanceof Error && "stderr" in error ? String(error.stderr) : String(error);
      return { unavailable: `npm has no ${name}@${version} that installs here: ${written.trim()}` };
    }
  }
  const { stdout } = await run(path, ["--version"]);
  return { path, version: stdout.trim().split("\n")[0] ?? "" };
}
