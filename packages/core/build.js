// Completes core's compiled sources:
//   dist/bundled.js   the whole library in one file, Node's entry point: Node loads one file several times faster than
//                     200. Bundlers take dist/index.js, whose modules they can leave out.
//   dist/*.wasm       the embedded WebAssembly modules as files, for pages that load them apart
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { bytesOfText } from "./dist/base/byte-text.js";
import { threadedKernelsText } from "./dist/tensor/compiled/kernels-threads-wasm.js";
import { kernelsText } from "./dist/tensor/compiled/kernels-wasm.js";

const dist = join(import.meta.dirname, "dist");
writeFileSync(join(dist, "kernels.wasm"), bytesOfText(kernelsText));
writeFileSync(join(dist, "kernels-threads.wasm"), bytesOfText(threadedKernelsText));

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
});
