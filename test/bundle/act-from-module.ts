// A page that acts from a checkpoint and loads the kernels as a file of their own.
import { createWasmExecutorFrom } from "softrl";
import { policyOf } from "./policy.js";

export const loadPolicy = (checkpoint: Uint8Array, module: WebAssembly.Module) =>
  policyOf(checkpoint, createWasmExecutorFrom(module));
