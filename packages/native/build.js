// Compiles the kernels and the addon into build/Release, where the loader (node-gyp-build) expects it.
//
// Calls the compiler directly: an N-API addon only needs node-gyp's headers, and these come from an npm
// package. If the build fails or is not possible, prints one line and succeeds, because WebAssembly is
// available.
//   --strict          fails instead
//   --sanitize        builds with AddressSanitizer and UndefinedBehaviorSanitizer into build/Sanitize
//   --prebuild        copies the addon to prebuilds/, where a published package has it
//   --copy-kernels    copies the kernel sources into the package before packing
//   --remove-kernels  removes them again
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
import { join } from "node:path";
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
const prebuilt = join(here, "prebuilds", `${process.platform}-${process.arch}`, "node.napi.node");

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

async function build() {
  if (process.platform === "win32") throw new Error("this script does not build on Windows");
  const compiler = await findCompiler();
  const current = digest(compiler.version);
  if (existsSync(addon) && existsSync(stamp) && readFileSync(stamp, "utf8") === current) return;
  const { include_dir: headers } = createRequire(import.meta.url)("node-api-headers");

  mkdirSync(folder, { recursive: true });
  const work = mkdtempSync(join(folder, "objects-"));
  try {
    const sets = Object.entries(instructionSets);
    const units = [
      ...sets.map(([set, extra]) => ({
        source: join(kernels, "interpreter.cpp"),
        object: join(work, `kernels-${set}.o`),
        extra: [...extra, `-DSOFTRL_ENTRY=softrl_run_${set}`],
      })),
      ...readdirSync(join(here, "addon"))
        .filter((name) => name.endsWith(".cpp"))
        .map((name) => ({
          source: join(here, "addon", name),
          object: join(work, name.replace(".cpp", ".o")),
          extra: [`-I${headers}`, `-I${kernels}`],
        })),
    ];
    await Promise.all(
      units.map(({ source, object, extra }) =>
        run(compiler.name, [...flags, ...extra, "-c", source, "-o", object]),
      ),
    );
    const linking =
      process.platform === "darwin"
        ? ["-bundle", "-undefined", "dynamic_lookup"]
        : ["-shared", ...(sanitize ? [] : ["-static-libstdc++", "-static-libgcc"])];
    const linked = join(work, "linked.node");
    const sanitizers = flags.filter((flag) => flag.startsWith("-fsanitize"));
    await run(compiler.name, [
      ...linking,
      "-pthread",
      ...sanitizers,
      ...units.map(({ object }) => object),
      "-o",
      linked,
    ]);
    // Rename in one step, so that a process that loads the addon gets the old or the new file.
    renameSync(linked, addon);
    writeFileSync(stamp, current);
    console.log(`softrl: native kernels built (${sets.map(([set]) => set).join(", ")}; ${compiler.version})`);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

if (arguments_.has("--copy-kernels")) {
  for (const path of sources())
    if (path.startsWith(kernels)) cpSync(path, join(packed, path.slice(kernels.length)));
} else if (arguments_.has("--remove-kernels")) {
  if (existsSync(join(here, "../../kernels"))) rmSync(packed, { recursive: true, force: true });
} else {
  try {
    const wanted = sanitize || arguments_.has("--prebuild");
    if (wanted || !existsSync(prebuilt)) await build();
    if (arguments_.has("--prebuild")) cpSync(addon, prebuilt);
  } catch (error) {
    // An old addon would contain kernels from other sources.
    rmSync(addon, { force: true });
    const reason = String(error.stderr || error.message)
      .trim()
      .split("\n")[0];
    console.error(`softrl: could not build the native kernels, WebAssembly is used instead: ${reason}`);
    if (arguments_.has("--strict")) process.exitCode = 1;
  }
}
