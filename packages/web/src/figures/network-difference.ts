import { decodeCheckpoint, type Snapshot } from "softrl";

/** The largest difference of two checkpoints' networks in one parameter. */
export function largestDifference({
  a2c,
  "soft-q": softQ,
}: Readonly<Record<"a2c" | "soft-q", Uint8Array>>): number {
  const [one, other] = [a2c, softQ].map((bytes) => {
    const { parameters } = decodeCheckpoint("checkpoint", bytes);
    return numbersOf(parameters);
  });
  return one.reduce((most, x, i) => Math.max(most, Math.abs(x - other[i])), 0);
}

/** All parameters, in the order of the checkpoint, which is the same for the same network. */
function numbersOf(value: Snapshot[string] | undefined): readonly number[] {
  if (value instanceof Float32Array) return Array.from(value);
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return [];
  return Object.values(value).flatMap(numbersOf);
}
