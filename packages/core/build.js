// Writes the WebAssembly modules that core embeds as files beside its compiled sources, for pages that load them apart.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { bytesOfText } from "./dist/base/byte-text.js";
import { threadedKernelsText } from "./dist/tensor/compiled/kernels-threads-wasm.js";
import { kernelsText } from "./dist/tensor/compiled/kernels-wasm.js";

const dist = join(import.meta.dirname, "dist");
writeFileSync(join(dist, "kernels.wasm"), bytesOfText(kernelsText));
writeFileSync(join(dist, "kernels-threads.wasm"), bytesOfText(threadedKernelsText));
