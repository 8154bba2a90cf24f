// Compiles the kernels to WebAssembly, as text inside core. There are five modules: the tensor kernels, which run
// everywhere; the same with a memory that workers share; these two with relaxed SIMD; and the sweep of value iteration.
// `npm run build` also writes all but the last as files, from that text. With --check, builds into a temporary folder and
// fails if the result differs from the committed files.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const here = import.meta.dirname;
const core = join(here, "../packages/core/src");

const compilerFlags = [
  "--target=wasm32",
  "-msimd128",
  "-mbulk-memory",
  "-std=c++17",
  "-O3",
  "-fno-math-errno",
  "-fno-trapping-math",
  "-ffreestanding",
  "-fno-builtin",
  "-nostdlib",
  "-fno-exceptions",
  "-fno-rtti",
  "-fvisibility=hidden",
  "-Wall",
  "-Wextra",
  "-Werror",
];
// Loops that must be unrolled have a pragma. All others stay as written, with indices instead of pointers: engines
// unroll and allocate registers themselves, and can use offsets in addressing modes only if they see the indices.
// Vectors are written out too: the loops that the compiler would vectorise are remainders shorter than a vector.
const plainLoops = ["-fno-unroll-loops", "-fno-vectorize", "-mllvm", "-disable-lsr"];
const linkerFlags = ["--no-entry", "--strip-all", "--compress-relocations", "--export=__heap_base"];

// Each worker has its own stack. The maximum memory is the limit of the format; each memory sets its own maximum.
const shared = ["--shared-memory", "--import-memory", "--max-memory=4294967296", "--export=__stack_pointer"];

/** The module of the tensor kernels, with the variants that its name says. */
function kernels(name, { threads = false, relaxed = false }, constant, about) {
  return {
    name,
    sources: threads ? ["interpreter", "workers"] : ["interpreter"],
    compiler: [
      "-ffp-contract=fast",
      ...(threads ? ["-matomics", "-mmutable-globals"] : []),
      ...(relaxed ? ["-mrelaxed-simd"] : []),
      ...plainLoops,
    ],
    linker: ["--export=run", "-zstack-size=262144", ...(threads ? shared : [])],
    module: join(core, `tensor/compiled/${name}-wasm.ts`),
    origin: "the sources in kernels/",
    constant,
    about: `The compiled kernels${about}, a WebAssembly module as text.`,
    signed: true,
  };
}

const modules = [
  kernels("kernels", {}, "kernelsText", ""),
  kernels("kernels-threads", { threads: true }, "threadedKernelsText", " with shared memory and workers"),
  kernels("kernels-relaxed", { relaxed: true }, "relaxedKernelsText", " with relaxed SIMD"),
  kernels(
    "kernels-relaxed-threads",
    { threads: true, relaxed: true },
    "relaxedThreadedKernelsText",
    " with relaxed SIMD, shared memory and workers",
  ),
  {
    name: "sweep",
    sources: ["sweep"],
    // No contraction: round products, as JavaScript does.
    compiler: ["-ffp-contract=off"],
    linker: ["--export=sweep", "-zstack-size=16384"],
    module: join(core, "mdp/sweep-wasm.ts"),
    origin: "kernels/sweep.cpp",
    constant: "sweepText",
    about: "The compiled sweep, a WebAssembly module as text.",
    signed: false,
  },
];

function tool(names, args) {
  for (const name of names) {
    try {
      execFileSync(name, args, { cwd: here, stdio: ["ignore", "inherit", "inherit"] });
      return;
    } catch (error) {
      if (error.code === "ENOENT") continue;
      console.error(`build:kernels: ${name} failed.`);
      process.exit(1);
    }
  }
  console.error(`build:kernels: ${names[0]} is missing; install the Debian packages clang and lld.`);
  process.exit(1);
}

const folder = mkdtempSync(join(tmpdir(), "softrl-kernels-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
const check = process.argv.includes("--check");

/**
 * A digest of the kernel sources, by which core checks that a native addon was built from the same sources
 * and therefore understands its programs.
 */
function digestOfSources() {
  const hash = createHash("sha256");
  for (const name of readdirSync(here).sort()) {
    if (/\.(h|cpp)$/.test(name) && name !== "digest.h")
      hash.update(name).update(readFileSync(join(here, name)));
  }
  return hash.digest("hex").slice(0, 16);
}

/** Writes a generated file. With --check, fails if the committed file differs. */
function put(path, text, what) {
  if (!check) {
    writeFileSync(path, text);
    return;
  }
  if (!readFileSync(path).equals(Buffer.from(text))) {
    console.error(
      `build:kernels: the committed ${what} differs from its sources; run \`npm run build:kernels\`.`,
    );
    process.exit(1);
  }
}

/** Bytes as text of printable ASCII; packages/core/src/base/byte-text.ts defines it and reads it. */
function textOf(bytes) {
  const alphabet = "!#%&()*+,-./0123456789:;=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_abcdefghijklmnopqrstuvwxyz{|}~";
  const singles = alphabet.length - 2;
  const character = (byte) => {
    const n = (byte + 4) % 256;
    const prefix = n < singles ? "" : alphabet[singles - 1 + Math.floor(n / singles)];
    return prefix + alphabet[n % singles];
  };
  return Array.from(bytes, character).join("");
}

/**
 * The module with a custom section "softrl": its name and the digest of its sources, by which core knows a module that
 * a page has loaded from a file.
 */
function signed(wasm, name, digest) {
  const section = "softrl";
  const text = `${name} ${digest}`;
  const header = [0, 1 + section.length + text.length, section.length];
  return Buffer.concat([wasm, Buffer.from(header), Buffer.from(section + text)]);
}

const digest = digestOfSources();
put(
  join(here, "digest.h"),
  `// Generated by \`npm run build:kernels\`; do not edit.\n#pragma once\n\n#define SOFTRL_KERNELS_DIGEST "${digest}"\n`,
  "digest.h",
);
put(
  join(core, "tensor/compiled/kernels-digest.ts"),
  `// Generated by \`npm run build:kernels\`; do not edit.\n/** A digest of the kernel sources. Kernels that were compiled from other sources do not understand core's programs. */\nexport const kernelsDigest = "${digest}";\n`,
  "digest",
);

for (const { name, sources, compiler, linker, module, origin, constant, about, signed: sign } of modules) {
  const objects = sources.map((source) => {
    const object = join(folder, `${name}-${source}.o`);
    tool(["clang++-14", "clang++"], [...compilerFlags, ...compiler, "-c", `${source}.cpp`, "-o", object]);
    return object;
  });
  const linked = join(folder, `${name}.wasm`);
  tool(["wasm-ld-14", "wasm-ld"], [...linkerFlags, ...linker, ...objects, "-o", linked]);

  const wasm = sign ? signed(readFileSync(linked), name, digest) : readFileSync(linked);
  const text = `// Generated by \`npm run build:kernels\` from ${origin}; do not edit.\n/** ${about} */\nexport const ${constant}: string =\n  "${textOf(wasm)}";\n`;
  put(module, text, name);
  console.log(
    `build:kernels: ${check ? `the committed ${name} matches its sources` : `${name}, ${wasm.length} bytes`}.`,
  );
}
