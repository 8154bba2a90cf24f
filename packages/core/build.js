// Completes core's compiled sources:
//   dist/bundled.js   the library in one file, Node's entry point: Node loads one file several times faster than
//                     200. Bundlers take dist/index.js, whose modules they can leave out. The kernels with relaxed SIMD
//                     stay apart, for the few programs that ask for them.
//   dist/*.wasm       the embedded WebAssembly modules as files, for pages that load them apart
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { bytesOfText } from "./dist/base/byte-text.js";
import { relaxedThreadedKernelsText } from "./dist/tensor/compiled/kernels-relaxed-threads-wasm.js";
import { relaxedKernelsText } from "./dist/tensor/compiled/kernels-relaxed-wasm.js";
import { threadedKernelsText } from "./dist/tensor/compiled/kernels-threads-wasm.js";
import { kernelsText } from "./dist/tensor/compiled/kernels-wasm.js";

const dist = join(import.meta.dirname, "dist");
for (const [name, text] of [
  ["kernels", kernelsText],
  ["kernels-threads", threadedKernelsText],
  ["kernels-relaxed", relaxedKernelsText],
  ["kernels-relaxed-threads", relaxedThreadedKernelsText],
])
  writeFileSync(join(dist, `${name}.wasm`), bytesOfText(text));

/** Leaves imports of the relaxed kernels as they are, from the place of the bundle. */
const relaxedApart = {
  name: "relaxed-apart",
  setup({ onResolve }) {
    onResolve({ filter: /^\.\/kernels-relaxed-.*wasm\.js$/ }, ({ path }) => ({
      path: path.replace("./", "./tensor/compiled/"),
      external: true,
    }));
  },
};

await build({
  entryPoints: [join(dist, "index.js")],
  outfile: join(dist, "bundled.js"),
  bundle: true,
  format: "esm",
  platform: "neutral",
  target: "es2023",
  // The compiler's own maps go into this one, so that stack traces name the TypeScript sources, which are published too.
  sourcemap: "linked",
  sourcesContent: false,
  logLevel: "warning",
  plugins: [relaxedApart],
});
