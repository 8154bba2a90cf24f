// A page that acts from a checkpoint and loads the kernels as a file of their own.
import { createWasmExecutorFrom, loadPolicy } from "softrl";
import { greedy } from "./policy.js";

export const actor = (checkpoint: Uint8Array, module: WebAssembly.Module) =>
  greedy(loadPolicy(checkpoint, createWasmExecutorFrom(module)));
