// A page that acts from a checkpoint.
import { createWasmExecutor, loadPolicy } from "softrl";
import { greedy } from "./policy.js";

export const actor = async (checkpoint: Uint8Array) =>
  greedy(loadPolicy(checkpoint, await createWasmExecutor()));
