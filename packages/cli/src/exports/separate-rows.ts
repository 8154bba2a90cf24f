/** Whether a policy computes each observation from itself alone, as its exports do. */
import { type Box, type NetworkPolicy, observationLength, RandomStreams, SoftrlError } from "softrl";
import type { ExportedOutput } from "./policy-steps.js";

const ROWS = 4;
/** Relative, in float64: far above rounding, far below what float32 shows. */
const TOLERANCE = 1e-9;

/**
 * Evaluates drawn observations together and one at a time: a row that differs depends on the others in its batch. What
 * the network computes over its batch can leave no trace in its steps, as a maximum does.
 *
 * @param where what an error names
 * @param policyFor the policy in float64, which evaluates this number of observations at once
 * @param outputs the ones to compare
 * @throws SoftrlError where an output differs.
 */
export function requireSeparateRows(
  where: string,
  policyFor: (rows: number) => NetworkPolicy,
  outputs: readonly ExportedOutput[],
): void {
  const [alone, together] = [policyFor(1), policyFor(ROWS)];
  const { observationSpace } = alone;
  // A network reads a box.
  if (observationSpace.kind !== "box") return;
  const observations = drawn(observationSpace, ROWS);
  const [each, all] = [alone.evaluate(observations), together.evaluate(observations)];
  for (const output of outputs) {
    const [expected, got] = [each[output], all[output]];
    if (expected === null || got === null) continue;
    const width = got.length / ROWS;
    for (let i = 0; i < got.length; i++) {
      if (isNear(got[i], expected[i])) continue;
      const row = i - (i % width);
      throw new SoftrlError(where, "the network does not treat each observation alone", {
        expected: `the same ${output} of an observation in a batch of 1 and of ${ROWS}`,
        got: `${numbers(expected.slice(row, row + width))} and ${numbers(got.slice(row, row + width))}`,
        remedy: "compute each row of the batch from its own observation",
      });
    }
  }
}

const isNear = (a: number, b: number): boolean =>
  Object.is(a, b) || a === b || Math.abs(a - b) <= TOLERANCE * Math.max(1, Math.abs(b));

/** The first few, for a message. */
const numbers = (values: ArrayLike<number>): string => {
  const first = Array.from(values)
    .slice(0, 4)
    .map((x) => x.toPrecision(4));
  return `[${first.join(", ")}${values.length > first.length ? ", …" : ""}]`;
};

/** Observations around zero as far as the bounds let them, so that no activation saturates; bytes within their bounds. */
function drawn(space: Box, count: number): Float32Array | Uint8Array {
  const size = observationLength(space);
  const random = new RandomStreams(0).stream("observations");
  const bound = (bounds: number | readonly number[], i: number) =>
    typeof bounds === "number" ? bounds : (bounds[i % size] ?? 0);
  const draw = (i: number): number => {
    const [low, high] = [bound(space.low, i), bound(space.high, i)];
    if (space.dtype === "uint8") return low + random.integer(high - low + 1);
    const from = Math.max(low, Math.min(-1, high - 1));
    const to = Math.min(high, Math.max(1, low + 1));
    return from + (to - from) * random.float();
  };
  const length = count * size;
  return space.dtype === "uint8"
    ? Uint8Array.from({ length }, (_, i) => draw(i))
    : Float32Array.from({ length }, (_, i) => draw(i));
}
