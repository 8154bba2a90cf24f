import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { encodeCheckpoint, type Snapshot, type SnapshotArray, shapedArray } from "softrl";
import { expect, test } from "vitest";
import { temporaryFolder } from "../temporary-folder.js";
import { runPython } from "./run-python.js";

/** By name as it stands in the file: dtype, shape, values. Every length is odd, where the shape lets it be. */
const expected: Readonly<Record<string, readonly [string, readonly number[], SnapshotArray]>> = {
  "parameters/body.0.weight": ["float32", [3, 1, 5], Float32Array.from({ length: 15 }, (_, i) => i / 7)],
  "parameters/body.0.bias": ["float32", [3], Float32Array.of(-0, 1e-45, Infinity)],
  "optimiser/rmsprop.meanSquare/body.0.weight": ["float64", [3, 1, 5], new Float64Array(15).fill(Math.PI)],
  "optimiser/step": ["float64", [], Float64Array.of(Number.MAX_SAFE_INTEGER)],
  "environment/frames": ["uint8", [7, 3, 1], Uint8Array.from({ length: 21 }, (_, i) => 12 * i)],
  "environment/terminated": ["uint8", [5], Uint8Array.of(0, 1, 0, 0, 255)],
  "environment/a~1b~0c": ["int32", [1], Int32Array.of(-(2 ** 31))],
  "environment/τ": ["uint32", [3], Uint32Array.of(0, 1, 2 ** 32 - 1)],
  "environment/none": ["int32", [0, 4], new Int32Array(0)],
};

const leaf = (name: string) => {
  const [, shape, values] = expected[name];
  return shape.length === 1 ? values : shapedArray(shape, values);
};
const snapshot: Snapshot = {
  format: 1,
  name: "τ = 0.01",
  parameters: {
    "body.0.weight": leaf("parameters/body.0.weight"),
    "body.0.bias": leaf("parameters/body.0.bias"),
  },
  optimiser: {
    "rmsprop.meanSquare": { "body.0.weight": leaf("optimiser/rmsprop.meanSquare/body.0.weight") },
    step: leaf("optimiser/step"),
  },
  environment: {
    frames: leaf("environment/frames"),
    terminated: leaf("environment/terminated"),
    "a/b~c": leaf("environment/a~1b~0c"),
    τ: leaf("environment/τ"),
    none: leaf("environment/none"),
  },
};

interface ReadByPython {
  readonly metadata: Readonly<Record<string, string>>;
  readonly arrays: Readonly<
    Record<
      string,
      {
        readonly dtype: string;
        readonly itemsize: number;
        readonly shape: readonly number[];
        readonly bytes: string;
        readonly begin: number;
      }
    >
  >;
}

const folder = temporaryFolder("checkpoint");

test("safetensors reads a checkpoint: names, dtypes, shapes, values, metadata, all aligned", () => {
  writeFileSync(join(folder, "checkpoint.safetensors"), encodeCheckpoint(snapshot));
  const program = fileURLToPath(new URL("read_checkpoint.py", import.meta.url));
  const read: ReadByPython = JSON.parse(runPython(program, ["checkpoint.safetensors"], { cwd: folder }));
  const hex = ({ buffer, byteOffset, byteLength }: SnapshotArray) =>
    Buffer.from(buffer, byteOffset, byteLength).toString("hex");
  const found = Object.entries(read.arrays).map(
    ([name, { dtype, shape, bytes }]) => [name, [dtype, shape, bytes]] as const,
  );
  const wanted = Object.entries(expected).map(
    ([name, [dtype, shape, values]]) => [name, [dtype, shape, hex(values)]] as const,
  );
  expect(Object.fromEntries(found)).toEqual(Object.fromEntries(wanted));
  expect(read.metadata).toEqual({
    "~crc32": expect.stringMatching(/^[0-9a-f]{8}$/),
    format: "1",
    name: '"τ = 0.01"',
  });
  for (const [name, { begin, itemsize }] of Object.entries(read.arrays)) {
    expect(begin % itemsize, name).toBe(0);
  }
});
