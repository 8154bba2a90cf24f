// Compiles the kernels and the addon into build/Release, where the loader (node-gyp-build) expects it. In an installed
// package with a prebuilt addon that works here, there is nothing to do.
//
// Calls the compiler directly: an N-API addon only needs node-gyp's headers, and these come from an npm
// package. If the build fails or is not possible, prints one line and succeeds, because WebAssembly is
// available.
//   --strict      fails instead
//   --sanitize    builds with AddressSanitizer and UndefinedBehaviorSanitizer into build/Sanitize
//   --before-pack makes what only a published package has: addons for Linux x64 in prebuilds/, one for glibc and one for
//                 musl, and the sources of the kernels; fails if it cannot
//   --after-pack  removes both again
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const here = import.meta.dirname;
const arguments_ = new Set(process.argv.slice(2));
const packed = join(here, "kernels");
const kernels = existsSync(packed) ? packed : join(here, "../../kernels");
const sanitize = arguments_.has("--sanitize");
const folder = join(here, "build", sanitize ? "Sanitize" : "Release");
const addon = join(folder, "softrl_native.node");
const stamp = join(folder, "stamp");
const prebuilds = join(here, "prebuilds");
const require = createRequire(import.meta.url);

const x64Sets = {
  avx512: ["-mavx512f", "-mavx512vl", "-mavx512dq", "-mavx512bw", "-mfma", "-mprefer-vector-width=512"],
  avx2: ["-mavx2", "-mfma"],
  baseline: [],
};
const instructionSets = process.arch === "x64" ? x64Sets : { baseline: [] };

const flags = [
  "-std=c++17",
  "-O3",
  "-fPIC",
  "-pthread",
  "-ffp-contract=fast",
  "-fno-math-errno",
  "-fno-trapping-math",
  "-fno-exceptions",
  "-fno-rtti",
  "-fvisibility=hidden",
  "-Wall",
  "-Wextra",
  // Only inlined functions pass vectors to each other.
  "-Wno-psabi",
  ...(sanitize ? ["-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"] : []),
];

const local =
  process.platform === "darwin"
    ? ["-bundle", "-undefined", "dynamic_lookup"]
    : ["-shared", ...(sanitize ? [] : ["-static-libstdc++", "-static-libgcc"])];

/** An addon: its file, and the flags with which the sources in addon/ are compiled and all is linked. */
const builds = [{ file: addon, compiling: [], linking: [...local, "-pthread"] }];

/** The names are those by which node-gyp-build knows the C libraries. */
const prebuiltBuilds = [
  {
    file: join(prebuilds, "linux-x64", "node.napi.glibc.node"),
    compiling: ["-include", join(here, "addon", "old-glibc.h")],
    linking: ["-shared", "-static-libgcc", "-pthread", "-s"],
  },
  {
    file: join(prebuilds, "linux-x64", "node.napi.musl.node"),
    compiling: [],
    // Names no C library: its symbols are those of the one that Node has loaded. glibc needs their versions.
    linking: ["-shared", "-nostdlib", "-s"],
  },
];

function sources() {
  const ours = readdirSync(join(here, "addon")).map((name) => join(here, "addon", name));
  const theirs = readdirSync(kernels).filter((name) => /\.(h|cpp)$/.test(name));
  return [...ours, ...theirs.map((name) => join(kernels, name)), join(here, "build.js")].sort();
}

/** A digest of everything that the addon is built from. */
function digest(compiler) {
  const hash = createHash("sha256").update(`${compiler} ${process.platform} ${process.arch}\n`);
  for (const path of sources()) hash.update(readFileSync(path)).update("\n");
  return hash.digest("hex");
}

async function findCompiler() {
  const names = process.env.CXX ? [process.env.CXX] : ["c++", "g++", "clang++"];
  for (const name of names) {
    try {
      const { stdout } = await run(name, ["--version"]);
      return { name, version: stdout.split("\n")[0] };
    } catch {}
  }
  throw new Error(`no C++ compiler found (tried ${names.join(", ")})`);
}

/** Compiles the sources and links each of these addons. */
async function compile(compiler, builds) {
  const { include_dir: headers } = require("node-api-headers");
  mkdirSync(folder, { recursive: true });
  const work = mkdtempSync(join(folder, "objects-"));
  const object = async (name, source, extra) => {
    const path = join(work, `${name}.o`);
    await run(compiler.name, [...flags, ...extra, "-c", source, "-o", path]);
    return path;
  };
  try {
    const kernelObjects = Promise.all(
      Object.entries(instructionSets).map(([set, extra]) =>
        object(set, join(kernels, "interpreter.cpp"), [...extra, `-DSOFTRL_ENTRY=softrl_run_${set}`]),
      ),
    );
    const addonSources = readdirSync(join(here, "addon")).filter((name) => name.endsWith(".cpp"));
    const addonObjects = builds.map(({ compiling }, at) => {
      const extra = [`-I${headers}`, `-I${kernels}`, ...compiling];
      return Promise.all(
        addonSources.map((name) => object(`${name}-${at}`, join(here, "addon", name), extra)),
      );
    });
    const [shared, ...own] = await Promise.all([kernelObjects, ...addonObjects]);
    for (const [at, { file, linking }] of builds.entries()) {
      const linked = join(work, `linked-${at}.node`);
      const sanitizers = flags.filter((flag) => flag.startsWith("-fsanitize"));
      await run(compiler.name, [...linking, ...sanitizers, ...shared, ...own[at], "-lgcc", "-o", linked]);
      mkdirSync(dirname(file), { recursive: true });
      // Rename in one step, so that a process that loads the addon gets the old or the new file.
      renameSync(linked, file);
    }
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

async function build() {
  if (process.platform === "win32") throw new Error("this script does not build on Windows");
  const compiler = await findCompiler();
  const current = digest(compiler.version);
  if (existsSync(addon) && existsSync(stamp) && readFileSync(stamp, "utf8") === current) return;
  await compile(compiler, builds);
  writeFileSync(stamp, current);
  const sets = Object.keys(instructionSets).join(", ");
  console.log(`softrl: native kernels built (${sets}; ${compiler.version})`);
}

/** Whether this is an installed package whose prebuilt addon this machine can load. */
function hasPrebuilt() {
  if (kernels !== packed || sanitize) return false;
  try {
    require("node-gyp-build")(here);
    return true;
  } catch {
    return false;
  }
}

function afterPack() {
  if (!existsSync(join(here, "../../kernels"))) return;
  for (const made of [packed, prebuilds]) rmSync(made, { recursive: true, force: true });
}

async function beforePack() {
  if (`${process.platform}-${process.arch}` !== "linux-x64")
    throw new Error("not packed: the prebuilt addons can only be made on Linux x64");
  afterPack();
  await compile(await findCompiler(), prebuiltBuilds);
  for (const path of sources())
    if (path.startsWith(kernels)) cpSync(path, join(packed, path.slice(kernels.length)));
}

const firstLine = (error) =>
  String(error.stderr || error.message)
    .trim()
    .split("\n")[0];

if (arguments_.has("--before-pack")) {
  await beforePack().catch((error) => {
    console.error(`@softrl/native: ${firstLine(error)}`);
    process.exitCode = 1;
  });
} else if (arguments_.has("--after-pack")) {
  afterPack();
} else if (!hasPrebuilt()) {
  await build().catch((error) => {
    // An old addon would contain kernels from other sources.
    rmSync(addon, { force: true });
    console.error(
      `softrl: could not build the native kernels, WebAssembly is used instead: ${firstLine(error)}`,
    );
    if (arguments_.has("--strict")) process.exitCode = 1;
  });
}
