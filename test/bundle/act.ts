// A page that acts from a checkpoint.
import { createWasmExecutor } from "softrl";
import { policyOf } from "./policy.js";

export const loadPolicy = async (checkpoint: Uint8Array) => policyOf(checkpoint, await createWasmExecutor());
