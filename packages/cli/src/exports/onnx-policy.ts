import type { ExportedPolicy } from "./exported-policy.js";
import { onnxGraph } from "./onnx-graph.js";
import { encodeOnnx, OPSET } from "./onnx-model.js";
import { stepsOfBatch } from "./policy-steps.js";

/** A policy as the bytes of an ONNX model, with its metadata. */
export function onnxPolicy({
  where,
  title,
  about,
  trace,
  outputs,
  observationSpace,
}: ExportedPolicy): Uint8Array {
  const steps = stepsOfBatch(where, trace, outputs);
  const type = observationSpace.kind === "box" ? observationSpace.dtype : "float32";
  return encodeOnnx({
    version: String(about.version),
    description: title,
    metadata: Object.fromEntries(
      Object.entries({ ...about, opset: OPSET }).map(([name, value]) => [
        name,
        typeof value === "string" ? value : JSON.stringify(value),
      ]),
    ),
    ...onnxGraph(where, steps, type),
  });
}
