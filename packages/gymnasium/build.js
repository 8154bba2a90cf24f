// Compiles two optional libraries into build/Release: shared memory with the Python child (shared-memory.node) and
// Atari's frame preprocessing (frames.so, which the child loads).
//
// If they cannot be built, the script prints one line and exits with 0; the bridge then uses pipes, NumPy and OpenCV. An
// installed package has them in prebuilds/ for Linux x64, and then there is nothing to do.
//   --strict       exit with 1 if the build fails
//   --before-pack  builds them into prebuilds/, for any C library; fails if it cannot
//   --after-pack   removes prebuilds/ again
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import {
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
const folder = join(here, "build", "Release");
const stamp = join(folder, "stamp");
const prebuilds = join(here, "prebuilds");
const machine = `${process.platform}-${process.arch}`;

const flags = [
  "-std=c++17",
  "-O3",
  "-fPIC",
  // A fused multiply-add would round once where OpenCV rounds twice.
  "-ffp-contract=off",
  "-fno-exceptions",
  "-fno-rtti",
  "-fvisibility=hidden",
  "-Wall",
  "-Wextra",
];
const mac = process.platform === "darwin";
const linking = mac ? ["-bundle", "-undefined", "dynamic_lookup"] : ["-shared"];
const libraries = mac ? [] : ["-static-libstdc++", "-static-libgcc"];
const products = [
  { source: "shared-memory.cpp", product: "shared-memory.node", linking },
  { source: "frames.cpp", product: "frames.so", linking: mac ? ["-dynamiclib"] : ["-shared"] },
];

async function findCompiler() {
  const names = process.env.CXX ? [process.env.CXX] : ["c++", "g++", "clang++"];
  for (const name of names) {
    try {
      const { stdout } = await run(name, ["--version"]);
      return { name, version: stdout.split("\n")[0] };
    } catch {}
  }
  throw new Error(`no C++ compiler (looked for ${names.join(", ")})`);
}

/** A digest of everything that the products depend on. */
function digest(version) {
  const hash = createHash("sha256").update(`${version} ${process.platform} ${process.arch}\n`);
  const sources = readdirSync(join(here, "addon")).map((name) => join(here, "addon", name));
  for (const path of [...sources, join(here, "build.js")].sort()) hash.update(readFileSync(path));
  return hash.digest("hex");
}

/** Compiles the products into a folder. */
async function compile(name, folder, libraries) {
  const { include_dir: headers } = createRequire(import.meta.url)("node-api-headers");
  mkdirSync(folder, { recursive: true });
  const work = mkdtempSync(join(folder, "objects-"));
  try {
    await Promise.all(
      products.map(({ source, product, linking }) =>
        run(name, [
          ...flags,
          `-I${headers}`,
          ...linking,
          join(here, "addon", source),
          ...libraries,
          "-o",
          join(work, product),
        ]),
      ),
    );
    // Renaming is atomic, so a process that loads a library meanwhile gets the old one or the new one.
    for (const { product } of products) renameSync(join(work, product), join(folder, product));
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

async function build() {
  if (process.platform === "win32") throw new Error("this script does not build on Windows");
  const { name, version } = await findCompiler();
  const current = digest(version);
  const standing = products.every(({ product }) => existsSync(join(folder, product))) && existsSync(stamp);
  if (standing && readFileSync(stamp, "utf8") === current) return;
  await compile(name, folder, libraries);
  writeFileSync(stamp, current);
  console.log(`softrl: built the Gymnasium bridge's native libraries (${version})`);
}

const removePrebuilds = () => rmSync(prebuilds, { recursive: true, force: true });

async function beforePack() {
  if (machine !== "linux-x64")
    throw new Error("not packed: the prebuilt libraries can only be made on Linux x64");
  removePrebuilds();
  // They name no C library, and use the one that the process has loaded.
  await compile((await findCompiler()).name, join(prebuilds, machine), ["-nostdlib", "-lgcc", "-s"]);
}

const firstLine = (error) =>
  String(error.stderr || error.message)
    .trim()
    .split("\n")[0];
// A checkout builds from its sources, also while prebuilds/ is there because it is being packed.
const installed = !existsSync(join(here, "../../kernels"));

if (process.argv.includes("--before-pack")) {
  await beforePack().catch((error) => {
    console.error(`@softrl/gymnasium: ${firstLine(error)}`);
    process.exitCode = 1;
  });
} else if (process.argv.includes("--after-pack")) {
  removePrebuilds();
} else if (!installed || !existsSync(join(prebuilds, machine))) {
  await build().catch((error) => {
    for (const { product } of products) rmSync(join(folder, product), { force: true });
    console.error(
      `softrl: could not build the Gymnasium bridge's native libraries; using pipes: ${firstLine(error)}`,
    );
    if (process.argv.includes("--strict")) process.exitCode = 1;
  });
}
